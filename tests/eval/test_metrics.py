"""Measures against scikit-learn and against counts made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from eval.metrics import (
    bins_of,
    brier_parts,
    coverage_at_error,
    load_costs,
    measure,
    risk_coverage,
    same_relaxed,
    strict,
)
from tests.eval.rows import LABELS, a_row, found


def many(n: int = 300, seed: int = 0) -> list[dict[str, Any]]:
    """Labels that are right about as often as their confidence says."""
    random = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        true, confidence = LABELS[random.integers(3)], round(float(random.uniform(0.4, 1.0)), 4)
        wrong = [label for label in LABELS if label != true]
        given = true if random.random() < confidence else wrong[random.integers(2)]
        rows.append(a_row(i, true, given, confidence, group=f"g{i // 3}"))
    return rows


def test_accuracy_and_f1_are_those_of_scikit_learn() -> None:
    rows = many()
    metrics = measure(rows, LABELS, draws=100)
    true, given = [r["expected"]["label"] for r in rows], [r["label"] for r in rows]
    assert metrics["accuracy"]["value"] == pytest.approx(accuracy_score(true, given), abs=1e-6)
    assert metrics["macro_f1"]["value"] == pytest.approx(f1_score(true, given, average="macro"), abs=1e-6)
    each = precision_recall_fscore_support(true, given, labels=LABELS)
    for i, label in enumerate(LABELS):
        ours = metrics["per_label"][label]
        values = [ours[name]["value"] for name in ("precision", "recall", "f1")]
        assert values == pytest.approx([each[j][i] for j in range(3)], abs=1e-6)
        assert ours["support"] == each[3][i]
    for estimate in (metrics["accuracy"], metrics["macro_f1"], metrics["ece"], metrics["coverage_at_95_precision"]):
        assert set(estimate) == {"value", "low", "high", "n"}
        assert estimate["low"] <= estimate["value"] <= estimate["high"]


def test_a_label_given_and_never_true_counts_as_scikit_learn_counts_it() -> None:
    rows = [a_row(0, "damage", "damage"), a_row(1, "damage", "transit_delay"), a_row(2, "damage", "damage")]
    expected = f1_score(["damage"] * 3, ["damage", "transit_delay", "damage"], average="macro", zero_division=0)
    assert measure(rows, LABELS, draws=50)["macro_f1"]["value"] == pytest.approx(expected, abs=1e-6)


def test_what_could_not_be_run_is_counted_apart_and_never_as_wrong() -> None:
    rows = [a_row(i, "damage", "damage") for i in range(10)]
    lost = a_row(10, "damage", "damage") | {"scored": False, "unscored_reason": "refused: no text"}
    del lost["label"], lost["scores"], lost["latency_ms"]
    metrics = measure([*rows, lost], LABELS, draws=50)
    assert metrics["accuracy"]["value"] == 1.0
    assert metrics["accuracy"]["n"] == 10
    assert metrics["cases"]["unscored"] == 1
    assert metrics["cases"]["unscored_reasons"] == {"refused": 1}


def test_calibration_error_by_hand() -> None:
    # Ten bins of one confidence each: said 0.9 of which 5 of 10 are right, said 0.6 of which 10 of 10 are.
    rows = [a_row(i, "damage", "damage" if i % 2 else "transit_delay", 0.9) for i in range(10)]
    rows += [a_row(10 + i, "damage", "damage", 0.6) for i in range(10)]
    assert measure(rows, LABELS, draws=50)["ece"]["value"] == pytest.approx(0.4)


def test_bins_have_equal_mass_and_never_part_equals() -> None:
    assert np.bincount(bins_of(np.linspace(0, 1, 100))).tolist() == [10] * 10
    assert len(set(bins_of(np.full(100, 0.5)).tolist())) == 1


def test_the_parts_of_brier_sum_to_it() -> None:
    random = np.random.default_rng(3)
    confidence = random.uniform(size=500)
    correct = (random.uniform(size=500) < confidence).astype(float)
    parts = brier_parts(confidence, correct)
    total = parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within_bins"]
    assert total == pytest.approx(((confidence - correct) ** 2).mean())
    assert abs(parts["within_bins"]) < 0.01


def test_brier_over_all_labels_by_hand() -> None:
    row = a_row(0, "damage", "damage", 0.8)  # 0.8, 0.1, 0.1
    assert measure([row], LABELS, draws=20)["brier"]["value"] == pytest.approx(0.04 + 0.01 + 0.01)


def test_coverage_is_the_share_of_the_surest_that_is_right_often_enough() -> None:
    confidence = np.linspace(0.99, 0.5, 100)
    correct = np.ones(100, bool)
    correct[[60, 61, 62, 63]] = False  # 95 % of the first 80 are right, and of the 100 96 %
    rows = [
        a_row(i, "damage", "damage" if right else "transit_delay", float(c))
        for i, (c, right) in enumerate(zip(confidence, correct, strict=True))
    ]
    assert measure(rows, LABELS, draws=50)["coverage_at_95_precision"]["value"] == 1.0
    correct[90:] = False
    found_at = coverage_at_error(confidence, correct)
    assert found_at["0.05"]["seen"]["coverage"] == pytest.approx(0.9)
    assert found_at["0.01"]["seen"]["coverage"] == pytest.approx(0.6)
    assert found_at["0.05"]["proven"]["coverage"] == pytest.approx(0.6)  # 0 of 59 wrong proves 5 %, 1 of 61 does not
    assert found_at["0.01"]["proven"]["threshold"] is None


def test_copies_of_a_message_prove_no_lower_error() -> None:
    rows = [a_row(i, "damage", "damage", 0.5 + i % 20 / 50, group=f"g{i % 20}") for i in range(100)]
    alone, copied = (measure(chosen, LABELS, draws=50) for chosen in (rows[:20], rows))
    for metrics in (alone, copied):
        assert metrics["coverage_at_error"]["0.05"]["proven"]["threshold"] is None
        assert metrics["risk_coverage"][-1][2] == pytest.approx(0.139, abs=1e-3)  # 0 of 20, not of 100
        assert metrics["coverage_at_95_precision"]["low"] == alone["accuracy"]["low"]


def test_a_threshold_never_cuts_between_equals_and_the_curve_ends_at_the_error() -> None:
    confidence = np.array([0.9, 0.9, 0.9, 0.5])
    curve = risk_coverage(confidence, np.array([True, False, True, False]))
    assert [point[:2] for point in curve] == [[0.75, pytest.approx(1 / 3)], [1.0, 0.5]]


def test_aurc_by_hand() -> None:
    rows = [
        a_row(i, "damage", g, c) for i, (g, c) in enumerate((("damage", 0.9), ("transit_delay", 0.6), ("damage", 0.5)))
    ]
    assert measure(rows, LABELS, draws=20)["aurc"]["value"] == pytest.approx((0 + 1 / 2 + 1 / 3) / 3, abs=1e-6)


def test_all_labels_as_sets() -> None:
    rows = [
        a_row(0, "damage", "damage", expected={"secondary_labels": ["transit_delay"]}),
        a_row(
            1,
            "damage",
            "transit_delay",
            expected={"secondary_labels": []},
            secondary_labels=[{"label": "damage", "confidence": 0.3}],
        ),
        a_row(2, "damage", "damage"),  # nobody said which other labels are true
    ]
    secondary = measure(rows, LABELS, draws=20)["secondary"]
    assert secondary["micro_f1"]["value"] == pytest.approx(2 * 2 / (3 + 3), abs=1e-6)
    assert secondary["exact_match"] == {"value": 0.0, "low": 0.0, "high": pytest.approx(0.6576, abs=1e-3), "n": 2}
    assert secondary["jaccard"]["value"] == 0.5
    right = measure(
        [a_row(i, "damage", "damage", expected={"secondary_labels": []}) for i in range(3)], LABELS, draws=20
    )
    assert right["secondary"]["micro_f1"]["low"] < 0.7  # three of three are no proof


def test_fields_strict_and_relaxed_and_only_where_labelled() -> None:
    rows = [
        a_row(
            0,
            "damage",
            "damage",
            expected={"fields": {"bol": ["AB 12-34"], "tracking": ["1Z9"]}},
            fields={"bol": found("AB1234")},
        ),
        a_row(1, "damage", "damage", expected={"fields": {}}, fields={"bol": found("X1"), "phone": found("555")}),
        a_row(2, "damage", "damage", fields={"bol": found("NOT LABELLED")}),
        a_row(
            3, "damage", "damage", expected={"fields": {"tracking": ["1z9"]}}, fields={"tracking": found("1Z9", "1z9")}
        ),
    ]
    fields = measure(rows, LABELS, draws=20)["fields"]
    # True: bol 1, tracking 2. Given: bol 2, tracking 1 (twice the same); phone is labelled nowhere.
    assert fields["micro_f1"]["value"] == pytest.approx(2 * 1 / (3 + 3), abs=1e-6)
    assert fields["relaxed"]["micro_f1"]["value"] == pytest.approx(2 * 2 / (3 + 3), abs=1e-6)
    assert fields["per_field"]["tracking"]["f1"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert fields["cases"] == 3
    assert "phone" not in fields["per_field"]


def test_a_typed_apostrophe_or_dash_is_the_printed_one() -> None:
    assert strict("Rue de l’Église – Halle 3") == strict("rue de l'église - halle 3")
    assert strict("26-118") != strict("26118")


def test_relaxed_forgives_form_and_not_content() -> None:
    assert same_relaxed("WH/OUT/00042", "wh out 00042")
    assert same_relaxed("Müller GmbH", "Muller GmbH, Halle 3")
    assert not same_relaxed("WH/OUT/00042", "WH/OUT/00043")
    assert not same_relaxed("12", "1234")


def test_document_types_are_counted_as_a_multiset() -> None:
    rows = [
        a_row(
            0,
            "damage",
            "damage",
            expected={"documents": ["packing_list", "packing_list"]},
            documents=[{"type": "packing_list"}],
        ),
        a_row(1, "damage", "damage", expected={"documents": []}, documents=[]),
    ]
    documents = measure(rows, LABELS, draws=20)["documents"]
    assert documents["accuracy"]["value"] == 0.5
    assert documents["per_type"]["packing_list"] == {"precision": 1.0, "recall": 0.5, "support": 2, "predicted": 1}


def test_routing_costs_by_hand() -> None:
    costs = load_costs()
    rows = [
        a_row(0, "damage", "damage", route="activity", expected={"route": "activity"}),
        a_row(1, "damage", "transit_delay", route="activity", expected={"route": "activity"}),
        a_row(2, "damage", "status_update", route="ignore", expected={"route": "approval"}),
        a_row(3, "status_update", "damage", route="activity", expected={"route": "ignore"}),
        a_row(4, "damage", "damage", route="activity", abstained="ambiguous", expected={"route": "activity"}),
    ]
    routing = measure(rows, LABELS, draws=20)["routing"]
    assert routing["accuracy"]["value"] == 0.6
    assert routing["lost"]["value"] == 0.25
    assert routing["cost"]["value"] == pytest.approx((1 + 3 + 90 + 2 + 2) / 5)
    assert routing["utility"]["value"] == pytest.approx(costs["by_hand"] - 98 / 5)
    assert routing["confusion"]["approval"] == {"ignore": 1}


def test_a_case_that_nobody_labelled_has_no_wrong_label_and_makes_right_ones_no_dearer() -> None:
    rows = [
        a_row(i, "damage", "damage", route="activity", expected={"route": "activity"}, cpu_ms=9.0) for i in range(9)
    ]
    alone = measure(rows, LABELS, draws=20)
    rows += [row | {"id": row["id"] + "b", "expected": row["expected"] | {"label": None}} for row in rows]
    both = measure(rows, LABELS, draws=20)
    assert both["money"]["per_thousand_right"]["value"] == alone["money"]["per_thousand_right"]["value"]
    assert both["routing"]["cost"]["value"] == alone["routing"]["cost"]["value"] == 1.0


def test_an_answer_from_the_cache_makes_no_run_cheap() -> None:
    use = {"questions": 1, "cached": 0, "cost": 0.01}
    rows = [a_row(i, "damage", "damage", llm_use=use) for i in range(9)]
    assert measure(rows, LABELS, draws=20)["money"]["per_thousand"]["value"] == 10.0
    money = measure([*rows, a_row(9, "damage", "damage", llm_use=use | {"cached": 1})], LABELS, draws=20)["money"]
    assert money["per_thousand"]["value"] is None and money["per_thousand_right"]["value"] is None


def test_a_slice_under_thirty_cases_is_not_judged() -> None:
    rows = [a_row(i, "damage", "damage", slices={"lang": "en" if i < 40 else "pl"}) for i in range(69)]
    slices = measure(rows, LABELS, draws=50)["slices"]
    assert slices["lang"]["en"]["accuracy"]["n"] == 40
    assert slices["lang"]["pl"] == {"n": 29, "note": "too few"}


def test_a_run_without_any_label_measures_what_is_left() -> None:
    rows = [
        a_row(0, "damage", "damage", expected={"label": None, "fields": {"bol": ["1"]}}, fields={"bol": found("1")})
    ]
    metrics = measure(rows, LABELS, draws=20)
    assert metrics["accuracy"] == {"value": None, "low": None, "high": None, "n": 0}
    assert metrics["fields"]["micro_f1"]["value"] == 1.0
