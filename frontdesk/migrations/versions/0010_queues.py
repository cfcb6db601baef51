"""Staff tasks have an owner, and patients what the desk knows of them."""

import sqlalchemy as sa
from alembic import op

from booking.name_words import searchable, sounding

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_AT_ONCE = 1000


def _of_task() -> list[sa.Column]:
    return [
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("owned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
    ]


# With defaults in the database, because the release before this one may still be writing.
def _of_patient() -> list[sa.Column]:
    return [
        sa.Column("name_words", sa.String(), nullable=False, server_default=""),
        sa.Column("name_sounds", sa.String(), nullable=False, server_default=""),
        sa.Column("block_reason", sa.Text(), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merged_into", sa.String(), nullable=True),
    ]


def upgrade() -> None:
    for column in _of_task():
        op.add_column("staff_task", column)
    op.create_index("ix_staff_task_patient_id", "staff_task", ["patient_id"])
    for column in _of_patient():
        op.add_column("patient", column)
    _fill_words()
    op.create_index("ix_patient_clinic_id_name_words_id", "patient", ["clinic_id", "name_words", "id"])
    op.create_index("ix_patient_clinic_id_name_sounds_id", "patient", ["clinic_id", "name_sounds", "id"])
    op.create_index("ix_patient_merged_into", "patient", ["merged_into"])
    _create_notes("task_note", of="staff_task", column="task_id")
    _create_notes("patient_note", of="patient", column="patient_id")
    op.create_table(
        "patient_merge",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kept_id", sa.String(), nullable=False),
        sa.Column("gone_id", sa.String(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by", sa.String(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kept_id"], ["patient.id"], name="fk_patient_merge_kept_id_patient", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["gone_id"], ["patient.id"], name="fk_patient_merge_gone_id_patient", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_patient_merge"),
        sa.UniqueConstraint("gone_id", name="uq_patient_merge_gone_id"),
    )
    op.create_index("ix_patient_merge_kept_id", "patient_merge", ["kept_id"])


def downgrade() -> None:
    for table in ("patient_merge", "patient_note", "task_note"):
        op.drop_table(table)
    op.drop_index("ix_patient_merged_into", "patient")
    op.drop_index("ix_patient_clinic_id_name_sounds_id", "patient")
    op.drop_index("ix_patient_clinic_id_name_words_id", "patient")
    # Not in a batch: that makes the table anew on SQLite, and dropping the old one takes what refers to it along.
    for column in _of_patient():
        op.drop_column("patient", column.name)
    op.drop_index("ix_staff_task_patient_id", "staff_task")
    for column in _of_task():
        op.drop_column("staff_task", column.name)


def _create_notes(table: str, *, of: str, column: str) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column(column, sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint([column], [f"{of}.id"], name=f"fk_{table}_{column}_{of}", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_{column}", table, [column])


def _fill_words() -> None:
    """Make the names that are there searchable, in parts: there may be many."""
    patient = sa.table("patient", *(sa.column(name) for name in ("id", "name", "name_words", "name_sounds")))
    written = (
        sa.update(patient)
        .where(patient.c.id == sa.bindparam("of_id"))
        .values(name_words=sa.bindparam("words"), name_sounds=sa.bindparam("sounds"))
    )
    after = ""
    while True:
        found = (
            op.get_bind()
            .execute(
                sa.select(patient.c.id, patient.c.name)
                .where(patient.c.id > after)
                .order_by(patient.c.id)
                .limit(_AT_ONCE)
            )
            .all()
        )
        if not found:
            return
        filled = [{"of_id": row.id, "words": searchable(row.name), "sounds": sounding(row.name)} for row in found]
        op.get_bind().execute(written, filled)
        after = found[-1].id
