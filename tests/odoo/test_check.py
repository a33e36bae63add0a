from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from triage.odoo.check import GUARDED, NEEDED, OWN_ITEMS, Facts, findings
from triage.odoo.gateway import ACTIVITY_MODELS, REQUIREMENTS
from triage.odoo.server import Server

READ = frozenset({"read"})
GOOD = Facts(
    server=Server("18.0", 18, 0.4),
    wire="rpc",
    rights=dict.fromkeys(GUARDED, READ) | {model: READ | {"write", "create"} for model in OWN_ITEMS},
    untried=frozenset(),
    fields=NEEDED,
    actions=ACTIVITY_MODELS,
    activity_type=True,
    outcomes=True,
    categories={"Dispatch exception": dict.fromkeys(REQUIREMENTS, "optional")},
)


def worst(facts: Facts) -> tuple[str, str]:
    first = findings(facts)[0]
    return first.level, first.code


def rights(**changes: frozenset[str] | None) -> dict[str, frozenset[str]]:
    named = {name.replace("__", "."): held for name, held in changes.items()}
    return {model: held for model, held in {**GOOD.rights, **named}.items() if held is not None}


def test_a_bot_with_what_it_needs_and_no_more_is_green() -> None:
    assert {finding.level for finding in findings(GOOD)} == {"green"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rights": rights(stock__picking=READ | {"write"})}, ("red", "too_many_rights")),
        (
            {"rights": rights(stock__move=READ | {"write"}), "untried": frozenset({"stock.move"})},
            ("amber", "untried_rights"),
        ),
        ({"rights": rights(res__groups=READ | {"create"})}, ("red", "too_many_rights")),
        ({"rights": rights(stock__picking=frozenset())}, ("red", "missing_right")),
        ({"rights": rights(stock__picking=None)}, ("red", "missing_app")),
        ({"rights": rights(purchase__order=frozenset())}, ("amber", "missing_right")),
        ({"rights": rights(purchase__order=None, project__task=None)}, ("green", "protocol")),
        ({"rights": rights(approval__request=READ)}, ("red", "approvals")),
        ({"rights": rights(approval__request=None, approval__category=None)}, ("amber", "approvals")),
        ({"fields": {**NEEDED, "mail.activity": frozenset({"note"})}}, ("red", "missing_fields")),
        ({"actions": frozenset()}, ("red", "no_server_action")),
        ({"actions": ACTIVITY_MODELS - {"project.task"}}, ("amber", "no_server_action")),
        (
            {"categories": {"Dispatch exception": dict.fromkeys(REQUIREMENTS, "no"), "Safety": None}},
            ("red", "approvals"),
        ),
        ({"categories": {"Safety": {"has_payment_method": "required"}}}, ("red", "approvals")),
        ({"categories": {"Safety": {"has_amount": "required"}}}, ("amber", "approvals")),
        ({"categories": {"Safety": {"has_date": "required"}}}, ("green", "protocol")),
        ({"activity_type": False}, ("amber", "activity_type")),
        ({"outcomes": False}, ("amber", "outcomes")),
        ({"server": Server("18.0", 18, -90.0)}, ("amber", "clock")),
        ({"server": Server("18.0", 18, None)}, ("amber", "clock")),
        ({"server": Server("11.0", 11, 0.0)}, ("amber", "version")),
        ({"server": Server("19.0", 19, 0.0)}, ("amber", "protocol")),
        ({"server": Server("19.0", 19, 0.0), "wire": "json2"}, ("green", "protocol")),
        ({"server": Server("saas~21.1", 21, 0.0), "wire": "json2"}, ("amber", "version")),
        ({"server": Server("22.0", 22, 0.0)}, ("red", "protocol")),
    ],
)
def test_each_thing_that_is_wrong_is_found_and_weighed(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert worst(replace(GOOD, **changes)) == expected


def test_the_worst_stands_first_and_what_the_bot_could_edit_is_named() -> None:
    found = findings(replace(GOOD, rights=rights(stock__move=READ | {"write", "unlink"}), activity_type=False))
    assert [finding.level for finding in found][:2] == ["red", "amber"]
    assert "write, unlink stock.move" in found[0].text
