"""What a decision rests on is kept with it: result.basis."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("result", sa.Column("basis", sa.JSON(), nullable=True))
