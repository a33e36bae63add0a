# ruff: noqa
# mypy: ignore-errors
"""The part of Enterprise's approvals that a client touches, for Odoo 11; written for tests, not taken from Odoo."""

from odoo import api, fields, models
from odoo.exceptions import UserError

ASKED_FOR = [("required", "Required"), ("optional", "Optional"), ("no", "None")]


def asked_for():
    return fields.Selection(ASKED_FOR, required=True, default="no")


class Category(models.Model):
    _name = "approval.category"
    _description = "Kind of approval"

    name = fields.Char(required=True)
    description = fields.Char()
    approval_minimum = fields.Integer(default=1)
    approver_ids = fields.One2many("approval.category.approver", "category_id")
    has_amount = asked_for()
    has_date = asked_for()
    has_location = asked_for()
    has_partner = asked_for()
    has_payment_method = asked_for()
    has_period = asked_for()
    has_product = asked_for()
    has_quantity = asked_for()
    has_reference = asked_for()
    requirer_document = fields.Selection(ASKED_FOR[:2], default="optional")


class CategoryApprover(models.Model):
    _name = "approval.category.approver"
    _description = "Who approves requests of a category"

    category_id = fields.Many2one("approval.category", required=True, ondelete="cascade")
    user_id = fields.Many2one("res.users", required=True)
    required = fields.Boolean()


class Request(models.Model):
    _name = "approval.request"
    _description = "Request for approval"
    _inherit = ["mail.thread", "mail.activity.mixin"]

    name = fields.Char()
    category_id = fields.Many2one("approval.category", required=True)
    request_owner_id = fields.Many2one("res.users", default=lambda self: self.env.user)
    reason = fields.Html()
    reference = fields.Char()
    amount = fields.Float()
    quantity = fields.Float()
    location = fields.Char()
    partner_id = fields.Many2one("res.partner")
    date = fields.Datetime()
    date_start = fields.Datetime()
    date_end = fields.Datetime()
    date_confirmed = fields.Datetime()
    approver_ids = fields.One2many("approval.approver", "request_id")
    request_status = fields.Selection(
        [
            ("new", "To submit"),
            ("pending", "Submitted"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("cancel", "Cancelled"),
        ],
        compute="_compute_request_status",
        store=True,
    )

    @api.depends("approver_ids.status", "category_id.approval_minimum")
    def _compute_request_status(self):
        for request in self:
            votes = request.approver_ids.mapped("status")
            if not votes or "new" in votes:
                request.request_status = "new"
            elif "refused" in votes or "cancel" in votes:
                request.request_status = "refused" if "refused" in votes else "cancel"
            else:
                enough = votes.count("approved") >= request.category_id.approval_minimum
                request.request_status = "approved" if enough else "pending"

    @api.model
    def create(self, values):
        request = super(Request, self).create(values)
        if not request.approver_ids:
            for rule in request.category_id.sudo().approver_ids:
                self.env["approval.approver"].sudo().create(
                    {"request_id": request.id, "user_id": rule.user_id.id, "required": rule.required}
                )
        return request

    def action_confirm(self):
        for request in self:
            needed = request.category_id.approval_minimum
            if len(request.approver_ids) < needed:
                raise UserError("This request needs %d approvers at least." % needed)
            request.sudo().approver_ids.write({"status": "pending"})
            request.sudo().write({"date_confirmed": fields.Datetime.now()})

    def action_approve(self, approver=None):
        self._vote("approved")

    def action_refuse(self, approver=None):
        self._vote("refused")

    def action_withdraw(self, approver=None):
        self._vote("pending")

    def action_draft(self):
        self.sudo().mapped("approver_ids").write({"status": "new"})

    def action_cancel(self):
        self.sudo().mapped("approver_ids").write({"status": "cancel"})

    def _vote(self, status):
        for request in self:
            own = request.sudo().approver_ids.filtered(lambda approver: approver.user_id.id == self.env.uid)
            if not own:
                raise UserError("Only an approver of this request can do that.")
            own.write({"status": status})


class Approver(models.Model):
    _name = "approval.approver"
    _description = "One approver's vote on a request"

    request_id = fields.Many2one("approval.request", ondelete="cascade")
    user_id = fields.Many2one("res.users", required=True)
    required = fields.Boolean()
    status = fields.Selection(
        [
            ("new", "New"),
            ("pending", "To approve"),
            ("waiting", "Waiting"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("cancel", "Cancelled"),
        ],
        default="new",
    )
