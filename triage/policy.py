"""The policy as data: loaded once, checked whole, shown as it is by the API; docs/policy.md explains its entries.

The centre's rules are the file itself. A site may override what `local` names, and only to the stricter side.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import ConfigDict, Field, ValidationError, model_validator

from classifiers.taxonomy import Taxonomy
from extractors.documents import DocumentType
from extractors.message import Value
from triage.result import Kind, Priority
from triage.working_time import Calendar

FILE = Path(__file__).with_name("policy.yaml")
ABSTAINED_ACTION = "look_at_it"
SOLVED_ACTION = "close_item"
PRIORITIES: tuple[Priority, ...] = ("P1", "P2", "P3", "P4")
# Found in a message or a record and not named by any action; the policy says in which words and who decides.
FOUND_REASONS = ("regulated_goods", "unknown_currency", "unknown_value")
LONGEST_WAIT = 26  # weeks: a due time beyond it is a slip of the pen
PROBLEMS_SHOWN = 5

Share = Annotated[float, Field(ge=0, le=1)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Direction = Literal["free", "lower", "higher", "more", "fewer"]
Path_ = tuple[Any, ...]


class Rules(Value):
    model_config = ConfigDict(allow_inf_nan=False)


class Money(Rules):
    amount: float = Field(ge=0)
    currency: Currency

    def __str__(self) -> str:
        return money_text(self.amount, self.currency)


def money_text(amount: float, currency: str) -> str:
    """For people; cents only where there are any."""
    return f"{f'{amount:,.2f}'.removesuffix('.00')} {currency}"


class Filing(Rules):
    """From which confidence of which classifier a label may stand unseen; from none where nothing was proven."""

    classifier: str
    threshold: Share | None


class Confidence(Rules):
    """`thresholds` is a file of `triage eval run --split calibration`, beside the policy; `filing` is read from it."""

    secondary_label: Share
    accepted_error: Share | None = None
    thresholds: str | None = None
    filing: Filing | None = None

    def may_stand(self, classifier: str, confidence: float) -> bool:
        """Whether a label needs nobody's look: without thresholds always, else where the accepted error is proven."""
        if self.filing is None:
            return True
        proven = self.filing.threshold if self.filing.classifier == classifier else None
        return proven is not None and confidence >= proven


class Weights(Rules):
    severity: Share
    urgency: Share
    value: Share
    customer: Share
    evidence: Share
    certainty: Share


class Tier(Rules):
    score: Share
    tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class Customers(Rules):
    tiers: dict[str, Tier]
    otherwise: Share


class EvidenceRules(Rules):
    documents: dict[DocumentType, Share]
    costly_discrepancy: Share


class PriorityRules(Rules):
    weights: Weights
    urgency_hours: dict[float, Share]
    urgency_later: Share
    urgency_unknown: Share
    full_value: Money
    customers: Customers
    evidence: EvidenceRules
    levels: dict[Priority, Share]
    due_hours: dict[Priority, Annotated[float, Field(gt=0)]]
    round_the_clock: tuple[Priority, ...]

    def problems(self) -> Iterator[str]:
        total = sum(self.weights.model_dump().values())
        if abs(total - 1) > 1e-6:
            yield f"priority.weights: they sum to {total:g}; make that 1"
        for name, given in (("levels", self.levels), ("due_hours", self.due_hours)):
            if lacking := set(PRIORITIES) - set(given):
                yield f"priority.{name}: {', '.join(sorted(lacking))} is missing; add it"
        levels = [self.levels.get(priority, 0.0) for priority in PRIORITIES]
        if sorted(levels, reverse=True) != levels or levels[-1] != 0:
            yield "priority.levels: they must fall from P1 to P4, and P4 must be 0"
        due = [self.due_hours.get(priority, 0.0) for priority in PRIORITIES]
        if sorted(due) != due:
            yield "priority.due_hours: they must not fall from P1 to P4"
        if self.full_value.amount == 0:
            yield "priority.full_value.amount: it must be more than 0"
        for kind, owners in (
            ("tag", [(tag, tier) for tier, rules in self.customers.tiers.items() for tag in rules.tags]),
            ("name", [(name, tier) for tier, rules in self.customers.tiers.items() for name in rules.names]),
        ):
            yield from _shared(f"priority.customers.tiers: {kind}", owners)


class Role(Rules):
    """Who decides: the approval category in Odoo whose approvers they are, the login where Odoo has no approvals."""

    title: str
    category: str | None = None
    login: str | None = None


class Reason(Rules):
    """Why approval is needed; `text` may hold {value}, {threshold} and {currency}. `role` and `override` are roles."""

    text: str
    role: str
    override: str


class Regulated(Rules):
    fields: tuple[str, ...]
    documents: tuple[DocumentType, ...]


class ApprovalRules(Rules):
    category: str
    approver: str | None
    value_thresholds: dict[str, Money]
    unknown_value: bool
    regulated: Regulated
    reasons: dict[str, Reason]


class Emergency(Rules):
    """When a person may act before the approval: `allowed`, for these labels and actions, with a sign of danger."""

    allowed: bool
    labels: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    confidence: Share = 0.5
    item: Kind = "approval"
    contact: str | None = None
    signs: tuple[tuple[str, ...], ...] = ()

    @cached_property
    def sign(self) -> re.Pattern[str]:
        """Finds the first sign in a text; matches nothing where the policy has none."""
        words = [word for group in self.signs for word in group if word.strip("* ")]
        patterns = [re.escape(word.rstrip("*")) + (r"\w{0,30}" if word.endswith("*") else "") for word in words]
        return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)" if patterns else r"(?!)", re.IGNORECASE)


class Action(Rules):
    title: str
    approval: tuple[str, ...] = ()


class LabelRules(Rules):
    severity: Share
    actions: tuple[str, ...]
    approval: tuple[str, ...] = ()
    at_least: Priority | None = None


class Site(Rules):
    """A place with rules of its own: known by its code, its warehouses' codes in Odoo, and its mailboxes.

    `policy` has the form of the whole policy and holds only what differs.
    """

    title: str
    warehouses: tuple[str, ...] = ()
    mailboxes: tuple[str, ...] = ()
    policy: dict[str, Any] = {}


class Policy(Rules):
    """What is in force at the centre, or, with `site`, at one site. Raises ValueError where a name leads nowhere."""

    version: str = Field(min_length=1)
    sha256: str = ""  # of the file, so that a change without a new version shows
    site: str | None = None
    confidence: Confidence
    priority: PriorityRules
    calendar: Calendar
    exchange_rates: dict[Currency, Annotated[float, Field(gt=0)]] = {}
    roles: dict[str, Role]
    approval: ApprovalRules
    emergency: Emergency
    assignee: str | None
    actions: dict[str, Action]
    labels: dict[str, LabelRules]
    local: dict[str, Direction] = {}
    sites: dict[str, Site] = {}

    @model_validator(mode="after")
    def _names_lead_somewhere(self) -> Policy:
        if problems := list(self._problems()):
            raise ValueError("; ".join(problems[:PROBLEMS_SHOWN]))
        return self

    def _problems(self) -> Iterator[str]:
        yield from self.priority.problems()
        longest = max(self.priority.due_hours.values(), default=0) / self.calendar.hours_a_week
        if longest > LONGEST_WAIT:
            yield f"priority.due_hours: by calendar.hours that is {longest:.0f} weeks; take at most {LONGEST_WAIT}"
        reasons, roles = self.approval.reasons, self.roles
        yield from _unknown("approval.reasons", FOUND_REASONS, reasons, "is missing; add it")
        thresholds = list(self.approval.value_thresholds)
        yield from _unknown("approval.value_thresholds", thresholds, reasons, "is not one of approval.reasons")
        for name, reason in reasons.items():
            yield from _unknown(f"approval.reasons.{name}.role", [reason.role], roles, "is not one of roles")
            yield from _unknown(f"approval.reasons.{name}.override", [reason.override], roles, "is not one of roles")
            try:
                reason.text.format(value="", threshold="", currency="")
            except (KeyError, IndexError, ValueError, AttributeError):
                yield f"approval.reasons.{name}.text: only {{value}}, {{threshold}} and {{currency}} may stand in it"
        for name, action in self.actions.items():
            yield from _unknown(f"actions.{name}.approval", action.approval, reasons, "is not one of approval.reasons")
        yield from _unknown("actions", [ABSTAINED_ACTION, SOLVED_ACTION], self.actions, "is missing; add it")
        for code, rules in self.labels.items():
            yield from _unknown(f"labels.{code}.actions", rules.actions, self.actions, "is not one of actions")
            yield from _unknown(f"labels.{code}.approval", rules.approval, reasons, "is not one of approval.reasons")
        yield from _unknown("emergency.labels", self.emergency.labels, self.labels, "is not one of labels")
        yield from _unknown("emergency.actions", self.emergency.actions, self.actions, "is not one of actions")
        paths = list(_paths(self.model_dump(exclude={"sites", "local"})))
        for pattern, rule in self.local.items():
            entries = [_entry(self, path) for path in paths if _fits(pattern, path)]
            if not entries:
                yield f"local.{pattern}: it leads to no entry of the policy; check its spelling"
            elif rule != "free" and not all(isinstance(entry, _COMPARED[rule]) for entry in entries):
                what = "numbers" if rule in ("lower", "higher") else "lists"
                yield f"local.{pattern}: {rule} is for {what} alone; say free, or take it out"
        sites = self.sites.items()
        yield from _shared("sites: the code", [(n, code) for code, site in sites for n in (code, *site.warehouses)])
        yield from _shared("sites: the mailbox", [(n, code) for code, site in sites for n in site.mailboxes])

    # Sites

    @cached_property
    def by_site(self) -> dict[str, Policy]:
        """What is in force at each site. Raises ValueError where one says what only the centre may, or loosens it."""
        return {code: self._at_site(code, site) for code, site in self.sites.items()}

    def _at_site(self, code: str, site: Site) -> Policy:
        centre = self.model_dump(exclude={"sites", "site"})
        try:
            local = Policy.model_validate(_merged(centre, site.policy) | {"site": code})
        except ValidationError as error:
            raise ValueError("; ".join(f"sites.{code}.policy: {problem}" for problem in _told(error))) from error
        if problems := list(self._loosened(site.policy, (), local)):
            raise ValueError("; ".join(f"sites.{code}.policy.{problem}" for problem in problems[:PROBLEMS_SHOWN]))
        return local

    def _loosened(self, given: Mapping[str, Any], at: Path_, local: Policy) -> Iterator[str]:
        for name, value in given.items():
            path = (*at, name)
            here = ".".join(map(str, path))
            rule = next((rule for pattern, rule in self.local.items() if _fits(pattern, path)), None)
            if rule is not None:
                if rule != "free" and not self._keeps(rule, _entry(self, path), _entry(local, path)):
                    said = f"{_LOOSER[rule]} ({_shown(_entry(self, path))}), and {_shown(_entry(local, path))} is not"
                    yield f"{here}: {said}; tighten it, or take it out"
            elif isinstance(value, Mapping) and any(_fits_begin(pattern, path) for pattern in self.local):
                yield from self._loosened(value, path, local)
            else:
                yield f"{here}: it is locked by the centre; take it out, or have the centre name it under local"

    def _keeps(self, rule: Direction, centre: Any, local: Any) -> bool:
        if isinstance(centre, Money):
            amount = self.converted(local.amount, local.currency, centre.currency)
            # Without a rate between the two currencies nobody can tell, so it does not pass.
            return amount is not None and (amount <= centre.amount if rule == "lower" else amount >= centre.amount)
        if centre is None:  # an entry of the site's own
            return False
        if rule == "lower":
            return bool(local <= centre)
        if rule == "higher":
            return bool(local >= centre)
        return set(local) >= set(centre) if rule == "more" else set(local) <= set(centre)

    def at(self, site: str | None) -> Policy:
        """The rules of a site; those of the centre where it has none of its own."""
        return self.by_site.get(site or "", self)

    def site_of(self, said: str | None, warehouse: str | None, recipients: Sequence[str] = ()) -> str | None:
        """The site meant: what the message says, else its record's warehouse, else the mailbox that got it.

        A site of the policy goes before a name that it does not know. Mailboxes of two sites name none.
        """
        known = {name.casefold(): code for code, site in self.sites.items() for name in (code, *site.warehouses)}
        for name in (said, warehouse):
            if name and name.casefold() in known:
                return known[name.casefold()]
        boxes = {box.casefold(): code for code, site in self.sites.items() for box in site.mailboxes}
        addressed = {boxes[to.casefold()] for to in recipients if to.casefold() in boxes}
        return said or warehouse or (addressed.pop() if len(addressed) == 1 else None)

    # What the steps ask

    @property
    def name(self) -> str:
        """Version, site and the file's hash: what a result says it was made by."""
        return f"{self.version}{f'/{self.site}' if self.site else ''} {self.sha256[:12]}".strip()

    @cached_property
    def urgency_steps(self) -> tuple[tuple[float, float], ...]:
        return tuple(sorted(self.priority.urgency_hours.items()))

    @property
    def categories(self) -> frozenset[str]:
        """Every approval category of Odoo that the policy sends requests to, those of its sites included."""
        given = [self.approval.category, *(role.category for role in self.roles.values())]
        return frozenset(name for name in given if name).union(*(p.categories for p in self.by_site.values()))

    def converted(self, amount: float, currency: str | None, into: str) -> float | None:
        """None where there is no rate."""
        if currency == into:
            return amount
        rates = self.exchange_rates
        return amount * rates[currency] / rates[into] if currency in rates and into in rates else None


def load_policy(taxonomy: Taxonomy, path: Path = FILE) -> Policy:
    """Raises ValueError that names the file, the entry and the remedy."""
    try:
        content = path.read_bytes()
        data = yaml.load(content, Loader=_Loader)  # noqa: S506 - a safe loader
        if not isinstance(data, dict):
            raise ValueError("it must be a mapping that begins with version:")
        if given := {"site", "sha256"} & set(data):
            raise ValueError(f"{', '.join(sorted(given))}: the service sets this by itself; take it out")
        confidence = data.get("confidence")
        if isinstance(confidence, dict) and confidence.get("thresholds") is not None:
            measured = (path.parent / str(confidence["thresholds"])).read_bytes()
            confidence["filing"] = _filing(json.loads(measured), confidence.get("accepted_error"))
            content += measured
        data["sha256"] = hashlib.sha256(content).hexdigest()
        policy = Policy.model_validate(data)
        if unequal := set(taxonomy.codes) ^ set(policy.labels):
            raise ValueError(f"labels and the taxonomy differ in {sorted(unequal)}")
        _ = policy.by_site
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror}); check TRIAGE_POLICY_FILE") from error
    except ValidationError as error:
        raise ValueError(f"{path}: {'; '.join(_told(error))}") from error
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {error}") from error
    return policy


def _filing(measured: dict[str, Any], accepted: Any) -> dict[str, Any]:
    if measured.get("split") != "calibration":
        raise ValueError("confidence.thresholds: they must come from 'triage eval run --split calibration'")
    found = {float(error): entry["proven"]["threshold"] for error, entry in measured["accepted_error"].items()}
    if accepted not in found:
        raise ValueError(f"confidence.accepted_error: it must be one of {', '.join(f'{e:g}' for e in sorted(found))}")
    return {"classifier": measured["classifier"], "threshold": found[accepted]}


class _Loader(yaml.SafeLoader):
    """YAML that refuses what its standard lets pass: of an entry written twice, the first would be lost silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise ValueError(f"{key.value} stands twice (line {key.start_mark.line + 1}); take one out")
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


_REMEDIES = {
    "extra_forbidden": "it is not known; take it out or check its spelling",
    "missing": "it is missing; add it",
    "string_type": "it must be text; put it in quotes",
    "tuple_type": "it must be a list; write it as [one, two]",
}
_LOOSER = {
    "lower": "it must be no higher than the centre's",
    "higher": "it must be no lower than the centre's",
    "more": "it must hold all that the centre's holds",
    "fewer": "it must hold nothing that the centre's does not hold",
}
_COMPARED = {"lower": (int, float, Money), "higher": (int, float, Money), "more": (tuple,), "fewer": (tuple,)}


def _told(error: ValidationError) -> list[str]:
    """Each problem with the entry it stands in and the remedy."""
    problems = []
    for problem in error.errors(include_url=False)[:PROBLEMS_SHOWN]:
        where = ".".join(str(step) for step in problem["loc"] if step != "[key]")
        what = _REMEDIES.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")
        problems.append(f"{where}: {what}" if where else what)
    return problems


def _unknown(where: str, names: Sequence[str], known: Mapping[str, Any], problem: str) -> Iterator[str]:
    yield from (f"{where}: {name!r} {problem}" for name in names if name not in known)


def _shared(what: str, owners: Sequence[tuple[str, str]]) -> Iterator[str]:
    """What belongs to two owners, whatever its capitals."""
    first: dict[str, str] = {}
    for name, owner in owners:
        if first.setdefault(name.casefold(), owner) != owner:
            yield f"{what} {name!r} belongs to {first[name.casefold()]} and {owner}; leave it to one"


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for name, value in over.items():
        below = merged.get(name)
        merged[name] = _merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def _entry(policy: Policy, path: Path_) -> Any:
    """What stands at a path, or None where nothing does."""
    at: Any = policy
    for step in path:
        at = at.get(step) if isinstance(at, Mapping) else getattr(at, str(step), None)
    return at


def _paths(tree: Mapping[Any, Any], at: Path_ = ()) -> Iterator[Path_]:
    for name, value in tree.items():
        yield (*at, name)
        if isinstance(value, Mapping):
            yield from _paths(value, (*at, name))


def _fits(pattern: str, path: Path_) -> bool:
    steps = pattern.split(".")
    return len(steps) == len(path) and _fits_begin(pattern, path)


def _fits_begin(pattern: str, path: Path_) -> bool:
    return all(step in ("*", str(name)) for step, name in zip(pattern.split("."), path, strict=False))


def _shown(value: Any) -> str:
    if isinstance(value, Mapping | list | tuple):
        parts = [f"{k}: {v}" for k, v in value.items()] if isinstance(value, Mapping) else map(str, value)
        return f"[{', '.join(parts)}]"
    return str(value)
