"""Tasks are told in the language of whoever reads them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Both may be empty: the release before this one still writes a text alone.
    op.add_column("staff_task", sa.Column("says", sa.String(), nullable=True))
    op.add_column("staff_task", sa.Column("details", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("staff_task", "details")
    op.drop_column("staff_task", "says")
