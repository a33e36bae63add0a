"""What an administrator gives the bot, made by `triage odoo setup` and taken away by `--remove`.

The bot may read what `READABLE` names and write no business record. Odoo demands write access of whoever creates an
activity on a record, so the activities are created by server actions that only the bot's group may run: each checks
that the bot may read the record and then goes on as the superuser, with the few fields that its own code names.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from triage.errors import BadInput, OdooRefused
from triage.odoo.gateway import ACTION_NAME, ACTIVITY_MODELS, OUTCOMES_NAME, READABLE, related_id
from triage.odoo.publisher import ACTIVITY_TYPE, APPROVAL_TYPE
from triage.odoo.transport import Transport

# Everything made here has an external id in this module, which is no app: it is found again by it, and only by it
# removed. What was there before under the same name is used and left in place.
MODULE = "dispatch_triage"
NAME = "Dispatch triage"

# Odoo runs this in a sandbox, with the caller's rights but for what says sudo(). The caller's context is dropped
# before anything is created: its default_… entries would reach fields that are not on the list. Odoo 11 has no groups
# on server actions, so the code asks for the group itself. With the key alone it only searches: a bot that may not
# write a record does not see other people's activities on it in Odoo 17 and 18.
ACTION_CODE = """\
# Made by 'triage odoo setup'; changes made by hand are undone when it runs again.
given = env.context['triage_vals']
key = given['key']
answer = {}
if not env.user.has_group('dispatch_triage.group'):
    answer = {'refused': 'only the group Dispatch triage may run the action'}
else:
    activities = env['mail.activity'].sudo().with_context({'active_test': False})
    domain = [('create_uid', 'in', [env.uid, 1]), ('note', 'ilike', 'Ref: ' + key)]
    for activity in activities.search(domain, order='id'):
        words = ' '.join([part.split('>')[-1] for part in activity.note.split('<')]).split()
        if words[-2:] == ['Ref:', key] and not answer:
            answer = {'id': activity.id, 'res_model': activity.res_model, 'res_id': activity.res_id}
    if 'summary' in given and not answer:
        record = model.with_context(active_test=False).search([('id', '=', env.context['active_id'])])
        if not record:
            answer = {'refused': 'the record is gone, or the bot may not read it'}
        else:
            kind = env['ir.model'].sudo().search([('model', '=', model._name)])
            values = {'res_model_id': kind.id, 'res_id': record.id}
            for field in ('summary', 'note', 'user_id', 'date_deadline', 'activity_type_id'):
                if isinstance(given.get(field), (str, int)):
                    values[field] = given[field]
            activity = env['mail.activity'].sudo().with_context({}).create(values)
            answer = {'id': activity.id, 'res_model': model._name, 'res_id': record.id}
action = {'type': 'ir.actions.act_window_close', 'infos': answer}
"""

# What became of our items. A done activity is deleted in Odoo 11 to 18 (its trace is the message in the chatter, which
# ends with or holds its note, and so its key) and archived from 19 on. Only what carries a key of ours is told.
OUTCOMES_CODE = """\
# Made by 'triage odoo setup'; changes made by hand are undone when it runs again.
answer = {}
if not env.user.has_group('dispatch_triage.group'):
    answer = {'refused': 'only the group Dispatch triage may run the action'}
else:
    items = []
    for asked in env.context['triage_items'][:100]:
        key = asked['key']
        item = {'key': key, 'state': 'gone'}
        if asked['kind'] == 'approval' and 'approval.request' in env:
            requests = env['approval.request'].sudo().with_context({'active_test': False})
            domain = [('id', '=', asked['id']), ('reference', '=', key), ('create_uid', '=', env.uid)]
            for request in requests.search(domain):
                item['state'] = request.request_status
                people = []
                for vote in request.approver_ids:
                    if vote.status == request.request_status and vote.status in ('approved', 'refused'):
                        people.append(vote.user_id.partner_id.id)
                        if str(vote.write_date) >= item.get('at', ''):
                            item['at'] = str(vote.write_date)
                            item['by'] = vote.user_id.login
                domain = [('model', '=', 'approval.request'), ('res_id', '=', request.id)]
                domain = domain + [('message_type', '=', 'comment'), ('author_id', 'in', people)]
                for message in env['mail.message'].sudo().search(domain, order='id'):
                    item['comment'] = str(message.body)[:20000]
        if asked['kind'] == 'activity':
            done = env.ref('mail.mt_activities').id
            domain = [('model', '=', asked['model']), ('res_id', '=', asked['res_id']), ('subtype_id', '=', done)]
            domain = domain + [('body', 'ilike', 'Ref: ' + key)]
            for message in env['mail.message'].sudo().search(domain, order='id'):
                words = ' '.join([part.split('>')[-1] for part in str(message.body).split('<')]).split()
                if (' Ref: ' + key + ' ') in (' ' + ' '.join(words) + ' '):
                    item['state'] = 'done'
                    item['at'] = str(message.date)
                    item['by'] = message.author_id.name or ''
                    item['body'] = str(message.body)[:20000]
                    for user in message.author_id.user_ids:
                        item['by'] = user.login
            activities = env['mail.activity'].sudo().with_context({'active_test': False})
            domain = [('id', '=', asked['id']), ('create_uid', 'in', [env.uid, 1])]
            for activity in activities.search(domain):
                fields = activity._fields
                if 'active' not in fields or activity.active:
                    item['state'] = 'pending'
                elif 'date_done' not in fields or activity.date_done:
                    item['state'] = 'done'
                    item['at'] = item.get('at') or str(activity.write_date)
                    item['by'] = item.get('by') or activity.write_uid.login
                    if 'feedback' in fields:
                        item['feedback'] = str(activity.feedback or '')[:20000]
        items.append(item)
    answer = {'items': items}
action = {'type': 'ir.actions.act_window_close', 'infos': answer}
"""

# Odoo lets every internal user write some business records: move lines in Odoo 11, for one. A rule of the bot's group
# that no record fulfils takes that away, on every model that is not Odoo's own plumbing or the bot's own items.
_PLUMBING = ("ir.", "base", "bus.", "web", "mail.", "discuss.", "res.users", "approval.", "publisher_warranty.")
_NO_RECORD = "[('id', '=', 0)]"  # Odoo 11 drops a plain false

Row = dict[str, Any]
Verb = Literal["create", "change", "keep", "delete", "archive", "note"]


@dataclass(frozen=True)
class Step:
    """One thing done, or that a dry run would do; a `note` tells what a person should know or do."""

    verb: Verb
    what: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.verb:8}{self.what}{': ' + self.detail if self.detail else ''}"


@dataclass(frozen=True)
class Bot:
    """`password` and `email` are used where the user does not exist yet. `take_over`: make an existing one the bot."""

    login: str
    password: str | None = None
    email: str | None = None
    take_over: bool = False


class Setup:
    """One run, with an administrator's rights. Raises what the transport raises, and `BadInput` for a wrong login."""

    def __init__(self, admin: Transport, url: str, *, dry_run: bool = False) -> None:
        self._admin = admin
        self._url = url
        self._dry_run = dry_run
        self._steps: list[Step] = []
        data = self._rows("ir.model.data", [("module", "=", MODULE)], ["name", "model", "res_id"])
        self._ours: dict[str, tuple[str, int]] = {row["name"]: (row["model"], row["res_id"]) for row in data}
        self._wanted: set[str] = set()
        self._known_fields: dict[str, frozenset[str]] = {}

    def install(
        self, bot: Bot, categories: Sequence[str] = (ACTIVITY_TYPE,), approvers: Sequence[str] = ()
    ) -> list[Step]:
        """What was done, in order. A second run keeps all, mends what was changed and drops what is wanted no more."""
        wanted = sorted({*READABLE, "approval.category"})
        models = {row["model"]: row["id"] for row in self._rows("ir.model", [("model", "in", wanted)], ["model"])}
        group = self._ensure("group", "res.groups", NAME, {"name": NAME})
        for model in sorted(READABLE.keys() & models):
            rights = {"perm_read": True, "perm_write": False, "perm_create": False, "perm_unlink": False}
            values = {"name": f"{NAME} {model}", "model_id": models[model], "group_id": group, **rights}
            self._ensure(_name("read", model), "ir.model.access", f"read {model}", values)
        for model, number in self._open_to_everybody().items():
            rights = {"perm_read": False, "perm_write": True, "perm_create": True, "perm_unlink": True}
            values = {"name": f"{NAME} {model}", "model_id": number, "groups": frozenset({group}), **rights}
            self._ensure(_name("deny", model), "ir.rule", f"deny {model}", {**values, "domain_force": _NO_RECORD})
        for ours, name, icon in (
            ("activity_type", ACTIVITY_TYPE, "fa-truck"),
            ("approval_type", APPROVAL_TYPE, "fa-check-square-o"),
        ):
            self._ensure(
                ours, "mail.activity.type", name, {"name": name}, adopt=[("name", "=", name)], at_first={"icon": icon}
            )
        if "approval.category" in models:
            for category in categories:
                self._approvals(category, approvers)
        self._bot(bot, group)
        groups = self._groups_field("ir.actions.server")
        for model in sorted(ACTIVITY_MODELS & models.keys()):
            values = {"name": ACTION_NAME + model, "model_id": models[model], "state": "code", "code": ACTION_CODE}
            if groups:
                values[groups] = frozenset({group})
            self._ensure(_name("action", model), "ir.actions.server", ACTION_NAME + model, values)
        values = {"name": OUTCOMES_NAME, "model_id": models["mail.activity"], "state": "code", "code": OUTCOMES_CODE}
        if groups:
            values[groups] = frozenset({group})
        self._ensure(_name("action", "mail.activity"), "ir.actions.server", OUTCOMES_NAME, values)
        if groups is None:
            text = "server actions have no group in this version of Odoo; the code of ours checks the user's group"
            self._steps.append(Step("note", "server actions", text))
        self._drop_the_rest(group)
        return self._steps

    def remove(self) -> list[Step]:
        """Deletes what `install` made; what Odoo must keep because something refers to it is archived."""
        left = dict(self._ours)
        progress = True
        while left and progress:  # one record may hold another one back until it is gone itself
            progress = False
            for name in [*left]:
                if self._delete(name):
                    del left[name]
                    progress = True
        for name in sorted(left, key=self._ours.__getitem__, reverse=True):  # a user before its contact
            model, record = self._ours[name]
            what = f"{model} {record} ({name})"
            if "active" in self._fields(model):
                self._write(model, "write", [record], {"active": False})
                self._steps.append(Step("archive", what, "something still refers to it, so Odoo does not delete it"))
            else:
                self._steps.append(Step("keep", what, "something still refers to it, so Odoo does not delete it"))
        return self._steps

    def _approvals(self, name: str, approvers: Sequence[str]) -> None:
        users = self._rows("res.users", [("login", "in", list(approvers))], ["login"])
        unknown = set(approvers) - {user["login"] for user in users}
        if unknown:
            raise BadInput(f"Odoo has no user {', '.join(sorted(unknown))} to approve.", field="approver")
        commands = [(0, 0, {"user_id": user["id"]}) for user in users]
        at_first: Row = {"has_amount": "optional", "has_reference": "optional", "approver_ids": commands}
        ours = "approval_category" if name == ACTIVITY_TYPE else _name("approval_category", name)
        known = self._ours.get(ours)
        there = bool(known and self._rows("approval.category", [("id", "=", known[1])], ["name"]))
        self._ensure(
            ours,
            "approval.category",
            name,
            {"name": name},
            adopt=[("name", "=", name)],
            at_first=at_first,
        )
        if not approvers and not there and self._steps[-1].verb == "create":
            self._steps.append(Step("note", f"approval category {name}", "it has no approver yet; add one in Odoo"))

    def _bot(self, bot: Bot, group: int) -> None:
        allowed = {self._internal_user(), group}
        field = self._groups_field("res.users") or "groups_id"
        # Up to Odoo 18 a user's groups hold what they imply, too.
        users = self._rows("res.users", [("login", "=", bot.login)], ["login", field])
        if not users:
            companies = frozenset(row["id"] for row in self._rows("res.company", [], ["id"]))
            password = bot.password or secrets.token_urlsafe(24)
            email = bot.email or f"{bot.login}@{urlsplit(self._url).hostname}"
            values = {"name": NAME, "login": bot.login, field: frozenset(allowed)}
            at_first = {"password": password, "email": email, "company_ids": [(6, 0, sorted(companies))]}
            made = self._ensure("bot", "res.users", bot.login, values, at_first=at_first)
            if made:
                partner = self._rows("res.users", [("id", "=", made)], ["partner_id"])[0]["partner_id"]
                self._claim("bot_partner", "res.partner", related_id(partner) or 0)
                self._wanted.add("bot_partner")
            if not bot.password:
                shown = "made by the run itself" if self._dry_run else password
                self._steps.append(Step("note", "the bot's password, shown only now", shown))
        else:
            user = users[0]
            if user["id"] == self._admin.uid:
                raise BadInput("The bot must be another user than the administrator.", field="bot")
            more = set(user[field]) - self._implied(allowed)
            if more and not bot.take_over and self._ours.get("bot") != ("res.users", user["id"]):
                text = f"{bot.login} is a user who would lose {len(more)} groups; choose another login or --take-over."
                raise BadInput(text, field="bot")
            as_it_is = frozenset(user[field]) if allowed <= set(user[field]) and not more else frozenset(allowed)
            earlier = self._ours.get("bot", ("res.users", user["id"])) != ("res.users", user["id"])
            name = "another_bot" if earlier else "bot"  # by its own name the one of an earlier run would be found
            self._ensure(name, "res.users", bot.login, {field: as_it_is}, adopt=[("id", "=", user["id"])])
            if "bot_partner" in self._ours and not earlier:  # the contact of a user that we made
                self._ensure("bot_partner", "res.partner", f"of {bot.login}", {})

    def _open_to_everybody(self) -> dict[str, int]:
        """Business models that an internal user may write, with their ids."""
        groups = [False, *self._implied({self._internal_user()})]
        rights = ["|", "|", ("perm_write", "=", True), ("perm_create", "=", True), ("perm_unlink", "=", True)]
        domain = [("group_id", "in", groups), ("active", "=", True), *rights]
        ids = {related_id(row["model_id"]) or 0 for row in self._rows("ir.model.access", domain, ["model_id"])}
        models = self._rows("ir.model", [("id", "in", sorted(ids)), ("transient", "=", False)], ["model"])
        ours = {*READABLE} - {"mail.activity", "approval.request", "ir.attachment"}
        wanted = [row for row in models if row["model"] in ours or not row["model"].startswith(_PLUMBING)]
        return {row["model"]: row["id"] for row in wanted}

    def _internal_user(self) -> int:
        found = self._rows("ir.model.data", [("module", "=", "base"), ("name", "=", "group_user")], ["res_id"])
        return int(found[0]["res_id"])

    def _implied(self, groups: set[int]) -> set[int]:
        implies = {row["id"]: row["implied_ids"] for row in self._rows("res.groups", [], ["implied_ids"])}
        known: set[int] = set()
        while groups:
            known |= groups
            groups = {other for group in groups for other in implies.get(group, ())} - known
        return known

    def _drop_the_rest(self, group: int) -> None:
        """External ids of an earlier version, and rights that were added to our group by hand."""
        for name in self._ours.keys() - self._wanted:
            self._delete(name)
        ours = [record for model, record in self._ours.values() if model == "ir.model.access"]
        for row in self._rows("ir.model.access", [("group_id", "=", group), ("id", "not in", ours)], ["name"]):
            self._steps.append(
                Step("delete", f"ir.model.access {row['name']}", "not on the list of the group's rights")
            )
            self._write("ir.model.access", "unlink", [row["id"]])

    def _ensure(
        self,
        name: str,
        model: str,
        label: str,
        values: Row,
        *,
        adopt: Sequence[tuple[str, str, Any]] = (),
        at_first: Mapping[str, Any] | None = None,
    ) -> int:
        """The record's id (0 in a dry run that would create it). A frozenset stands for the ids of a many2many.

        `adopt` finds one that is there already and stays when ours is removed; `at_first` holds for creation only.
        """
        self._wanted.add(name)
        if "active" in self._fields(model):
            values = {**values, "active": True}
        what = f"{model} {label}"
        known = self._ours.get(name)
        rows = self._rows(model, [("id", "=", known[1])], [*values]) if known else []
        rows = rows or (self._rows(model, adopt, [*values]) if adopt else [])
        if not rows:
            self._steps.append(Step("create", what))
            if self._dry_run:
                return 0
            context = {"no_reset_password": True, "mail_create_nosubscribe": True}
            made = self._admin.call(
                model, "create", (_on_the_wire({**values, **(at_first or {})}),), {"context": context}
            )
            record = int(made[0] if isinstance(made, list) else made)
            self._claim(name, model, record)
            return record
        changed = {field: value for field, value in values.items() if _plain(rows[0][field], value) != value}
        if changed:
            self._write(model, "write", [rows[0]["id"]], _on_the_wire(changed))
        self._steps.append(Step("change" if changed else "keep", what, ", ".join(changed)))
        return int(rows[0]["id"])

    def _claim(self, name: str, model: str, record: int) -> None:
        """Its external id; a stale one of the same name is replaced."""
        self._ours[name] = (model, record)
        old = self._rows("ir.model.data", [("module", "=", MODULE), ("name", "=", name)], ["id"])
        self._write("ir.model.data", "unlink", [row["id"] for row in old])
        values = {"module": MODULE, "name": name, "model": model, "res_id": record, "noupdate": True}
        if not self._dry_run:
            self._admin.call("ir.model.data", "create", (values,), {})

    def _delete(self, name: str) -> bool:
        """Whether it is gone; False where Odoo refuses because something refers to it."""
        model, record = self._ours[name]
        there = self._rows(model, [("id", "=", record)], ["id"])
        try:
            self._write(model, "unlink", [record] if there else [])
        except OdooRefused:
            return False
        old = self._rows("ir.model.data", [("module", "=", MODULE), ("name", "=", name)], ["id"])
        self._write("ir.model.data", "unlink", [row["id"] for row in old])
        self._steps.append(Step("delete", f"{model} {record} ({name})"))
        return True

    def _write(self, model: str, method: str, ids: list[int], *values: Row) -> None:
        if ids and not self._dry_run:
            self._admin.call(model, method, (ids, *values), {})

    def _rows(self, model: str, domain: Sequence[Any], fields: Sequence[str]) -> list[Row]:
        """Archived ones, too; none where the app that brings the model has been removed."""
        form = {"domain": list(domain), "fields": list(fields), "context": {"active_test": False}}
        return list(self._admin.call(model, "search_read", (), form))

    def _groups_field(self, model: str) -> str | None:
        """It is called `group_ids` from Odoo 19 on; server actions have none in Odoo 11."""
        return next((field for field in ("group_ids", "groups_id") if field in self._fields(model)), None)

    def _fields(self, model: str) -> frozenset[str]:
        if model not in self._known_fields:
            self._known_fields[model] = frozenset(self._admin.call(model, "fields_get", (), {"attributes": ["type"]}))
        return self._known_fields[model]


def _name(kind: str, what: str) -> str:
    """An external id; in Odoo it is one word."""
    return f"{kind}_{re.sub(r'[^a-z0-9]+', '_', what.lower())}"


def _plain(value: Any, like: Any) -> Any:
    """As Odoo answers, in the form in which the wanted value is written."""
    if isinstance(like, frozenset):
        return frozenset(value)
    return related_id(value) if isinstance(value, (list, tuple)) else value


def _on_the_wire(values: Mapping[str, Any]) -> Row:
    return {
        field: [(6, 0, sorted(value))] if isinstance(value, frozenset) else value for field, value in values.items()
    }
