# ruff: noqa
# mypy: ignore-errors
from . import approval
