"""What was taken in other calendars is known afterwards too: a replay meets it as it was."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # May be empty: of rows from before nobody knows, and the release before this one writes none.
    op.add_column("busy_interval", sa.Column("noted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "past_busy_interval",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("schedule_id", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedule.id"], name=op.f("fk_past_busy_interval_schedule_id_schedule")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_busy_interval")),
    )
    op.create_index("ix_past_busy_interval_schedule_id_ends_at", "past_busy_interval", ["schedule_id", "ends_at"])
    op.create_index("ix_past_busy_interval_gone_at", "past_busy_interval", ["gone_at"])


def downgrade() -> None:
    op.drop_table("past_busy_interval")
    op.drop_column("busy_interval", "noted_at")
