"""What a person should look at can be asked for: message.needs_review, of earlier messages as it was decided."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("needs_review", sa.Boolean(), nullable=True))
    op.create_index("message_review", "message", ["needs_review", "created_at"], unique=False)
    message = sa.table("message", sa.column("id"), sa.column("needs_review", sa.Boolean()))
    result = sa.table("result", sa.column("message_id"), sa.column("decision", sa.JSON()))
    decided = sa.select(result.c.decision["needs_review"].as_boolean()).where(result.c.message_id == message.c.id)
    op.execute(sa.update(message).values(needs_review=decided.scalar_subquery()))
