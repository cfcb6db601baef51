"""Staff set up links in the console: log-ins whose calendars are not chosen yet, and what a link has of its own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


# With defaults in the database, because the release before this one may still be writing.
def _of_link() -> list[sa.Column]:
    return [
        sa.Column("name", sa.String(), nullable=False, server_default=""),
        sa.Column("policy", _JSON, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("clearing", sa.String(), nullable=True),
    ]


def upgrade() -> None:
    for column in _of_link():
        op.add_column("calendar_link", column)
    is_looked_up = sa.Column("is_looked_up", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("practitioner", is_looked_up)
    op.create_table(
        "calendar_set_up",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("practitioner_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("auth", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name="fk_calendar_set_up_clinic_id_clinic"),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name="fk_calendar_set_up_practitioner_id_practitioner"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_set_up"),
    )
    op.create_index("ix_calendar_set_up_clinic_id", "calendar_set_up", ["clinic_id"])
    op.create_index("ix_calendar_set_up_created_at", "calendar_set_up", ["created_at"])


def downgrade() -> None:
    op.drop_table("calendar_set_up")
    # Not in a batch: that makes the table anew on SQLite, and dropping the old one takes what refers to it along.
    for column in _of_link():
        op.drop_column("calendar_link", column.name)
    op.drop_column("practitioner", "is_looked_up")
