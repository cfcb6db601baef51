"""A conversation goes on over telephone and text, and each Turn says where it was held and what it cost."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OF_ITS_CONVERSATION = (
    "UPDATE turn SET {column} = (SELECT c.{column} FROM conversation c WHERE c.id = turn.conversation_id)"
)


def upgrade() -> None:
    # With defaults in the database, because the release before this one may still be writing.
    op.add_column("conversation", sa.Column("is_on_call", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("conversation", sa.Column("pick_up_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_conversation_pick_up_at", "conversation", ["pick_up_at"])

    op.add_column("turn", sa.Column("channel", sa.String(), nullable=False, server_default=""))
    op.add_column("turn", sa.Column("thread_hash", sa.String(), nullable=False, server_default=""))
    op.add_column("turn", sa.Column("tokens_in", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("turn", sa.Column("tokens_out", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("turn", sa.Column("cost", sa.Double(), nullable=True))
    op.execute(_OF_ITS_CONVERSATION.format(column="channel"))
    op.execute(_OF_ITS_CONVERSATION.format(column="thread_hash"))
    op.create_index("ix_turn_thread_hash_at", "turn", ["thread_hash", "at"])

    op.add_column("sms_message", sa.Column("conversation_id", sa.String(), nullable=True))
    op.create_index("ix_sms_message_conversation_id", "sms_message", ["conversation_id"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_sms_message_conversation_id", "sms_message")
    op.drop_index("ix_turn_thread_hash_at", "turn")
    op.drop_index("ix_conversation_pick_up_at", "conversation")
    with op.batch_alter_table("sms_message") as batch_op:
        batch_op.drop_column("conversation_id")
    with op.batch_alter_table("turn") as batch_op:
        for column in ("cost", "tokens_out", "tokens_in", "thread_hash", "channel"):
            batch_op.drop_column(column)
    with op.batch_alter_table("conversation") as batch_op:
        batch_op.drop_column("pick_up_at")
        batch_op.drop_column("is_on_call")
