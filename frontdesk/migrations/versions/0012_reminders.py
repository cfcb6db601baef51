"""Messages keep the diary full: reminders, mails that say what texts would, numbers that no text reaches, the clinic's wording."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    # With defaults in the database, because the release before this one may still be writing.
    op.add_column("clinic", sa.Column("messages", _JSON, nullable=False, server_default=sa.text("'{}'")))
    op.add_column("sms_message", sa.Column("earlier_sids", _JSON, nullable=False, server_default=sa.text("'[]'")))
    op.create_index("ix_sms_message_clinic_id_created_at", "sms_message", ["clinic_id", "created_at"])
    _create_reminder()
    _create_number_trouble()
    _create_patient_mail()


def _create_reminder() -> None:
    op.create_table(
        "reminder",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("appointment_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lead_s", sa.Integer(), nullable=False),
        sa.Column("number_hash", sa.String(), nullable=True),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name="fk_reminder_clinic_id_clinic"),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointment.id"], name="fk_reminder_appointment_id_appointment", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_reminder"),
        sa.UniqueConstraint("subject_id", "starts_at", "lead_s", name="uq_reminder_subject_id_starts_at_lead_s"),
    )
    op.create_index("ix_reminder_appointment_id", "reminder", ["appointment_id"])
    op.create_index("ix_reminder_message_id", "reminder", ["message_id"])
    op.create_index("ix_reminder_number_hash_told_at", "reminder", ["number_hash", "told_at"])


def _create_number_trouble() -> None:
    op.create_table(
        "number_trouble",
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("value_hash", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_code", sa.Integer(), nullable=True),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name="fk_number_trouble_clinic_id_clinic"),
        sa.PrimaryKeyConstraint("clinic_id", "value_hash", name="pk_number_trouble"),
    )


def _create_patient_mail() -> None:
    op.create_table(
        "patient_mail",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("sender_name", sa.String(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("to_hash", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("appointment_id", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name="fk_patient_mail_clinic_id_clinic"),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
            name="fk_patient_mail_appointment_id_appointment",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_patient_mail"),
        sa.UniqueConstraint("kind", "appointment_id", "revision", name="uq_patient_mail_kind_appointment_id_revision"),
    )
    op.create_index("ix_patient_mail_clinic_id", "patient_mail", ["clinic_id"])
    op.create_index("ix_patient_mail_state_due_at", "patient_mail", ["state", "due_at"])


def downgrade() -> None:
    op.drop_table("patient_mail")
    op.drop_table("number_trouble")
    op.drop_table("reminder")
    op.drop_index("ix_sms_message_clinic_id_created_at", "sms_message")
    # Not in a batch: that makes the table anew on SQLite, and dropping the old one takes what refers to it along.
    op.drop_column("sms_message", "earlier_sids")
    op.drop_column("clinic", "messages")
