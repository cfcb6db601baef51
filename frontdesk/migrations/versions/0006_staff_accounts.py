"""Staff have a role of their own kind, a language, and a second factor; what they look at is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Rows and releases before this one have neither.
    op.add_column("user_account", sa.Column("practitioner_id", sa.String(), nullable=True))
    op.add_column("user_account", sa.Column("language", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("user_account", "language")
    op.drop_column("user_account", "practitioner_id")
