# ruff: noqa
# mypy: ignore-errors
from . import models
