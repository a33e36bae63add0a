"""The policy as data: loaded once, checked whole, shown as it is by the API."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import yaml
from pydantic import Field, ValidationError, model_validator

from classifiers.taxonomy import Taxonomy
from extractors.message import Value
from triage.result import Priority

FILE = Path(__file__).with_name("policy.yaml")


class Money(Value):
    amount: float
    currency: str = Field(pattern="^[A-Z]{3}$")

    def __str__(self) -> str:
        return f"{self.amount:,.0f} {self.currency}"


class Confidence(Value):
    secondary_label: float = Field(ge=0, le=1)


class Weights(Value):
    severity: float
    urgency: float
    value: float
    certainty: float


class PriorityRules(Value):
    weights: Weights
    urgency_hours: dict[float, float]
    urgency_later: float
    urgency_unknown: float
    full_value: Money
    levels: dict[Priority, float]
    due_hours: dict[Priority, float]


class ApprovalRules(Value):
    category: str
    approver: str | None
    value_threshold: Money
    reasons: dict[str, str]


class Action(Value):
    title: str
    approval: str | None = None


class LabelRules(Value):
    severity: float = Field(ge=0, le=1)
    actions: tuple[str, ...]
    approval: str | None = None


class Policy(Value):
    """Raises ValueError on load when a name in it leads nowhere."""

    version: str
    confidence: Confidence
    priority: PriorityRules
    approval: ApprovalRules
    assignee: str | None
    actions: dict[str, Action]
    labels: dict[str, LabelRules]

    @model_validator(mode="after")
    def _names_lead_somewhere(self) -> Policy:
        for name, action in self.actions.items():
            if action.approval is not None and action.approval not in self.approval.reasons:
                raise ValueError(f"actions.{name}.approval: {action.approval!r} is not one of approval.reasons")
        for code, rules in self.labels.items():
            for name in rules.actions:
                if name not in self.actions:
                    raise ValueError(f"labels.{code}.actions: {name!r} is not one of actions")
            if rules.approval is not None and rules.approval not in self.approval.reasons:
                raise ValueError(f"labels.{code}.approval: {rules.approval!r} is not one of approval.reasons")
        return self

    @cached_property
    def urgency_steps(self) -> tuple[tuple[float, float], ...]:
        return tuple(sorted(self.priority.urgency_hours.items()))


def load_policy(taxonomy: Taxonomy, path: Path = FILE) -> Policy:
    """Raises ValueError that names the entry and the remedy."""
    try:
        policy = Policy.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise ValueError(f"{path}: {where or 'policy'}: {first['msg']}") from error
    missing = set(taxonomy.codes) ^ set(policy.labels)
    if missing:
        raise ValueError(f"{path}: labels and the taxonomy differ in {sorted(missing)}")
    return policy
