"""Staff take over a conversation and give it back; what they write in it is a text that belongs to a Turn."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_MOMENTS = ("taken_at", "taken_until", "waits_since")


def upgrade() -> None:
    op.add_column("conversation", sa.Column("taken_by", sa.String(), nullable=True))
    for name in _MOMENTS:
        op.add_column("conversation", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_conversation_taken_until", "conversation", ["taken_until"])
    op.add_column("turn", sa.Column("staff", sa.String(), nullable=True))
    op.add_column("sms_message", sa.Column("turn_id", sa.String(), nullable=True))
    op.create_index("ix_sms_message_turn_id", "sms_message", ["turn_id"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_sms_message_turn_id", "sms_message")
    op.drop_column("sms_message", "turn_id")
    op.drop_column("turn", "staff")
    op.drop_index("ix_conversation_taken_until", "conversation")
    for name in (*_MOMENTS, "taken_by"):
        op.drop_column("conversation", name)
