"""All tables of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "clinic",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("languages", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("transfer_to", sa.String(), nullable=True),
        sa.Column("rules", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("hidden_verticals", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("answers", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic")),
        sa.UniqueConstraint("key", name=op.f("uq_clinic_key")),
    )
    with op.batch_alter_table("clinic") as batch_op:
        batch_op.create_index(batch_op.f("ix_clinic_phone"), ["phone"], unique=False)

    op.create_table(
        "due_run",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_due_run")),
    )
    op.create_table(
        "inbox_entry",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_inbox_entry")),
    )
    op.create_table(
        "outbox_entry",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("aggregate_id", sa.String(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_entry")),
        sa.UniqueConstraint("event_id", name=op.f("uq_outbox_entry_event_id")),
    )
    with op.batch_alter_table("outbox_entry") as batch_op:
        batch_op.create_index("ix_outbox_entry_dispatched_at_id", ["dispatched_at", "id"], unique=False)

    op.create_table(
        "api_key",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_api_key_clinic_id_clinic")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_key_hash")),
    )
    with op.batch_alter_table("api_key") as batch_op:
        batch_op.create_index(batch_op.f("ix_api_key_clinic_id"), ["clinic_id"], unique=False)

    op.create_table(
        "bundle",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_bundle_clinic_id_clinic")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundle")),
    )
    op.create_table(
        "call",
        sa.Column("call_sid", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_s", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_call_clinic_id_clinic")),
        sa.PrimaryKeyConstraint("call_sid", name=op.f("pk_call")),
    )
    with op.batch_alter_table("call") as batch_op:
        batch_op.create_index(batch_op.f("ix_call_clinic_id"), ["clinic_id"], unique=False)

    op.create_table(
        "delivery",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("subscriber", sa.String(), nullable=False),
        sa.Column("aggregate_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("handouts", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["outbox_entry.id"], name=op.f("fk_delivery_entry_id_outbox_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("entry_id", "subscriber", name=op.f("uq_delivery_entry_id_subscriber")),
    )
    with op.batch_alter_table("delivery") as batch_op:
        batch_op.create_index("ix_delivery_state_due_at", ["state", "due_at"], unique=False)
        batch_op.create_index(
            "ix_delivery_subscriber_aggregate_id_entry_id", ["subscriber", "aggregate_id", "entry_id"], unique=False
        )

    op.create_table(
        "healthcare_service",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("aliases", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("reasons", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("duration_min", sa.Integer(), nullable=False),
        sa.Column("buffer_before_min", sa.Integer(), nullable=False),
        sa.Column("buffer_after_min", sa.Integer(), nullable=False),
        sa.Column("price", sa.String(), nullable=True),
        sa.Column("skills", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("resource_kinds", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("preparation", sa.String(), nullable=True),
        sa.Column("needs_confirmation", sa.Boolean(), nullable=False),
        sa.Column("longest_min", sa.Integer(), nullable=True),
        sa.Column("duration_step_min", sa.Integer(), nullable=True),
        sa.Column("step_keys", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("step_gap_min", sa.Integer(), nullable=False),
        sa.Column("group_minimum", sa.Integer(), nullable=True),
        sa.Column("group_maximum", sa.Integer(), nullable=True),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("prior_visit", sa.String(), nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_healthcare_service_clinic_id_clinic")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_healthcare_service")),
        sa.UniqueConstraint("clinic_id", "key", name=op.f("uq_healthcare_service_clinic_id_key")),
    )
    op.create_table(
        "location",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("aliases", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("transfer_to", sa.String(), nullable=True),
        sa.Column("directions", sa.String(), nullable=True),
        sa.Column("parking", sa.String(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("rules", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_location_clinic_id_clinic")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location")),
        sa.UniqueConstraint("clinic_id", "key", name=op.f("uq_location_clinic_id_key")),
    )
    with op.batch_alter_table("location") as batch_op:
        batch_op.create_index(batch_op.f("ix_location_phone"), ["phone"], unique=False)

    op.create_table(
        "opt_out",
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("value_hash", sa.String(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_opt_out_clinic_id_clinic")),
        sa.PrimaryKeyConstraint("clinic_id", "value_hash", name=op.f("pk_opt_out")),
    )
    op.create_table(
        "patient",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("birth_date", sa.Text(), nullable=True),
        sa.Column("birth_date_hash", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("is_placeholder", sa.Boolean(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_patient_clinic_id_clinic")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("clinic_id", "key", name=op.f("uq_patient_clinic_id_key")),
    )
    with op.batch_alter_table("patient") as batch_op:
        batch_op.create_index("ix_patient_clinic_id_birth_date_hash", ["clinic_id", "birth_date_hash"], unique=False)

    op.create_table(
        "practitioner",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("aliases", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("gender", sa.String(), nullable=True),
        sa.Column("languages", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("skills", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("bio", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("vertical", sa.String(), nullable=True),
        sa.Column("specialties", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("credentials", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("publications", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("rating", sa.Double(), nullable=True),
        sa.Column("reviews", sa.Integer(), nullable=False),
        sa.Column("visible_when_unavailable", sa.Boolean(), nullable=False),
        sa.Column("meeting_url", sa.String(), nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_practitioner_clinic_id_clinic")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practitioner")),
        sa.UniqueConstraint("clinic_id", "key", name=op.f("uq_practitioner_clinic_id_key")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_user_account_clinic_id_clinic")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("login", name=op.f("uq_user_account_login")),
    )
    with op.batch_alter_table("user_account") as batch_op:
        batch_op.create_index(batch_op.f("ix_user_account_clinic_id"), ["clinic_id"], unique=False)

    op.create_table(
        "appointment",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("service_id", sa.String(), nullable=False),
        sa.Column("practitioner_id", sa.String(), nullable=True),
        sa.Column("location_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=True),
        sa.Column("bundle_id", sa.String(), nullable=True),
        sa.Column("conversation_id", sa.String(), nullable=True),
        sa.Column("replaces_id", sa.String(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("cancel_reason", sa.String(), nullable=True),
        sa.Column("times_moved", sa.Integer(), nullable=False),
        sa.Column("overridden", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("override_reason", sa.String(), nullable=True),
        sa.Column("meeting_url", sa.String(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("wish", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("patient_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_appointment_ends_after_start")),
        sa.ForeignKeyConstraint(["bundle_id"], ["bundle.id"], name=op.f("fk_appointment_bundle_id_bundle")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_appointment_clinic_id_clinic")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_appointment_location_id_location")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_appointment_patient_id_patient")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_appointment_practitioner_id_practitioner")
        ),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["appointment.id"], name=op.f("fk_appointment_replaces_id_appointment")
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["healthcare_service.id"], name=op.f("fk_appointment_service_id_healthcare_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
        sa.UniqueConstraint("uid", name=op.f("uq_appointment_uid")),
    )
    with op.batch_alter_table("appointment") as batch_op:
        batch_op.create_index(batch_op.f("ix_appointment_bundle_id"), ["bundle_id"], unique=False)
        batch_op.create_index("ix_appointment_clinic_id_starts_at", ["clinic_id", "starts_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_appointment_conversation_id"), ["conversation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_appointment_patient_id"), ["patient_id"], unique=False)
        batch_op.create_index(
            "ix_appointment_practitioner_id_starts_at", ["practitioner_id", "starts_at"], unique=False
        )
        batch_op.create_index("ix_appointment_status_hold_expires_at", ["status", "hold_expires_at"], unique=False)

    op.create_table(
        "calendar_link",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("practitioner_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("last_ok_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_calendar_link_clinic_id_clinic")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_calendar_link_practitioner_id_practitioner")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_link")),
        sa.UniqueConstraint("practitioner_id", "url", name=op.f("uq_calendar_link_practitioner_id_url")),
    )
    with op.batch_alter_table("calendar_link") as batch_op:
        batch_op.create_index(batch_op.f("ix_calendar_link_clinic_id"), ["clinic_id"], unique=False)

    op.create_table(
        "closure",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_closure_location_id_location")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closure")),
    )
    with op.batch_alter_table("closure") as batch_op:
        batch_op.create_index(batch_op.f("ix_closure_location_id"), ["location_id"], unique=False)

    op.create_table(
        "contact_point",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("value_hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_contact_point_patient_id_patient"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_point")),
        sa.UniqueConstraint(
            "patient_id", "system", "value_hash", name=op.f("uq_contact_point_patient_id_system_value_hash")
        ),
    )
    with op.batch_alter_table("contact_point") as batch_op:
        batch_op.create_index("ix_contact_point_value_hash", ["value_hash"], unique=False)

    op.create_table(
        "conversation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("thread_hash", sa.String(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=True),
        sa.Column("caller_hash", sa.String(), nullable=True),
        sa.Column("patient_id", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("needs_review", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_turn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_conversation_clinic_id_clinic")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_conversation_patient_id_patient")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
    )
    with op.batch_alter_table("conversation") as batch_op:
        batch_op.create_index(batch_op.f("ix_conversation_caller_hash"), ["caller_hash"], unique=False)
        batch_op.create_index("ix_conversation_clinic_id_last_turn_at", ["clinic_id", "last_turn_at"], unique=False)
        batch_op.create_index("ix_conversation_ended_at_last_turn_at", ["ended_at", "last_turn_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_conversation_patient_id"), ["patient_id"], unique=False)
        batch_op.create_index("ix_conversation_thread_hash", ["thread_hash"], unique=False)

    op.create_table(
        "dated_opening",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=False),
        sa.Column("end_minute", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_dated_opening_location_id_location")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dated_opening")),
    )
    with op.batch_alter_table("dated_opening") as batch_op:
        batch_op.create_index(batch_op.f("ix_dated_opening_location_id"), ["location_id"], unique=False)

    op.create_table(
        "idempotent_answer",
        sa.Column("api_key_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_hash", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_key.id"], name=op.f("fk_idempotent_answer_api_key_id_api_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("api_key_id", "key", name=op.f("pk_idempotent_answer")),
    )
    with op.batch_alter_table("idempotent_answer") as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotent_answer_created_at"), ["created_at"], unique=False)

    op.create_table(
        "next_available",
        sa.Column("practitioner_id", sa.String(), nullable=False),
        sa.Column("service_id", sa.String(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_next_available_location_id_location")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_next_available_practitioner_id_practitioner")
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["healthcare_service.id"], name=op.f("fk_next_available_service_id_healthcare_service")
        ),
        sa.PrimaryKeyConstraint("practitioner_id", "service_id", "location_id", name=op.f("pk_next_available")),
    )
    op.create_table(
        "opening_hours",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=False),
        sa.Column("end_minute", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_opening_hours_location_id_location")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_hours")),
    )
    with op.batch_alter_table("opening_hours") as batch_op:
        batch_op.create_index(batch_op.f("ix_opening_hours_location_id"), ["location_id"], unique=False)

    op.create_table(
        "patient_change",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("before", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("after", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_patient_change_patient_id_patient"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_change")),
    )
    with op.batch_alter_table("patient_change") as batch_op:
        batch_op.create_index(batch_op.f("ix_patient_change_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "related_person",
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("by_patient_id", sa.String(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_patient_id"], ["patient.id"], name=op.f("fk_related_person_by_patient_id_patient"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_related_person_patient_id_patient"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("patient_id", "by_patient_id", name=op.f("pk_related_person")),
    )
    op.create_table(
        "resource",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_resource_clinic_id_clinic")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_resource_location_id_location")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource")),
        sa.UniqueConstraint("clinic_id", "key", name=op.f("uq_resource_clinic_id_key")),
    )
    op.create_table(
        "service_offering",
        sa.Column("practitioner_id", sa.String(), nullable=False),
        sa.Column("service_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_service_offering_practitioner_id_practitioner")
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["healthcare_service.id"], name=op.f("fk_service_offering_service_id_healthcare_service")
        ),
        sa.PrimaryKeyConstraint("practitioner_id", "service_id", name=op.f("pk_service_offering")),
    )
    op.create_table(
        "appointment_change",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("appointment_id", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("before", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("after", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
            name=op.f("fk_appointment_change_appointment_id_appointment"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment_change")),
    )
    with op.batch_alter_table("appointment_change") as batch_op:
        batch_op.create_index(batch_op.f("ix_appointment_change_appointment_id"), ["appointment_id"], unique=False)

    op.create_table(
        "participant",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("appointment_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=True),
        sa.Column("conversation_id", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("hold_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
            name=op.f("fk_participant_appointment_id_appointment"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_participant_patient_id_patient")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participant")),
        sa.UniqueConstraint("appointment_id", "patient_id", name=op.f("uq_participant_appointment_id_patient_id")),
    )
    with op.batch_alter_table("participant") as batch_op:
        batch_op.create_index(batch_op.f("ix_participant_conversation_id"), ["conversation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_participant_patient_id"), ["patient_id"], unique=False)
        batch_op.create_index("ix_participant_status_hold_expires_at", ["status", "hold_expires_at"], unique=False)

    op.create_table(
        "remote_object",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("link_id", sa.String(), nullable=False),
        sa.Column("appointment_id", sa.String(), nullable=False),
        sa.Column("href", sa.String(), nullable=True),
        sa.Column("etag", sa.String(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("pushed_hash", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
            name=op.f("fk_remote_object_appointment_id_appointment"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["link_id"], ["calendar_link.id"], name=op.f("fk_remote_object_link_id_calendar_link"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remote_object")),
        sa.UniqueConstraint("link_id", "appointment_id", name=op.f("uq_remote_object_link_id_appointment_id")),
    )
    with op.batch_alter_table("remote_object") as batch_op:
        batch_op.create_index(batch_op.f("ix_remote_object_appointment_id"), ["appointment_id"], unique=False)
        batch_op.create_index("ix_remote_object_state_changed_at", ["state", "changed_at"], unique=False)

    op.create_table(
        "schedule",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("practitioner_id", sa.String(), nullable=True),
        sa.Column("resource_id", sa.String(), nullable=True),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.CheckConstraint("(practitioner_id IS NULL) <> (resource_id IS NULL)", name=op.f("ck_schedule_one_actor")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_schedule_clinic_id_clinic")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_schedule_practitioner_id_practitioner")
        ),
        sa.ForeignKeyConstraint(["resource_id"], ["resource.id"], name=op.f("fk_schedule_resource_id_resource")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
        sa.UniqueConstraint("practitioner_id", name=op.f("uq_schedule_practitioner_id")),
        sa.UniqueConstraint("resource_id", "seat", name=op.f("uq_schedule_resource_id_seat")),
    )
    with op.batch_alter_table("schedule") as batch_op:
        batch_op.create_index(batch_op.f("ix_schedule_clinic_id"), ["clinic_id"], unique=False)

    op.create_table(
        "sms_message",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("to", sa.Text(), nullable=True),
        sa.Column("to_hash", sa.String(), nullable=True),
        sa.Column("sender", sa.String(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("appointment_id", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("offer_id", sa.String(), nullable=True),
        sa.Column("reply_to", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("vendor_sid", sa.String(), nullable=True),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
            name=op.f("fk_sms_message_appointment_id_appointment"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_sms_message_clinic_id_clinic")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_message")),
        sa.UniqueConstraint(
            "kind", "appointment_id", "revision", name=op.f("uq_sms_message_kind_appointment_id_revision")
        ),
        sa.UniqueConstraint("offer_id", name=op.f("uq_sms_message_offer_id")),
        sa.UniqueConstraint("reply_to", name=op.f("uq_sms_message_reply_to")),
        sa.UniqueConstraint("vendor_sid", name=op.f("uq_sms_message_vendor_sid")),
    )
    with op.batch_alter_table("sms_message") as batch_op:
        batch_op.create_index("ix_sms_message_state_due_at", ["state", "due_at"], unique=False)
        batch_op.create_index("ix_sms_message_to_hash_created_at", ["to_hash", "created_at"], unique=False)

    op.create_table(
        "staff_task",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("patient_id", sa.String(), nullable=True),
        sa.Column("appointment_id", sa.String(), nullable=True),
        sa.Column("conversation_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointment.id"], name=op.f("fk_staff_task_appointment_id_appointment")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_staff_task_clinic_id_clinic")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_staff_task_patient_id_patient")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_task")),
        sa.UniqueConstraint("subject", name=op.f("uq_staff_task_subject")),
    )
    with op.batch_alter_table("staff_task") as batch_op:
        batch_op.create_index("ix_staff_task_clinic_id_done_at", ["clinic_id", "done_at"], unique=False)

    op.create_table(
        "turn",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("message_key", sa.String(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("reply", sa.String(), nullable=False),
        sa.Column("commands", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("heard", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("acts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("writes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("results", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("catalogue_version", sa.Integer(), nullable=False),
        sa.Column("timings", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_turn_conversation_id_conversation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turn")),
        sa.UniqueConstraint("conversation_id", "number", name=op.f("uq_turn_conversation_id_number")),
    )
    with op.batch_alter_table("turn") as batch_op:
        batch_op.create_index("ix_turn_message_key", ["message_key"], unique=False)

    op.create_table(
        "waitlist_entry",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("service_id", sa.String(), nullable=False),
        sa.Column("practitioner_ids", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("location_ids", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("spans", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("replaces_id", sa.String(), nullable=True),
        sa.Column("conversation_id", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_waitlist_entry_clinic_id_clinic")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_waitlist_entry_patient_id_patient")),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["appointment.id"], name=op.f("fk_waitlist_entry_replaces_id_appointment")
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["healthcare_service.id"], name=op.f("fk_waitlist_entry_service_id_healthcare_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist_entry")),
    )
    with op.batch_alter_table("waitlist_entry") as batch_op:
        batch_op.create_index("ix_waitlist_entry_clinic_id_status", ["clinic_id", "status"], unique=False)
        batch_op.create_index(batch_op.f("ix_waitlist_entry_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "allocation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("appointment_id", sa.String(), nullable=False),
        sa.Column("schedule_id", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_allocation_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
            name=op.f("fk_allocation_appointment_id_appointment"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name=op.f("fk_allocation_schedule_id_schedule")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation")),
        sa.UniqueConstraint(
            "appointment_id",
            "schedule_id",
            "starts_at",
            name=op.f("uq_allocation_appointment_id_schedule_id_starts_at"),
        ),
    )
    with op.batch_alter_table("allocation") as batch_op:
        batch_op.create_index("ix_allocation_schedule_id_ends_at", ["schedule_id", "ends_at"], unique=False)

    op.create_table(
        "availability_rule",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("schedule_id", sa.String(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=False),
        sa.Column("end_minute", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("is_contingent", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["location.id"], name=op.f("fk_availability_rule_location_id_location")
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedule.id"], name=op.f("fk_availability_rule_schedule_id_schedule")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability_rule")),
    )
    with op.batch_alter_table("availability_rule") as batch_op:
        batch_op.create_index(batch_op.f("ix_availability_rule_schedule_id"), ["schedule_id"], unique=False)

    op.create_table(
        "busy_interval",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("schedule_id", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name=op.f("fk_busy_interval_schedule_id_schedule")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_busy_interval")),
    )
    with op.batch_alter_table("busy_interval") as batch_op:
        batch_op.create_index("ix_busy_interval_schedule_id_ends_at", ["schedule_id", "ends_at"], unique=False)

    op.create_table(
        "dated_work",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("schedule_id", sa.String(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=False),
        sa.Column("end_minute", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_dated_work_location_id_location")),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name=op.f("fk_dated_work_schedule_id_schedule")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dated_work")),
    )
    with op.batch_alter_table("dated_work") as batch_op:
        batch_op.create_index(batch_op.f("ix_dated_work_schedule_id"), ["schedule_id"], unique=False)

    op.create_table(
        "offer",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("hold_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["waitlist_entry.id"], name=op.f("fk_offer_entry_id_waitlist_entry"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["hold_id"], ["appointment.id"], name=op.f("fk_offer_hold_id_appointment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
    )
    with op.batch_alter_table("offer") as batch_op:
        batch_op.create_index(batch_op.f("ix_offer_entry_id"), ["entry_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_offer_hold_id"), ["hold_id"], unique=False)
        batch_op.create_index("ix_offer_status_expires_at", ["status", "expires_at"], unique=False)

    op.create_table(
        "time_off",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("schedule_id", sa.String(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_time_off_location_id_location")),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name=op.f("fk_time_off_schedule_id_schedule")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_off")),
    )
    with op.batch_alter_table("time_off") as batch_op:
        batch_op.create_index(batch_op.f("ix_time_off_schedule_id"), ["schedule_id"], unique=False)
    _forbid_overlaps()


def downgrade() -> None:
    with op.batch_alter_table("time_off") as batch_op:
        batch_op.drop_index(batch_op.f("ix_time_off_schedule_id"))

    op.drop_table("time_off")
    with op.batch_alter_table("offer") as batch_op:
        batch_op.drop_index("ix_offer_status_expires_at")
        batch_op.drop_index(batch_op.f("ix_offer_hold_id"))
        batch_op.drop_index(batch_op.f("ix_offer_entry_id"))

    op.drop_table("offer")
    with op.batch_alter_table("dated_work") as batch_op:
        batch_op.drop_index(batch_op.f("ix_dated_work_schedule_id"))

    op.drop_table("dated_work")
    with op.batch_alter_table("busy_interval") as batch_op:
        batch_op.drop_index("ix_busy_interval_schedule_id_ends_at")

    op.drop_table("busy_interval")
    with op.batch_alter_table("availability_rule") as batch_op:
        batch_op.drop_index(batch_op.f("ix_availability_rule_schedule_id"))

    op.drop_table("availability_rule")
    with op.batch_alter_table("allocation") as batch_op:
        batch_op.drop_index("ix_allocation_schedule_id_ends_at")

    op.drop_table("allocation")
    with op.batch_alter_table("waitlist_entry") as batch_op:
        batch_op.drop_index(batch_op.f("ix_waitlist_entry_patient_id"))
        batch_op.drop_index("ix_waitlist_entry_clinic_id_status")

    op.drop_table("waitlist_entry")
    with op.batch_alter_table("turn") as batch_op:
        batch_op.drop_index("ix_turn_message_key")

    op.drop_table("turn")
    with op.batch_alter_table("staff_task") as batch_op:
        batch_op.drop_index("ix_staff_task_clinic_id_done_at")

    op.drop_table("staff_task")
    with op.batch_alter_table("sms_message") as batch_op:
        batch_op.drop_index("ix_sms_message_to_hash_created_at")
        batch_op.drop_index("ix_sms_message_state_due_at")

    op.drop_table("sms_message")
    with op.batch_alter_table("schedule") as batch_op:
        batch_op.drop_index(batch_op.f("ix_schedule_clinic_id"))

    op.drop_table("schedule")
    with op.batch_alter_table("remote_object") as batch_op:
        batch_op.drop_index("ix_remote_object_state_changed_at")
        batch_op.drop_index(batch_op.f("ix_remote_object_appointment_id"))

    op.drop_table("remote_object")
    with op.batch_alter_table("participant") as batch_op:
        batch_op.drop_index("ix_participant_status_hold_expires_at")
        batch_op.drop_index(batch_op.f("ix_participant_patient_id"))
        batch_op.drop_index(batch_op.f("ix_participant_conversation_id"))

    op.drop_table("participant")
    with op.batch_alter_table("appointment_change") as batch_op:
        batch_op.drop_index(batch_op.f("ix_appointment_change_appointment_id"))

    op.drop_table("appointment_change")
    op.drop_table("service_offering")
    op.drop_table("resource")
    op.drop_table("related_person")
    with op.batch_alter_table("patient_change") as batch_op:
        batch_op.drop_index(batch_op.f("ix_patient_change_patient_id"))

    op.drop_table("patient_change")
    with op.batch_alter_table("opening_hours") as batch_op:
        batch_op.drop_index(batch_op.f("ix_opening_hours_location_id"))

    op.drop_table("opening_hours")
    op.drop_table("next_available")
    with op.batch_alter_table("idempotent_answer") as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotent_answer_created_at"))

    op.drop_table("idempotent_answer")
    with op.batch_alter_table("dated_opening") as batch_op:
        batch_op.drop_index(batch_op.f("ix_dated_opening_location_id"))

    op.drop_table("dated_opening")
    with op.batch_alter_table("conversation") as batch_op:
        batch_op.drop_index("ix_conversation_thread_hash")
        batch_op.drop_index(batch_op.f("ix_conversation_patient_id"))
        batch_op.drop_index("ix_conversation_ended_at_last_turn_at")
        batch_op.drop_index("ix_conversation_clinic_id_last_turn_at")
        batch_op.drop_index(batch_op.f("ix_conversation_caller_hash"))

    op.drop_table("conversation")
    with op.batch_alter_table("contact_point") as batch_op:
        batch_op.drop_index("ix_contact_point_value_hash")

    op.drop_table("contact_point")
    with op.batch_alter_table("closure") as batch_op:
        batch_op.drop_index(batch_op.f("ix_closure_location_id"))

    op.drop_table("closure")
    with op.batch_alter_table("calendar_link") as batch_op:
        batch_op.drop_index(batch_op.f("ix_calendar_link_clinic_id"))

    op.drop_table("calendar_link")
    with op.batch_alter_table("appointment") as batch_op:
        batch_op.drop_index("ix_appointment_status_hold_expires_at")
        batch_op.drop_index("ix_appointment_practitioner_id_starts_at")
        batch_op.drop_index(batch_op.f("ix_appointment_patient_id"))
        batch_op.drop_index(batch_op.f("ix_appointment_conversation_id"))
        batch_op.drop_index("ix_appointment_clinic_id_starts_at")
        batch_op.drop_index(batch_op.f("ix_appointment_bundle_id"))

    op.drop_table("appointment")
    with op.batch_alter_table("user_account") as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_account_clinic_id"))

    op.drop_table("user_account")
    op.drop_table("practitioner")
    with op.batch_alter_table("patient") as batch_op:
        batch_op.drop_index("ix_patient_clinic_id_birth_date_hash")

    op.drop_table("patient")
    op.drop_table("opt_out")
    with op.batch_alter_table("location") as batch_op:
        batch_op.drop_index(batch_op.f("ix_location_phone"))

    op.drop_table("location")
    op.drop_table("healthcare_service")
    with op.batch_alter_table("delivery") as batch_op:
        batch_op.drop_index("ix_delivery_subscriber_aggregate_id_entry_id")
        batch_op.drop_index("ix_delivery_state_due_at")

    op.drop_table("delivery")
    with op.batch_alter_table("call") as batch_op:
        batch_op.drop_index(batch_op.f("ix_call_clinic_id"))

    op.drop_table("call")
    op.drop_table("bundle")
    with op.batch_alter_table("api_key") as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_key_clinic_id"))

    op.drop_table("api_key")
    with op.batch_alter_table("outbox_entry") as batch_op:
        batch_op.drop_index("ix_outbox_entry_dispatched_at_id")

    op.drop_table("outbox_entry")
    op.drop_table("inbox_entry")
    op.drop_table("due_run")
    with op.batch_alter_table("clinic") as batch_op:
        batch_op.drop_index(batch_op.f("ix_clinic_phone"))

    op.drop_table("clinic")


def _forbid_overlaps() -> None:
    """Let the database itself refuse two live Allocations of one Schedule that overlap."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE allocation ADD CONSTRAINT ex_allocation_no_overlap"
            " EXCLUDE USING gist (schedule_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (live)"
        )
        return
    for event in ("insert", "update"):
        op.execute(
            f"""CREATE TRIGGER allocation_no_overlap_{event}
        BEFORE {event.upper()} ON allocation WHEN NEW.live BEGIN
    SELECT RAISE(ABORT, 'allocation overlaps a live one') WHERE EXISTS (
        SELECT 1 FROM allocation AS other
        WHERE other.schedule_id = NEW.schedule_id AND other.live AND other.id <> NEW.id
          AND other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at);
 END"""
        )
