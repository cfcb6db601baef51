"""Patients are invited to their visits by e-mail, and practitioners may read theirs as a feed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clinic", sa.Column("email", sa.String(), nullable=True))
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("appointment_id", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("sender_name", sa.String(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("to_hash", sa.String(), nullable=False),
        sa.Column("to_name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
            name="fk_invitation_appointment_id_appointment",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name="fk_invitation_clinic_id_clinic"),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint(
            "appointment_id",
            "sequence",
            "status",
            "to_hash",
            name="uq_invitation_appointment_id_sequence_status_to_hash",
        ),
    )
    op.create_index("ix_invitation_state_due_at", "invitation", ["state", "due_at"])
    op.create_table(
        "calendar_feed",
        sa.Column("practitioner_id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name="fk_calendar_feed_clinic_id_clinic"),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name="fk_calendar_feed_practitioner_id_practitioner"
        ),
        sa.PrimaryKeyConstraint("practitioner_id", name="pk_calendar_feed"),
        sa.UniqueConstraint("secret_hash", name="uq_calendar_feed_secret_hash"),
    )
    op.create_index("ix_calendar_feed_clinic_id", "calendar_feed", ["clinic_id"])


def downgrade() -> None:
    op.drop_table("calendar_feed")
    op.drop_table("invitation")
    op.drop_column("clinic", "email")
