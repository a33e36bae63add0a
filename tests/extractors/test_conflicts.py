from __future__ import annotations

import pytest

from extractors.conflicts import find_conflicts
from extractors.evidence import Evidence, Finding

Said = tuple[str, str]  # part, value


def findings(field: str, *said: Said, score: float = 0.9) -> list[Finding]:
    return [
        Finding(
            field=field,
            value=value,
            score=score,
            method="pattern",
            evidence=Evidence(part=part, quote=value, start=0, end=len(value)),
        )
        for part, value in said
    ]


@pytest.mark.parametrize(
    ("field", "message", "document"),
    [
        ("gross_weight", "1240 KGM", "812 KGM"),
        ("delivered_at", "2026-11-20T09:00", "2026-11-21T09:00"),
        ("container", "MSKU1234565", "TCLU7654321"),
        ("un_number", "UN1263", "UN1993"),
        ("pallets", "4 PF", "3 PF"),
        ("temperature_required", "5 CEL", "50 FAH"),
        ("pieces_damaged", "4 H87", "6 H87"),
    ],
)
def test_two_values_that_cannot_both_be_right_are_kept_with_their_evidence(
    field: str, message: str, document: str
) -> None:
    (found,) = find_conflicts(findings(field, ("body", message), ("attachment:0", document)))
    assert (found.field, found.message.value, found.document.value) == (field, message, document)
    assert found.document.evidence.part == "attachment:0"


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("gross_weight", (("body", "1.24 TNE"), ("attachment:0", "1240 KGM"))),  # the same in another unit
        ("gross_weight", (("body", "1240 KGM"), ("attachment:0", "1105 KGM"), ("attachment:0", "1240 KGM"))),
        ("pieces_short", (("body", "2 H87"), ("attachment:0", "2 PF"))),
        ("purchase_order", (("body", "4500012345"), ("attachment:0", "PO-4500012345"))),
        ("delivered_at", (("body", "2026-11-20"), ("attachment:0", "2026-11-20T16:20"))),
        ("delivered_at", (("body", "2026-11-20T23:30:00+00:00"), ("attachment:0", "2026-11-21T00:30:00+01:00"))),
        ("temperature_required", (("body", "5 CEL"), ("attachment:0", "41 FAH"))),
        ("temperature_required", (("body", "2..8 CEL"), ("attachment:0", "36..46 FAH"))),
        ("pallets", (("body", "4 PF"), ("subject", "5 PF"), ("attachment:0", "3 PF"))),  # of several, any may be meant
        ("pallets", (("body", "4 PF"), ("attachment:0", "3 PF"), ("attachment:1", "1 PF"))),
        ("pallets", (("attachment:0", "3 PF"), ("attachment:0", "1 PF"))),
        ("consignee", (("body", "Kroon"), ("attachment:0", "De Kroon NV"))),  # spelled in too many ways
    ],
)
def test_what_agrees_or_may_be_meant_otherwise_is_no_conflict(field: str, said: tuple[Said, ...]) -> None:
    assert find_conflicts(findings(field, *said)) == ()


@pytest.mark.parametrize(("mail", "paper", "told"), [(0.5, 0.9, 0), (0.9, 0.4, 0), (0.7, 0.55, 1)])
def test_what_was_read_with_doubt_contradicts_nobody(mail: float, paper: float, told: int) -> None:
    said = [
        *findings("pallets", ("body", "4 PF"), score=mail),
        *findings("pallets", ("attachment:0", "3 PF"), score=paper),
    ]
    assert len(find_conflicts(said)) == told
