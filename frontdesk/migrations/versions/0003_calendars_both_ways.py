"""Calendars are read as well as written, and the clinic says what follows from what happens in them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _at(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _flag(name: str, *, default: bool) -> sa.Column:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.true() if default else sa.false())


# With defaults in the database, because the release before this one may still be writing.
def _of_link() -> list[sa.Column]:
    return [
        sa.Column("auth", sa.String(), nullable=False, server_default="basic"),
        sa.Column("options", _JSON, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("webhook_secret", sa.Text(), nullable=True),
        _flag("reads_busy", default=True),
        _flag("shows_visits", default=True),
        _flag("all_day_is_busy", default=True),
        sa.Column("owner_addresses", _JSON, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("sync_token", sa.String(), nullable=True),
        _at("read_at"),
        _at("listed_at"),
        _at("unreachable_since"),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        _at("next_try_at"),
        _at("paused_at"),
        _at("lease_until"),
        _flag("takes_emptiness", default=False),
    ]


def _of_object() -> list[sa.Column]:
    return [
        sa.Column("uid", sa.String(), nullable=True),
        sa.Column("earlier_hrefs", _JSON, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("seen_hash", sa.String(), nullable=True),
        sa.Column("attempt_hash", sa.String(), nullable=True),
        _at("starts_at"),
        _at("ends_at"),
    ]


def upgrade() -> None:
    op.add_column("clinic", sa.Column("calendars", _JSON, nullable=False, server_default=sa.text("'{}'")))
    for column in _of_link():
        op.add_column("calendar_link", column)
    op.create_index("ix_calendar_link_next_try_at", "calendar_link", ["next_try_at"])
    with op.batch_alter_table("remote_object") as batch_op:
        for column in _of_object():
            batch_op.add_column(column)
        batch_op.alter_column("appointment_id", existing_type=sa.String(), nullable=True)
        batch_op.create_unique_constraint("uq_remote_object_link_id_href", ["link_id", "href"])
    # What was written there is what was last seen there.
    op.execute("UPDATE remote_object SET seen_hash = pushed_hash")

    op.create_table(
        "calendar_action",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("link_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("appointment_id", sa.String(), nullable=True),
        sa.Column("href", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["link_id"], ["calendar_link.id"], name="fk_calendar_action_link_id_calendar_link", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
            name="fk_calendar_action_appointment_id_appointment",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_action"),
    )
    op.create_index("ix_calendar_action_link_id_at", "calendar_action", ["link_id", "at"])
    op.create_index("ix_calendar_action_appointment_id", "calendar_action", ["appointment_id"])


def downgrade() -> None:
    op.drop_table("calendar_action")
    op.execute("DELETE FROM remote_object WHERE appointment_id IS NULL")
    op.execute("DELETE FROM busy_interval")
    with op.batch_alter_table("remote_object") as batch_op:
        batch_op.drop_constraint("uq_remote_object_link_id_href", type_="unique")
        batch_op.alter_column("appointment_id", existing_type=sa.String(), nullable=False)
        for column in _of_object():
            batch_op.drop_column(column.name)
    op.drop_index("ix_calendar_link_next_try_at", "calendar_link")
    # Not in a batch: that makes the table anew on SQLite, and dropping the old one takes what refers to it along.
    for column in _of_link():
        op.drop_column("calendar_link", column.name)
    op.drop_column("clinic", "calendars")
