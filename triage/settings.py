"""Every setting, from the environment (`TRIAGE_…`), a `.env` file or a secret file (`TRIAGE_…_FILE`)."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any, Literal, get_origin

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from extractors.message import ModelName, RecordId, RecordRef

MEGABYTE = 1024 * 1024


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="TRIAGE_",
        env_file=".env",
        env_parse_none_str="",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    data_dir: Path = Field(Path("data"), description="folder of the SQLite file and of the stored originals")
    database_url: str | None = Field(
        None,
        pattern=r"^postgresql(\+psycopg)?://",
        description="PostgreSQL URL (postgresql://user:password@host/db); empty: SQLite in the data folder",
    )
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = Field("http://127.0.0.1:8000", description="how people reach this service; used in links")
    executor_id: str = Field("one", description="stable name of this worker; each worker on PostgreSQL has its own")
    takeover_seconds: float = Field(15.0, description="a worker whose lock is free for twice as long is taken for dead")
    run_worker: bool = Field(True, description="whether `triage serve` also works off the queues")
    worker_metrics_port: int | None = Field(None, description="where `triage worker` serves /metrics of its own")

    max_body_bytes: int = 25 * MEGABYTE
    max_attachments: int = 20
    max_attachment_bytes: int = 20 * MEGABYTE
    max_text_chars: int = 200_000
    max_mime_depth: int = 10
    max_pdf_pages: int = 50
    pdf_seconds: float = 20.0
    pdf_memory_bytes: int = 1024 * MEGABYTE
    max_ocr_pages: int = 5
    ocr_seconds: float = 90.0
    ocr_memory_bytes: int = 4096 * MEGABYTE
    max_queued: int = Field(10_000, description="messages waiting before intake answers 429")
    intake_seconds: float = Field(10.0, description="deadline of the intake transaction before it answers 503")

    # The engine starts at most (workers / its poll of 0.1 s) a second. More workers wait for SQLite's one writer.
    triage_workers: int = 6
    publish_workers: int = 6
    model_dir: Path | None = Field(None, description="another classifier bundle than the packaged one")
    policy_file: Path | None = Field(None, description="another policy than the packaged one")

    odoo_url: str | None = None
    odoo_public_url: str | None = Field(None, description="how people reach Odoo, used in links; empty: odoo_url")
    odoo_db: str | None = None
    odoo_login: str | None = None
    odoo_password: SecretStr | None = None
    odoo_api_key: SecretStr | None = Field(None, description="of the bot; enough by itself from Odoo 19 on")
    odoo_transport: Literal["auto", "rpc", "json2"] = Field(
        "auto", description="auto: JSON-2 from Odoo 19 on where an API key is set, else RPC"
    )
    odoo_timeout: float = 10.0
    odoo_fallback_model: ModelName | None = Field(None, description="model of the record that takes unmatched messages")
    odoo_fallback_id: RecordId | None = None

    odoo_pull_seconds: float = Field(300.0, ge=0, description="how often outcomes and documents are read; 0: not")
    odoo_document_models: tuple[str, ...] = Field(
        (), description="models whose new PDF attachments are taken in, as a JSON list; documents.document is the app"
    )

    callback_hosts: tuple[str, ...] = Field(
        (), description="hosts, or host:port, that a callback_url may name, as a JSON list; empty: none is taken"
    )
    callback_secret: SecretStr | None = Field(None, description="whsec_ and base64: callbacks are signed with it")
    callback_private: bool = Field(False, description="whether they may be private addresses, and http without TLS")
    callback_hours: float = Field(24.0, gt=0, description="so long a result is posted again until it is taken")
    retention_days: int | None = Field(
        None, ge=1, description="messages that ended longer ago are deleted with their files; empty: none is"
    )

    llm_url: str | None = Field(None, description="an OpenAI-compatible endpoint, such as http://127.0.0.1:8080/v1")
    llm_model: str | None = Field(None, description="the model's name at that endpoint")
    llm_api_key: SecretStr | None = None
    llm_tasks: tuple[Literal["classify", "extract", "summarise"], ...] = Field(
        ("classify", "extract", "summarise"), description="what it is asked for, as a JSON list"
    )
    llm_timeout: float = Field(20.0, gt=0, description="seconds for one answer, all its tries together")
    llm_retries: int = Field(2, ge=0, le=5, description="after time-outs of the connection, 429 and 5xx")
    llm_parallel: int = Field(4, ge=1, description="questions at once")
    llm_temperature: float | None = Field(0.0, description="empty for models that allow no other than their own")
    llm_daily_tokens: int | None = Field(2_000_000, ge=0, description="a day (UTC); past it the local answer stands")
    llm_daily_cost: float | None = Field(None, ge=0, description="likewise, in the currency of the two prices")
    llm_price_input: float = Field(0.0, ge=0, description="for a million tokens")
    llm_price_output: float = Field(0.0, ge=0, description="for a million tokens")
    llm_calibration: Path | None = Field(None, description="the file of 'triage llm calibrate' for this model")

    @model_validator(mode="before")
    @classmethod
    def _empty_is_not_set(cls, values: dict[str, Any]) -> dict[str, Any]:
        """An empty value comes as None. No temperature is something else than the one that stands when none is said."""
        return {name: value for name, value in values.items() if value is not None or name == "llm_temperature"}

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        """`TRIAGE_ODOO_PASSWORD_FILE=/run/secrets/x` stands for `TRIAGE_ODOO_PASSWORD`; so for every setting, lists as
        JSON.
        """
        for name, field in cls.model_fields.items():
            # pydantic gives a line of .env that is no setting under its name without the prefix.
            path = os.environ.get(f"TRIAGE_{name.upper()}_FILE") or values.get(f"{name}_file")
            if path and values.get(name) is None:
                try:
                    text = Path(path).read_text(encoding="utf-8").strip() or None
                    values[name] = json.loads(text) if text and get_origin(field.annotation) is tuple else text
                except (OSError, ValueError) as error:
                    what = getattr(error, "strerror", None) or "it is no UTF-8, or no JSON list"
                    raise ValueError(f"TRIAGE_{name.upper()}_FILE: {path} cannot be read ({what}); mend it") from None
        return values

    @model_validator(mode="after")
    def _odoo_whole_or_not_at_all(self) -> Settings:
        names = ["odoo_url", "odoo_db", "odoo_login", "odoo_password"]
        if self.odoo_api_key:
            names = ["odoo_url", "odoo_db", *(["odoo_login"] if self.odoo_transport == "rpc" else [])]
        elif self.odoo_transport == "json2":
            names = ["odoo_url", "odoo_db", "odoo_api_key"]
        given = {n: getattr(self, n) for n in names}
        missing = [f"TRIAGE_{n.upper()}" for n, v in given.items() if not v]
        if missing and (len(missing) < len(given) or self.odoo_api_key):
            raise ValueError(f"Odoo is configured in part: set {', '.join(missing)} too, or none of TRIAGE_ODOO_*")
        if (self.odoo_fallback_model is None) != (self.odoo_fallback_id is None):
            raise ValueError("set both TRIAGE_ODOO_FALLBACK_MODEL and TRIAGE_ODOO_FALLBACK_ID, or neither")
        return self

    @model_validator(mode="after")
    def _llm_whole_or_not_at_all(self) -> Settings:
        if (self.llm_url is None) != (self.llm_model is None):
            raise ValueError("set both TRIAGE_LLM_URL and TRIAGE_LLM_MODEL, or neither")
        if self.llm_url is not None and not self.llm_url.startswith(("http://", "https://")):
            raise ValueError("TRIAGE_LLM_URL must begin with http:// or https://")
        if self.llm_daily_cost is not None and not (self.llm_price_input or self.llm_price_output):
            raise ValueError("TRIAGE_LLM_DAILY_COST needs TRIAGE_LLM_PRICE_INPUT and TRIAGE_LLM_PRICE_OUTPUT, too")
        return self

    @model_validator(mode="after")
    def _callbacks_are_signed(self) -> Settings:
        if self.callback_hosts and not self.callback_secret:
            raise ValueError("TRIAGE_CALLBACK_HOSTS needs TRIAGE_CALLBACK_SECRET, too: whsec_ and 32 bytes as base64")
        if self.callback_secret:
            try:
                key = base64.b64decode(self.callback_secret.get_secret_value().removeprefix("whsec_"), validate=True)
            except ValueError:
                key = b""
            if len(key) < 24:
                raise ValueError("TRIAGE_CALLBACK_SECRET must be whsec_ and at least 24 bytes as base64")
        return self

    @property
    def odoo_fallback(self) -> RecordRef | None:
        """The record that takes unmatched messages."""
        model, record_id = self.odoo_fallback_model, self.odoo_fallback_id
        return RecordRef(model=model, id=record_id) if model is not None and record_id is not None else None

    @property
    def odoo_configured(self) -> bool:
        return self.odoo_url is not None

    @property
    def sqlalchemy_url(self) -> str:
        if self.database_url:
            return self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
        return f"sqlite:///{self.data_dir.resolve() / 'triage.sqlite3'}"
