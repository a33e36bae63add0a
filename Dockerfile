# The wheels are built and installed in the first stage; the second holds Python, the packages and our code.
FROM debian:12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3.11 python3.11-venv ca-certificates
WORKDIR /app
COPY requirements.lock ./
# The CPU build of torch comes from PyTorch's own index; its hash stands in the lock file.
RUN python3.11 -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --require-hashes --no-deps \
      --extra-index-url https://download.pytorch.org/whl/cpu --requirement requirements.lock
COPY pyproject.toml README.md api.py ./
COPY extractors extractors
COPY classifiers classifiers
COPY prompts prompts
COPY triage triage
COPY eval eval
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3.11 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --create-home triage
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1 TRIAGE_DATA_DIR=/data TRIAGE_HOST=0.0.0.0
USER triage
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('TRIAGE_PORT', '8000') + '/health/live', timeout=4)"]
ENTRYPOINT ["triage"]
CMD ["serve"]
