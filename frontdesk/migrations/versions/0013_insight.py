"""Figures of a period are read by when things began, not by looking through all there is."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


_INDEXES = {
    "ix_appointment_clinic_id_created_at": ("appointment", ["clinic_id", "created_at"]),
    "ix_conversation_clinic_id_started_at": ("conversation", ["clinic_id", "started_at"]),
}


def upgrade() -> None:
    for name, (table, columns) in _INDEXES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, (table, _) in _INDEXES.items():
        op.drop_index(name, table)
