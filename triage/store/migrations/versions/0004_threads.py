"""Which messages belong to one thread, and which result another one has superseded."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("superseded_by", sa.String(length=40), nullable=True))
    op.create_table(
        "thread",
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"]),
        sa.PrimaryKeyConstraint("ref", "message_id"),
    )
    op.create_index("ix_thread_message_id", "thread", ["message_id"], unique=False)
