"""Outcomes of Odoo beside people's feedback, bookmarks of what was read there, and callbacks to be sent."""

import sqlalchemy as sa
from alembic import op

from triage.store.tables import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("feedback") as feedback:
        feedback.add_column(sa.Column("source", sa.String(length=8), nullable=False, server_default="api"))
        feedback.add_column(sa.Column("publication_key", sa.String(length=80), nullable=True))
        feedback.add_column(sa.Column("decided_at", UtcDateTime(), nullable=True))
        feedback.create_index("feedback_outcome", ["publication_key", "verdict"], unique=True)
    op.create_table(
        "bookmark",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "callback",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_callback_message_id", "callback", ["message_id"], unique=False)
    op.create_index("callback_due", "callback", ["state", "next_at"], unique=False)
