"""`triage odoo setup` on a real Odoo 11: a bot that may write no record of the business, and publishes all the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from extractors.message import RecordRef
from tests.integration.odoo.database import OdooDatabase, Shipment
from tests.integration.odoo.server import ADMIN
from triage.errors import BadInput, OdooRefused
from triage.odoo.cli import odoo_app
from triage.odoo.gateway import READABLE, Gateway
from triage.odoo.records import OdooRecords
from triage.odoo.rpc import OdooRpcTransport
from triage.odoo.setup import _PLUMBING, MODULE, Bot, Setup, Step
from triage.odoo.transport import NO_RIGHT
from triage.result import Draft

NEW = Bot("dispatch-bot", "dispatch-secret")
OWN_ITEMS = {"mail.activity", "approval.request", "ir.attachment"}  # what the service exists to create


def admin(odoo: OdooDatabase) -> OdooRpcTransport:
    return OdooRpcTransport(odoo.url, odoo.db, *ADMIN, timeout=60)


def install(odoo: OdooDatabase, bot: Bot = NEW, **options: Any) -> list[Step]:
    return Setup(admin(odoo), odoo.url, **options).install(bot, approvers=[odoo.approver])


def transport(odoo: OdooDatabase) -> OdooRpcTransport:
    return OdooRpcTransport(odoo.url, odoo.db, NEW.login, NEW.password or "")


def draft(shipment: Shipment, **changes: Any) -> Draft:
    values: dict[str, Any] = {
        "kind": "activity",
        "key": f"triage:msg_{shipment.id}",
        "record": RecordRef(model="stock.picking", id=shipment.id),
        "record_name": shipment.name,
        "summary": "[P1] Vehicle breakdown",
        "note": "<p>“broke down”</p>",
        "due": datetime(2026, 12, 1, 9, 0, tzinfo=UTC),
    }
    return Draft(**(values | changes))


def verbs(steps: list[Step]) -> set[str]:
    return {step.verb for step in steps}


@pytest.fixture(scope="module")
def ready(shared_odoo: OdooDatabase) -> OdooDatabase:
    """An Odoo on which the setup has made the bot `NEW`."""
    install(shared_odoo)
    return shared_odoo


def everything(odoo: OdooDatabase) -> list[tuple[str, int]]:
    models = ["res.groups", "res.users", "res.partner", "ir.model.access", "ir.rule", "ir.actions.server"]
    models += ["ir.model.data", "mail.activity.type", "approval.category"]
    find = {"context": {"active_test": False}}
    return [(m, i) for m in models for i in sorted(odoo.admin.execute_kw(m, "search", [[]], find))]


def test_a_dry_run_does_nothing_a_second_run_changes_nothing_and_remove_leaves_nothing(odoo: OdooDatabase) -> None:
    before = everything(odoo)
    planned = install(odoo, dry_run=True)
    assert everything(odoo) == before
    done = install(odoo)
    assert [(s.verb, s.what) for s in planned] == [(s.verb, s.what) for s in done]
    assert any("no group in this version" in step.detail for step in done)
    after = everything(odoo)
    assert verbs(install(odoo)) == {"keep", "note"}
    assert everything(odoo) == after
    assert verbs(Setup(admin(odoo), odoo.url, dry_run=True).remove()) == {"delete"}
    assert everything(odoo) == after
    assert verbs(Setup(admin(odoo), odoo.url).remove()) == {"delete"}
    assert everything(odoo) == before


def test_what_was_changed_by_hand_is_mended(odoo: OdooDatabase) -> None:
    install(odoo)
    group = odoo.search("ir.model.data", [["module", "=", MODULE], ["name", "=", "group"]], ["res_id"])[0]["res_id"]
    action = odoo.search("ir.actions.server", [["name", "=", "Dispatch triage: stock.picking"]], ["id"])[0]["id"]
    access = odoo.search("ir.model.access", [["group_id", "=", group], ["name", "ilike", "res.users"]], ["id"])[0]["id"]
    lines = odoo.search("ir.model", [["model", "=", "sale.order.line"]], ["id"])[0]["id"]
    odoo.write("ir.actions.server", action, code="record.unlink()")
    odoo.write("ir.model.access", access, perm_write=True)
    odoo.create("ir.model.access", name="by hand", model_id=lines, group_id=group, perm_write=True)
    changes = {(s.verb, s.what) for s in install(odoo) if s.verb not in ("keep", "note")}
    assert changes == {
        ("change", "ir.actions.server Dispatch triage: stock.picking"),
        ("change", "ir.model.access read res.users"),
        ("delete", "ir.model.access by hand"),
    }


def test_a_person_is_not_made_the_bot_by_a_slip_and_an_administrator_never(odoo: OdooDatabase) -> None:
    with pytest.raises(BadInput, match="--take-over"):
        install(odoo, Bot(odoo.dispatcher))
    with pytest.raises(BadInput, match="another user"):
        install(odoo, Bot("admin", take_over=True))
    with pytest.raises(BadInput, match="nobody to approve"):
        Setup(admin(odoo), odoo.url, dry_run=True).install(NEW, approvers=["nobody"])


def test_remove_archives_what_odoo_must_keep_and_the_next_setup_brings_it_back(odoo: OdooDatabase) -> None:
    install(odoo)
    shipment = odoo.make_shipment(order=None, responsible=None)
    odoo.publisher(Gateway(transport(odoo))).publish(draft(shipment))  # assigned to the bot itself
    steps = Setup(admin(odoo), odoo.url).remove()
    assert [s.what.split()[0] for s in steps if s.verb == "archive"] == ["res.users", "res.partner"]
    with pytest.raises(OdooRefused):
        transport(odoo).call("res.partner", "search", [[]], {})
    assert "change" in verbs(install(odoo))
    assert odoo.publisher(Gateway(transport(odoo))).publish(draft(shipment)).id


def a_field_of(odoo: OdooDatabase, model: str) -> str:
    """One that can be written with the value it has."""
    kinds = ("char", "text", "integer", "float", "boolean")
    fields = odoo.admin.execute_kw(model, "fields_get", [], {"attributes": ["type", "store", "readonly"]})
    plain = [n for n, f in fields.items() if f["type"] in kinds and f.get("store") and not f.get("readonly")]
    return sorted(plain, key=lambda name: (name != "name", name))[0] if plain else "create_date"


def refusal(bot: OdooRpcTransport, model: str, method: str, args: list[Any]) -> OdooRefused | None:
    try:
        bot.call(model, method, args, {})
    except OdooRefused as refused:
        return refused
    return None


def test_the_bot_may_write_no_record_of_the_business(ready: OdooDatabase) -> None:
    shipment = ready.make_shipment(tracking="1Z999AA10123456784")
    receipt = ready.make_shipment(order="purchase")
    bot = transport(ready)
    before = ready.stock_rows()
    with ready.server.postgres.connect(ready.db) as connection:
        query = "select model from ir_model join pg_tables on tablename = replace(model, '.', '_') where not transient"
        models = {model for (model,) in connection.execute(query)}
    business = {m for m in models if m in READABLE or not m.startswith(_PLUMBING)} - OWN_ITEMS
    refusals = 0
    for model in sorted(business):
        attempts: list[tuple[str, list[Any]]] = [("create", [{"name": "x"}])]
        field = a_field_of(ready, model)
        for row in ready.search(model, [], ["id", field])[:1]:
            attempts += [("write", [[row["id"]], {field: row[field]}]), ("unlink", [[row["id"]]])]
            if model in READABLE:
                assert bot.call(model, "search_read", [], {"domain": [["id", "=", row["id"]]], "fields": ["id"]}), model
        for method, args in attempts:
            refused = refusal(bot, model, method, args)
            assert refused is not None, f"the bot could {method} {model}"
            assert method != "write" or refused.code == NO_RIGHT, (model, refused)
            refusals += 1
    assert (len(business) > 90) and refusals > 200
    for method, ids in [
        ("action_done", [shipment.id]),
        ("action_cancel", [shipment.id]),
        ("message_post", [shipment.id]),
    ]:
        with pytest.raises(OdooRefused):
            bot.call("stock.picking", method, [ids], {})
    with pytest.raises(OdooRefused):
        bot.call("sale.order", "action_cancel", [[shipment.order_id]], {})
    with pytest.raises(OdooRefused):
        bot.call("purchase.order", "button_cancel", [[receipt.order_id]], {})
    assert ready.stock_rows() == before


def test_such_a_bot_publishes_finds_again_and_reads_what_matching_needs(ready: OdooDatabase) -> None:
    shipment = ready.make_shipment(tracking="JD0146000034", partner_reference="PO-4711")
    before = ready.stock_rows()
    gateway = Gateway(transport(ready))
    (record,) = OdooRecords(gateway).find({"purchase_order": ["PO-4711"]})
    assert (record.id, record.value, record.responsible, record.site) == (shipment.id, 1200.0, ready.dispatcher, "WH")
    lone = ready.make_shipment(order=None, price=25, quantity=4)
    (valued,) = OdooRecords(gateway).find({"delivery_order": [lone.name]})
    assert valued.value == 100.0
    before = ready.stock_rows()
    item = ready.publisher(gateway).publish(draft(shipment))
    assert ready.publisher(Gateway(transport(ready))).publish(draft(shipment)) == item
    elsewhere = draft(lone, key=draft(shipment).key, kind="approval")
    assert ready.publisher(gateway).publish(elsewhere) == item
    (activity,) = ready.activities(shipment.id)
    assert activity["id"] == item.id
    assert activity["user_id"][0] == ready.user_id(ready.dispatcher)
    assert activity["activity_type_id"][1] == "Dispatch exception"
    assert activity["note"].count("Ref: ") == 1
    approval = ready.publisher(gateway).publish(draft(lone, kind="approval", amount=100.0))
    assert ready.requests(f"triage:msg_{lone.id}")[0]["request_status"] == "pending"
    assert approval.kind == "approval"
    assert ready.stock_rows() == before


def test_the_action_itself_takes_no_more_than_its_fields_from_the_bots_own_credentials(ready: OdooDatabase) -> None:
    shipment = ready.make_shipment()
    bot = transport(ready)
    (action,) = bot.call("ir.actions.server", "search", [[["name", "=", "Dispatch triage: stock.picking"]]], {})
    context = {
        "active_model": "stock.picking",
        "active_id": shipment.id,
        "active_ids": [shipment.id],
        "default_feedback": "planted",
        "triage_vals": {
            "key": "triage:hostile",
            "summary": "s",
            "note": "<p>x<script>alert(1)</script></p><p>Ref: triage:hostile</p>",
            "user_id": ready.user_id(ready.dispatcher),
            "date_deadline": "2026-12-01",
            "res_id": 1,
            "res_model_id": 1,
            "feedback": "planted",
            "create_uid": 5,
        },
    }
    made = bot.call("ir.actions.server", "run", [[action]], {"context": context})["infos"]
    (activity,) = ready.search("mail.activity", [["id", "=", made["id"]]], ["res_model", "res_id", "note", "feedback"])
    assert (activity["res_model"], activity["res_id"], activity["feedback"]) == ("stock.picking", shipment.id, False)
    assert "script" not in activity["note"]
    with pytest.raises(OdooRefused, match="AccessError"):
        bot.call("ir.actions.server", "write", [[action], {"code": "pass"}], {})


def test_a_record_that_is_gone_is_refused_in_words_and_others_may_not_run_the_action(ready: OdooDatabase) -> None:
    shipment = ready.make_shipment(order=None)
    ready.admin.execute_kw("stock.picking", "action_cancel", [[shipment.id]])
    ready.admin.execute_kw("stock.picking", "unlink", [[shipment.id]])
    with pytest.raises(OdooRefused, match="the record is gone"):
        ready.publisher(Gateway(transport(ready))).publish(draft(shipment))
    stranger = ready.publisher(Gateway(ready.transport()))  # may even write pickings
    with pytest.raises(OdooRefused, match="only the group"):
        stranger.publish(draft(ready.make_shipment()))


def run(odoo: OdooDatabase, *arguments: str, bot: Bot) -> Result:
    """`triage odoo …` as an operator runs it."""
    environment = odoo.settings() | {"TRIAGE_ODOO_LOGIN": bot.login, "TRIAGE_ODOO_PASSWORD": bot.password or ""}
    environment |= {"TRIAGE_ODOO_ADMIN_LOGIN": ADMIN[0], "TRIAGE_ODOO_ADMIN_PASSWORD": ADMIN[1]}
    return CliRunner().invoke(odoo_app, arguments, env=environment)


def test_check_is_red_before_the_setup_and_no_longer_after_it(odoo: OdooDatabase) -> None:
    odoo.make_shipment(two_deliveries=True)
    bot = Bot(odoo.login, odoo.password)
    before = run(odoo, "check", "--json", bot=bot)
    assert before.exit_code == 1, before.output
    found = {(f["level"], f["code"], f["text"]) for f in json.loads(before.stdout)["findings"]}
    assert ("red", "too_many_rights", "the bot may write stock.picking; run triage odoo setup.") in found
    assert any("stock.move.line" in text for _, _, text in found)
    assert any(code == "no_server_action" for _, code, _ in found)
    refused = run(odoo, "setup", bot=bot)
    assert refused.exit_code == 2 and "--take-over" in refused.stderr, refused.output
    done = run(odoo, "setup", "--take-over", bot=bot)
    assert done.exit_code == 0, done.output
    assert ADMIN[1] not in done.output.replace("administrator", "").split()
    after = run(odoo, "check", "--json", bot=bot)
    assert after.exit_code == 0, after.output
    amber = {f["text"].split(",")[0] for f in json.loads(after.stdout)["findings"] if f["level"] == "amber"}
    assert amber == {
        "the bot may write",  # payment.transaction, of which there is none to try its rule on
        "Odoo 11.0 is older than 14",
    }
    assert "green" in run(odoo, "check", bot=bot).stdout


def test_check_says_red_where_the_login_is_wrong_or_nobody_answers(odoo: OdooDatabase) -> None:
    wrong = run(odoo, "check", bot=Bot(odoo.login, "wrong"))
    assert wrong.exit_code == 1
    assert "TRIAGE_ODOO_LOGIN" in wrong.stdout
    odoo.stop()
    try:
        down = run(odoo, "check", "--json", bot=NEW)
    finally:
        odoo.start()
    assert down.exit_code == 1
    assert json.loads(down.stdout)["findings"][0]["code"] == "odoo_unavailable"
