"""Calls are recorded where the clinic wants it and the caller said yes."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_OF_CALL = ("recording_consent", "consent_version", "thread_hash")


def upgrade() -> None:
    # With a default in the database, because the release before this one may still be writing.
    op.add_column("clinic", sa.Column("records_calls", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name in _OF_CALL:
        op.add_column("call", sa.Column(name, sa.String(), nullable=True))
    op.add_column("call", sa.Column("consent_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_call_thread_hash", "call", ["thread_hash"])
    op.create_table(
        "call_recording",
        sa.Column("recording_sid", sa.String(), nullable=False),
        sa.Column("call_sid", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("duration_s", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call_sid"], ["call.call_sid"], name="fk_call_recording_call_sid_call"),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name="fk_call_recording_clinic_id_clinic"),
        sa.PrimaryKeyConstraint("recording_sid", name="pk_call_recording"),
    )
    op.create_index("ix_call_recording_call_sid", "call_recording", ["call_sid"])


def downgrade() -> None:
    op.drop_table("call_recording")
    op.drop_index("ix_call_thread_hash", "call")
    op.drop_column("call", "consent_at")
    for name in reversed(_OF_CALL):
        op.drop_column("call", name)
    op.drop_column("clinic", "records_calls")
