"""The baselines are what their names say, fitted on the train split alone."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifiers.embedding import Encoder
from classifiers.taxonomy import load_taxonomy
from eval.baselines import KEYWORDS, ask_model, keywords, load_keywords, majority, nearest, tfidf, zero_shot
from eval.product import Product
from eval.run import Suite, run
from triage.llm import LanguageModel
from triage.settings import Settings

CODES = load_taxonomy().codes
LEARNT = [
    ("train", "damage", "Three cartons came in crushed and wet, the glass inside is broken."),
    ("train", "damage", "The pallet was damaged on arrival, boxes torn and crushed."),
    ("train", "damage", "Drum dented and leaking, we took photos of the damaged goods."),
    ("train", "customs_hold", "Customs in Dover hold the trailer and ask for the import declaration."),
    ("train", "customs_hold", "The shipment is stopped by customs for an inspection."),
    ("test", "damage", "Two boxes crushed, contents broken, photos attached."),
    ("test", "customs_hold", "Your goods are held at customs, they want the declaration."),
]


def test_the_frequent_label_wins_whatever_is_written() -> None:
    scores = majority(np.array([3, 3, 1]), 5, 4)
    assert scores.argmax(axis=1).tolist() == [3] * 4
    assert scores[0].tolist() == [0, 1 / 3, 0, 2 / 3, 0]


def test_keywords_count_words_of_each_list() -> None:
    assert set(load_keywords(KEYWORDS)) == set(CODES)
    scores = keywords(["Customs inspection, no clearance", "Zoll hält die Ware", "xyz"], CODES)
    best = [CODES[i] for i in scores.argmax(axis=1)]
    assert best == ["customs_hold", "customs_hold", "transit_delay"]
    assert (scores.sum(axis=1) <= 1).all()


def test_methods_that_learn_spread_over_all_labels() -> None:
    texts = [text for _, _, text in LEARNT]
    truth = np.array([CODES.index(label) for _, label, _ in LEARNT])
    scores = tfidf(texts[:5], truth[:5], texts[2:4], len(CODES))
    assert scores.shape == (2, len(CODES))
    assert scores.argmax(axis=1).tolist() == truth[2:4].tolist()
    assert np.allclose(scores.sum(axis=1), 1)


def test_embeddings_find_neighbours_and_descriptions() -> None:
    encoder = Encoder()  # as its makers trained it, like the baselines' own
    texts = [text for _, _, text in LEARNT]
    truth = np.array([CODES.index(label) for _, label, _ in LEARNT])
    vectors = encoder.encode(texts)
    assert nearest(vectors[:5], truth[:5], vectors[5:], len(CODES)).argmax(axis=1).tolist() == truth[5:].tolist()
    scores = zero_shot(texts[5:], load_taxonomy(), encoder.encode)
    assert [CODES[i] for i in scores.argmax(axis=1)] == ["damage", "customs_hold"]


def test_they_stand_beside_ours_on_the_same_cases(tmp_path: Path, encoder: Encoder) -> None:
    rows = [
        {"id": str(i), "message": {"channel": "portal", "text": text}, "label": label, "split": split}
        for i, (split, label, text) in enumerate(LEARNT)
    ]
    path = tmp_path / "cases.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    settings = Settings(_env_file=None)
    suite = Suite(dataset=path, draws=50)
    metrics = run(suite, tmp_path / "run", settings=settings, product=Product(settings, encoder), use_cache=False)
    assert metrics["cases"]["n"] == 2
    skipped = {name for name, baseline in metrics["baselines"].items() if "skipped" in baseline}
    assert skipped == {"llm", "n8n"}
    measured = {name: entry for name, entry in metrics["baselines"].items() if name not in skipped}
    assert set(measured) == {"majority", "keywords", "tfidf", "knn", "zero_shot"}
    assert measured["majority"]["accuracy"]["value"] == 0.5
    assert all(baseline["accuracy"]["n"] == 2 for baseline in measured.values())
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Keyword rules" in html and "Most frequent label" in html
    assert "no language model is set up" in html


@pytest.mark.parametrize("learnt", [["crushed boxes"], ["1", "2"]])
def test_examples_that_teach_nothing_leave_a_baseline_out_and_the_run_whole(
    learnt: list[str], tmp_path: Path, encoder: Encoder
) -> None:
    texts = [*((t, "train", CODES[i]) for i, t in enumerate(learnt)), ("two boxes crushed", "test", "damage")]
    rows = [
        {"id": t, "message": {"channel": "portal", "text": t}, "split": split, "label": label}
        for t, split, label in texts
    ]
    path = tmp_path / "cases.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    settings = Settings(_env_file=None)
    suite = Suite(dataset=path, draws=20, baselines=("majority", "tfidf"))
    metrics = run(suite, tmp_path / "run", settings=settings, product=Product(settings, encoder))
    assert metrics["accuracy"]["n"] == metrics["baselines"]["majority"]["accuracy"]["n"] == 1
    assert "not enough" in metrics["baselines"]["tfidf"]["skipped"]


class Endpoint(BaseHTTPRequestHandler):
    """An OpenAI-compatible endpoint: customs for what speaks of customs, an answer that is no JSON for the rest."""

    asked: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        fields = body["response_format"]["json_schema"]["schema"]["properties"]
        one = {"label": "customs_hold"} if "label" in fields else {code: code == "customs_hold" for code in fields}
        about = body["messages"][-1]["content"].casefold()
        said = json.dumps(one) if "customs" in about else "I think it is broken"
        answer = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "stand-in",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
        }
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None: ...


def test_a_model_is_asked_in_both_ways_and_what_it_does_not_answer_is_no_wrong_label(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    settings = Settings(_env_file=None, data_dir=tmp_path, llm_url=url, llm_model="stand-in", llm_retries=0)
    texts = [text for split, _, text in LEARNT if split == "test"]
    with LanguageModel(settings, lambda: datetime.now(UTC)) as model:
        for name in ("llm", "n8n"):
            labels, problems, uses = ask_model(name, model, load_taxonomy(), texts, lambda *_: None)
            assert labels == [None, "customs_hold"], name
            assert problems == ["llm_invalid_answer"]
            assert sum(use.input_tokens for use in uses) == 100
        before = len(Endpoint.asked)
        assert ask_model("llm", model, load_taxonomy(), texts[1:], lambda *_: None)[2][0].cached == 1
        assert len(Endpoint.asked) == before
    server.shutdown()
    server.server_close()
    assert all(code in Endpoint.asked[0]["messages"][0]["content"] for code in CODES)
