"""Transcripts are searched, noted and reviewed.

Short on a large database: columns without a default to fill in, and indexes over what is still empty; three seconds with
100,000 conversations and a million Turns, which are not touched. What was said before is gathered for the search afterwards,
by a duty, the latest first, in a quarter of an hour for so many. Until then such a conversation has no words (NULL), and the
list finds it by its patient and its number only. What the release before appends to a conversation that this one began is
found once its words are gathered anew.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_WORDS = sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql")
_PARTIAL = {
    "ix_conversation_needs_review": "needs_review",
    "ix_conversation_has_correction": "has_correction",
    "ix_conversation_ungathered": "words IS NULL",
}


def upgrade() -> None:
    op.add_column("conversation", sa.Column("words", _WORDS, nullable=True))
    op.add_column("conversation", sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("conversation", sa.Column("reviewed_by", sa.String(), nullable=True))
    # With a default in the database, because the release before this one may still be writing.
    op.add_column("conversation", sa.Column("has_correction", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, where in _PARTIAL.items():
        which = sa.text(where)
        op.create_index(name, "conversation", ["clinic_id", "last_turn_at"], postgresql_where=which, sqlite_where=which)
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            "ix_conversation_words", "conversation", ["words"],
            postgresql_using="gin", postgresql_with={"fastupdate": "off"},
        )  # fmt: skip
    op.create_index("ix_conversation_clinic_id_outcome", "conversation", ["clinic_id", "outcome", "last_turn_at"])
    op.create_index("ix_conversation_clinic_id_language", "conversation", ["clinic_id", "language", "last_turn_at"])
    _make_notes_tags_and_readings()
    _make_views()


def _make_notes_tags_and_readings() -> None:
    op.create_table(
        "conversation_note",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversation_note"),
        _of_conversation("conversation_note"),
    )
    op.create_index("ix_conversation_note_conversation_id", "conversation_note", ["conversation_id"])
    op.create_table(
        "conversation_tag",
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "tag", name="pk_conversation_tag"),
        _of_conversation("conversation_tag"),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name="fk_conversation_tag_clinic_id_clinic"),
    )
    op.create_index("ix_conversation_tag_clinic_id_tag", "conversation_tag", ["clinic_id", "tag"])
    op.create_table(
        "conversation_reading",
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("login", "conversation_id", name="pk_conversation_reading"),
        _of_conversation("conversation_reading"),
    )
    op.create_index("ix_conversation_reading_conversation_id", "conversation_reading", ["conversation_id"])


def _make_views() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
        sa.UniqueConstraint("clinic_id", "login", "name", name="uq_saved_view_clinic_id_login_name"),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name="fk_saved_view_clinic_id_clinic"),
    )
    op.create_table(
        "default_view",
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("view_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("login", name="pk_default_view"),
        sa.ForeignKeyConstraint(
            ["view_id"], ["saved_view.id"], name="fk_default_view_view_id_saved_view", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_default_view_view_id", "default_view", ["view_id"])


def _of_conversation(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_conversation_id_conversation"
    return sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    for table in ("default_view", "saved_view", "conversation_reading", "conversation_tag", "conversation_note"):
        op.drop_table(table)
    op.drop_index("ix_conversation_clinic_id_language", "conversation")
    op.drop_index("ix_conversation_clinic_id_outcome", "conversation")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_conversation_words", "conversation")
    for name in _PARTIAL:
        op.drop_index(name, "conversation")
    # Not in a batch: that makes the table anew on SQLite, and dropping the old one takes what refers to it along.
    for name in ("has_correction", "reviewed_by", "reviewed_at", "words"):
        op.drop_column("conversation", name)
