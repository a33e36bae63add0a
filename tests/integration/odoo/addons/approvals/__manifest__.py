# ruff: noqa
# mypy: ignore-errors
{
    "name": "Approvals (stand-in for tests)",
    "summary": "The public interface of Odoo's Enterprise app `approvals`, as its callers use it; its rules are a guess",
    "version": "11.0.1.0",
    "license": "Other OSI approved licence",
    "depends": ["mail", "product"],
    "data": ["security/ir.model.access.csv"],
}
