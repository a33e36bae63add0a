"""What people do in a real Odoo 11 comes back as feedback, read by a bot that may write nothing there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from extractors.message import Message
from tests.integration.odoo.database import OdooDatabase, Shipment
from tests.integration.odoo.server import APPROVER, DISPATCHER
from tests.integration.odoo.test_odoo_setup import draft, install, transport
from triage.errors import OdooRefused
from triage.odoo.gateway import Gateway
from triage.odoo.outcomes import UNKNOWN, feedback_text, pull_outcomes
from triage.result import Draft
from triage.store.database import create_engine, migrate
from triage.store.files import Files
from triage.store.store import Store


@pytest.fixture(scope="module")
def ready(shared_odoo: OdooDatabase) -> OdooDatabase:
    install(shared_odoo)
    return shared_odoo


@pytest.fixture
def store(tmp_path: Path) -> Store:
    engine = create_engine(f"sqlite:///{tmp_path / 'data' / 'triage.sqlite3'}")
    migrate(engine)
    return Store(engine, Files(tmp_path / "data" / "files"))


def clock() -> datetime:
    return datetime.now(UTC)


def publish(odoo: OdooDatabase, store: Store, shipment: Shipment, **changes: Any) -> tuple[str, Draft, int]:
    """A message whose item stands in Odoo: its id, the draft, the item's id."""
    with store.transaction() as connection:
        message = Message(channel="portal", text=f"{shipment.name} {changes}")
        accepted = store.accept(connection, message, header=None, original_sha256=None, now=clock())
    note = f"<p>“broke down”</p><p>Ref: triage:{accepted.id}</p>"
    what = draft(shipment, key=f"triage:{accepted.id}", note=note, **changes)
    item = odoo.publisher(Gateway(transport(odoo))).publish(what)
    with store.transaction() as connection:
        store.save_draft(connection, accepted.id, what, clock())
        store.save_item(connection, what.key, item, clock())
    return accepted.id, what, item.id


def as_person(odoo: OdooDatabase, person: tuple[str, str]) -> Any:
    return odoo.server.session(odoo.db, person)


def pull(odoo: OdooDatabase, store: Store) -> dict[str, int]:
    return pull_outcomes(Gateway(transport(odoo)), store, clock).new


NOTHING = {"done": 0, "cancelled": 0, "approved": 0, "refused": 0}


def test_done_with_feedback_and_cancelled_come_back_with_who_when_and_why(ready: OdooDatabase, store: Store) -> None:
    shipment = ready.make_shipment()
    done, _, activity = publish(ready, store, shipment)
    gone, _, dropped = publish(ready, store, ready.make_shipment())
    waiting, _, _ = publish(ready, store, ready.make_shipment())
    rows = ready.stock_rows()
    assert pull(ready, store) == NOTHING

    dana = as_person(ready, DISPATCHER)
    dana.execute_kw("mail.activity", "action_feedback", [[activity]], {"feedback": "Rebooked <b>with</b> Noorder"})
    dana.execute_kw("mail.activity", "unlink", [[dropped]])
    assert pull(ready, store) == NOTHING | {"done": 1, "cancelled": 1}
    assert pull(ready, store) == NOTHING
    (said,) = store.feedback(done)
    assert (said.verdict, said.by, said.source) == ("done", ready.dispatcher, "odoo")
    assert "Noorder" in said.comment and "Ref:" not in said.comment and "broke down" not in said.comment
    assert abs(said.decided_at - clock()) < timedelta(minutes=2)
    (said,) = store.feedback(gone)
    assert (said.verdict, said.by, said.comment) == ("cancelled", UNKNOWN, None)
    assert not store.feedback(waiting)
    activities, _ = store.decisions(clock() - timedelta(days=1), clock())
    assert (activities.open, activities.verdicts) == (1, {"cancelled": 1, "done": 1})
    assert activities.median_hours is not None and activities.median_hours < 1
    after = ready.stock_rows()
    assert after == rows


def test_approvals_come_back_with_the_approver_his_words_and_a_change_of_mind(
    ready: OdooDatabase, store: Store
) -> None:
    dear = {"kind": "approval", "amount": 25_000.0}
    yes, _, approved = publish(ready, store, ready.make_shipment(), **dear)
    no, _, refused = publish(ready, store, ready.make_shipment(), **dear)
    publish(ready, store, ready.make_shipment(), **dear)
    ari = as_person(ready, APPROVER)
    ari.execute_kw("approval.request", "action_approve", [[approved]])
    ari.execute_kw("approval.request", "action_refuse", [[refused]])
    words = {"body": "<p>The customer pays <i>no</i> premium freight</p>", "message_type": "comment"}
    ari.execute_kw("approval.request", "message_post", [[refused]], words)
    assert pull(ready, store) == NOTHING | {"approved": 1, "refused": 1}
    assert pull(ready, store) == NOTHING
    (said,) = store.feedback(yes)
    assert (said.verdict, said.by, said.comment) == ("approved", ready.approver, None)
    (said,) = store.feedback(no)
    assert (said.verdict, said.by) == ("refused", ready.approver)
    assert said.comment == "The customer pays no premium freight"

    ari.execute_kw("approval.request", "action_withdraw", [[refused]])
    assert pull(ready, store) == NOTHING
    ari.execute_kw("approval.request", "action_approve", [[refused]])
    assert pull(ready, store) == NOTHING | {"approved": 1}
    assert [said.verdict for said in store.feedback(no)] == ["refused", "approved"]
    _, approvals = store.decisions(clock() - timedelta(days=1), clock())
    assert (approvals.open, approvals.verdicts) == (1, {"approved": 2, "refused": 1})


def test_the_action_tells_a_stranger_nothing_and_nothing_of_what_is_not_ours(ready: OdooDatabase, store: Store) -> None:
    shipment = ready.make_shipment()
    _, what, activity = publish(ready, store, shipment)
    foreign = ready.create(
        "mail.activity",
        res_model_id=ready.search("ir.model", [["model", "=", "stock.picking"]], ["id"])[0]["id"],
        res_id=shipment.id,
        summary="payroll",
        note="<p>secret</p>",
    )
    dana = as_person(ready, DISPATCHER)
    dana.execute_kw("mail.activity", "action_feedback", [[foreign]], {"feedback": "secret words"})
    asked = {"kind": "activity", "key": "triage:msg_999999", "id": foreign, "model": "stock.picking"}
    asked["res_id"] = shipment.id
    gateway = Gateway(transport(ready))
    assert gateway.outcomes([asked]) == [{"key": "triage:msg_999999", "state": "gone"}]
    asked |= {"key": what.key, "id": activity}
    assert gateway.outcomes([asked]) == [{"key": what.key, "state": "pending"}]
    context = {"active_model": "mail.activity", "triage_items": [asked]}
    (action,) = ready.search("ir.actions.server", [["name", "=", "Dispatch triage outcomes"]], ["id"])
    answer = dana.execute_kw("ir.actions.server", "run", [[action["id"]]], {"context": context})
    assert "items" not in answer["infos"] and "refused" in answer["infos"]


def test_without_the_setup_it_says_what_to_do(odoo: OdooDatabase, store: Store) -> None:
    shipment = odoo.make_shipment()
    with store.transaction() as connection:
        message = Message(channel="portal", text="x")
        accepted = store.accept(connection, message, header=None, original_sha256=None, now=clock())
    what = draft(shipment, key=f"triage:{accepted.id}")
    item = odoo.publisher().publish(what)
    with store.transaction() as connection:
        store.save_draft(connection, accepted.id, what, clock())
        store.save_item(connection, what.key, item, clock())
    with pytest.raises(OdooRefused, match="triage odoo setup"):
        pull_outcomes(odoo.gateway(), store, clock)


def test_feedback_is_found_in_the_form_of_newer_versions_too() -> None:
    newer = (
        '<div><p><span class="fa fa-truck fa-fw"></span><span>Dispatch exception</span> done: [P1] late</p>'
        "<div>called them,<br>tomorrow 8:00</div>"
        '<div class="o_mail_note_title"><strong>Original note:</strong></div><div><p>quote</p><p>Ref: k</p></div></div>'
    )
    assert feedback_text(newer) == "called them, tomorrow 8:00"
    assert feedback_text(newer.replace("<div>called them,<br>tomorrow 8:00</div>", "")) == ""
    assert feedback_text("") == feedback_text(False) == feedback_text("<<<") == ""
