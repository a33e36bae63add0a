"""The policy is data: what is wrong in it is named on load, and no site loosens what the centre locks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from classifiers.taxonomy import load_taxonomy
from triage.policy import FILE, Policy, load_policy
from triage.settings import Settings
from triage.working_time import Calendar, after_working_hours

TAXONOMY = load_taxonomy()
Change = Callable[[Any], object]


def loaded(folder: Path, *changes: Change) -> Policy:
    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    for change in changes:
        change(data)
    path = folder / "policy.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return load_policy(TAXONOMY, path)


def at_antwerp(**rules: Any) -> Change:
    site = {"title": "Antwerp", "warehouses": ["WHA"], "mailboxes": ["Dispatch.ANR@example.com"], "policy": rules}
    return lambda d: d["sites"].update(ANR=site)


WRONG: tuple[tuple[str, Change, str], ...] = (
    ("unknown entry", lambda d: d.update(colour="red"), "colour: it is not known; take it out or check its spelling"),
    ("missing label", lambda d: d["labels"].pop("damage"), r"labels and the taxonomy differ in \['damage'\]"),
    ("missing level", lambda d: d["priority"]["levels"].pop("P2"), "priority.levels: P2 is missing; add it"),
    ("rising levels", lambda d: d["priority"]["levels"].update(P3=0.9), "must fall from P1 to P4"),
    ("weights", lambda d: d["priority"]["weights"].update(value=0.5), "weights: they sum to 1.4; make that 1"),
    ("severity", lambda d: d["labels"]["damage"].update(severity=7), "labels.damage.severity: .*less than or equal"),
    ("not a number", lambda d: d["labels"]["damage"].update(severity=float("nan")), "labels.damage.severity"),
    (
        "unknown action",
        lambda d: d["labels"]["damage"]["actions"].append("pray"),
        "labels.damage.actions: 'pray' is not one of actions",
    ),
    (
        "unknown reason",
        lambda d: d["actions"]["expedite"].update(approval=["whim"]),
        "actions.expedite.approval: 'whim' is not one of approval.reasons",
    ),
    ("no list", lambda d: d["actions"]["expedite"].update(approval="value"), "it must be a list"),
    ("no list of a label", lambda d: d["labels"]["damage"].update(approval="value"), "labels.damage.approval: it must"),
    ("reason gone", lambda d: d["approval"]["reasons"].pop("unknown_value"), "'unknown_value' is missing; add it"),
    (
        "threshold for nothing",
        lambda d: d["approval"]["reasons"].pop("value"),
        "value_thresholds: 'value' is not one of",
    ),
    (
        "unknown role",
        lambda d: d["approval"]["reasons"]["value"].update(override="boss"),
        "approval.reasons.value.override: 'boss' is not one of roles",
    ),
    (
        "words",
        lambda d: d["approval"]["reasons"]["value"].update(text="{colour} {value.__class__}"),
        "approval.reasons.value.text: only {value}",
    ),
    (
        "currency",
        lambda d: d["approval"]["value_thresholds"]["value"].update(currency="euro"),
        "thresholds.value.currency",
    ),
    ("rate", lambda d: d["exchange_rates"].update(USD=0), "exchange_rates.USD: .*greater than 0"),
    ("zone", lambda d: d["calendar"].update(zone="Europe/Antwerpen"), "calendar.zone: .*use a name such as"),
    ("span", lambda d: d["calendar"]["hours"].update(mon=["8-17"]), "write it as 08:00-17:00"),
    ("night", lambda d: d["calendar"]["hours"].update(mon=["22:00-06:00"]), "go forward within the day"),
    ("never open", lambda d: d["calendar"].update(hours={"mon": []}), "no day has working hours"),
    ("Norway", lambda d: d["calendar"]["holidays"].update(country=False), "country: it must be text; put it in quotes"),
    ("no country", lambda d: d["calendar"]["holidays"].update(country="XX"), "holidays: Country XX not available"),
    ("due in years", lambda d: d["priority"]["due_hours"].update(P4=9000), "weeks; take at most 26"),
    ("document", lambda d: d["priority"]["evidence"]["documents"].update(novel=1), "documents.novel"),
    ("emergency", lambda d: d["emergency"].update(actions=["panic"]), "emergency.actions: 'panic' is not one of"),
    ("local path", lambda d: d["local"].update({"aproval.approver": "free"}), "local.aproval.approver: it leads to no"),
    ("local kind", lambda d: d["local"].update({"priority.due_hours": "lower"}), "lower is for numbers alone"),
    (
        "two owners",
        lambda d: d["sites"].update(GNT={"title": "Ghent", "warehouses": ["wha"]}),
        "belongs to ANR and GNT",
    ),
    ("own hash", lambda d: d.update(sha256="0"), "sha256: the service sets this by itself"),
)


@pytest.mark.parametrize(("change", "complaint"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_entry_is_named_with_what_to_do(tmp_path: Path, change: Change, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as error:
        loaded(tmp_path, at_antwerp(), change)
    assert str(tmp_path / "policy.yaml") in str(error.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("version: '1'\nlabels: {}\nversion: '2'", r"version stands twice \(line 3\)"),
        ("version: [", "policy.yaml: "),
        ("- a list", "it must be a mapping"),
        ("", "it must be a mapping"),
    ],
)
def test_a_file_that_is_no_policy_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=complaint):
        load_policy(TAXONOMY, path)
    with pytest.raises(ValueError, match="check TRIAGE_POLICY_FILE"):
        load_policy(TAXONOMY, tmp_path / "nowhere.yaml")


def test_a_result_names_the_version_and_a_change_without_a_new_version_shows(tmp_path: Path) -> None:
    first = loaded(tmp_path, at_antwerp(assignee="anna"))
    second = loaded(tmp_path, at_antwerp(assignee="ben"))
    assert first.version == second.version
    assert first.name != second.name
    assert first.at("ANR").name.startswith(f"{first.version}/ANR ")


def test_a_site_has_the_centres_rules_with_its_own_on_top(tmp_path: Path) -> None:
    central = loaded(
        tmp_path,
        at_antwerp(
            assignee="anna",
            calendar={"zone": "Europe/Brussels", "hours": {"sat": ["08:00-12:00"]}, "holidays": {"country": "BE"}},
            approval={"value_thresholds": {"value": {"amount": 5000}}, "unknown_value": True},
            actions={"book_return": {"approval": ["customer_promise"]}},
            priority={"due_hours": {"P2": 2}},
            emergency={"contact": "oncall"},
        ),
    )
    site = central.at("ANR")
    assert (site.site, site.assignee, site.emergency.contact) == ("ANR", "anna", "oncall")
    assert str(site.approval.value_thresholds["value"]) == "5,000 EUR"
    assert site.calendar.hours["sat"] == ("08:00-12:00",)
    assert site.calendar.hours["mon"] == central.calendar.hours["mon"]
    assert site.priority.due_hours == {**central.priority.due_hours, "P2": 2}
    assert site.labels == central.labels
    assert central.at("GNT") is central


LOOSENING: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        "threshold up",
        {"approval": {"value_thresholds": {"value": {"amount": 20_000}}}},
        r"no higher than the centre's \(10,000 EUR",
    ),
    (
        "threshold in another currency",
        {"approval": {"value_thresholds": {"value": {"amount": 1, "currency": "GBP"}}}},
        "1 GBP",
    ),
    ("approval dropped", {"actions": {"reassign_carrier": {"approval": []}}}, "actions.reassign_carrier.approval"),
    ("approval swapped", {"actions": {"expedite": {"approval": ["premium_freight"]}}}, "hold all that the centre's"),
    ("label's approval dropped", {"labels": {"compliance_incident": {"approval": []}}}, "compliance_incident.approval"),
    ("regulated fields", {"approval": {"regulated": {"fields": ["un_number"]}}}, "regulated.fields"),
    ("an action of its own", {"actions": {"swap": {"title": "Move the load"}}}, "actions.swap.title: it is locked"),
    ("another title", {"actions": {"reassign_carrier": {"title": "Have a chat"}}}, "title: it is locked by the centre"),
    ("other steps", {"labels": {"damage": {"actions": ["answer_sender"]}}}, "labels.damage.actions: it is locked"),
    ("another approver's role", {"approval": {"reasons": {"value": {"role": "safety_officer"}}}}, "it is locked"),
    ("milder", {"labels": {"damage": {"severity": 0.1}}}, "no lower than the centre's"),
    ("later", {"priority": {"due_hours": {"P1": 1.5}}}, r"priority.due_hours.P1: it must be no higher"),
    ("weights", {"priority": {"weights": {"severity": 0.35, "certainty": 0.15}}}, "priority.weights: it is locked"),
    ("rates", {"exchange_rates": {"USD": 0.01}}, "exchange_rates: it is locked"),
    (
        "emergency widened",
        {"emergency": {"labels": ["compliance_incident", "damage"]}},
        "emergency.labels: it is locked",
    ),
    ("emergency surer", {"emergency": {"confidence": 0.1}}, "emergency.confidence: it must be no lower"),
    ("its own locks", {"local": {"exchange_rates": "free"}}, "local: it is locked"),
    ("wrong in itself", {"calendar": {"zone": "Mars"}}, r"sites.ANR.policy: calendar.zone: 'Mars' is no time zone"),
)


@pytest.mark.parametrize(("rules", "complaint"), [case[1:] for case in LOOSENING], ids=[case[0] for case in LOOSENING])
def test_a_site_cannot_loosen_what_the_centre_locks(tmp_path: Path, rules: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as error:
        loaded(tmp_path, at_antwerp(**rules))
    assert "sites.ANR.policy" in str(error.value)


def test_a_threshold_in_the_sites_currency_is_compared_by_the_centres_rate(tmp_path: Path) -> None:
    def rates(d: Any) -> None:
        d["exchange_rates"] = {"EUR": 1, "GBP": 1.15}

    pounds = {"currency": "GBP"}
    lower = loaded(tmp_path, rates, at_antwerp(approval={"value_thresholds": {"value": {"amount": 8000, **pounds}}}))
    assert str(lower.at("ANR").approval.value_thresholds["value"]) == "8,000 GBP"
    with pytest.raises(ValueError, match="9,000 GBP is not"):
        loaded(tmp_path, rates, at_antwerp(approval={"value_thresholds": {"value": {"amount": 9000, **pounds}}}))


def test_without_a_local_table_a_site_may_set_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="assignee: it is locked by the centre"):
        loaded(tmp_path, lambda d: d.pop("local"), at_antwerp(assignee="anna"))


def test_the_site_comes_from_the_message_then_the_warehouse_then_the_mailbox(tmp_path: Path) -> None:
    def ghent(d: Any) -> None:
        d["sites"]["GNT"] = {"title": "Ghent", "mailboxes": ["ghent@example.com"]}

    policy = loaded(tmp_path, at_antwerp(), ghent)
    antwerp, ghents = "dispatch.anr@example.com", "GHENT@example.com"
    assert policy.site_of("anr", "X", [ghents]) == "ANR"
    assert policy.site_of(None, "WHA", [ghents]) == "ANR"
    assert policy.site_of(None, None, ["someone@example.com", antwerp]) == "ANR"
    assert policy.site_of(None, None, [antwerp, ghents]) is None
    assert policy.site_of("nonsense", "WHA") == "ANR"  # a name that nobody knows is no way around a site's rules
    assert policy.site_of("BRU", "X") == "BRU"
    assert policy.site_of(None, "X") == "X"
    assert policy.site_of(None, None) is None


def test_another_policy_file_takes_the_packaged_ones_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(tmp_path, lambda d: d.update(version="ours 7"))
    monkeypatch.setenv("TRIAGE_POLICY_FILE", str(tmp_path / "policy.yaml"))
    file = Settings(_env_file=None).policy_file
    assert file is not None
    assert load_policy(TAXONOMY, file).version == "ours 7"


def test_every_category_that_requests_may_go_to_is_known_for_the_set_up(tmp_path: Path) -> None:
    policy = loaded(tmp_path, at_antwerp(roles={"safety_officer": {"category": "Safety ANR"}}))
    assert policy.categories == {"Dispatch exception", "Safety ANR"}


# Working hours

BRUSSELS = Calendar.model_validate(
    {
        "zone": "Europe/Brussels",
        "hours": {day: ["08:00-12:00", "13:00-17:00"] for day in ["mon", "tue", "wed", "thu", "fri"]},
        "holidays": {"country": "BE", "also": ["2026-12-24"], "worked": ["2026-11-11"]},
    }
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-23T08:00", 2, "2026-11-23T10:00"),
        ("2026-11-23T10:00", 2, "2026-11-23T13:00"),  # over lunch
        ("2026-11-23T04:00", 1, "2026-11-23T08:00"),  # before opening
        ("2026-11-27T15:00", 4, "2026-11-30T10:00"),  # over the weekend
        ("2026-12-23T15:00", 2, "2026-12-28T08:00"),  # a day closed here, Christmas, Saturday, Sunday
        ("2026-11-10T15:30", 1, "2026-11-11T07:30"),  # Armistice Day, worked
        ("2026-03-27T15:00", 2, "2026-03-30T07:00"),  # the clocks went forward in between
        ("2026-11-23T15:00", 1, "2026-11-23T16:00"),  # just at closing time
    ],
)
def test_due_times_fall_into_working_hours(start: str, hours: float, due: str) -> None:
    assert after_working_hours(utc(start), hours, BRUSSELS) == utc(due)


def test_a_site_that_never_closes_counts_plain_hours_even_when_the_clocks_change() -> None:
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    always = Calendar.model_validate({"zone": "Europe/Brussels", "hours": {day: ["00:00-24:00"] for day in days}})
    for start in ("2026-03-28T20:00", "2026-10-24T20:00"):
        assert after_working_hours(utc(start), 30, always) - utc(start) == utc("2026-01-02T06:00") - utc("2026-01-01")


@given(
    start=st.datetimes(utc("2026-01-01").replace(tzinfo=None), utc("2030-01-01").replace(tzinfo=None)),
    hours=st.floats(0.05, 60),
    more=st.floats(0.05, 20),
)
def test_a_due_time_is_never_before_plain_hours_and_grows_with_the_hours(
    start: datetime, hours: float, more: float
) -> None:
    begin = start.replace(tzinfo=UTC)
    due = after_working_hours(begin, hours, BRUSSELS)
    # Timedeltas count whole microseconds.
    assert (due - begin).total_seconds() >= hours * 3600 - 1e-3
    assert after_working_hours(begin, hours + more, BRUSSELS) > due
