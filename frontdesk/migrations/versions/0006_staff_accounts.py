"""Staff have a role of their own kind, a language, and a second factor; what they look at is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


# Rows and releases before this one have none of them.
def _of_account() -> list[sa.Column]:
    return [
        sa.Column("practitioner_id", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("switched_off_at", sa.DateTime(timezone=True), nullable=True),
    ]


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=f"fk_{table}_user_id_user_account")


def _of_clinic(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=f"fk_{table}_clinic_id_clinic")


def upgrade() -> None:
    for column in _of_account():
        op.add_column("user_account", column)
    _make_session()
    _make_second_factor()
    _make_password_link()
    op.create_table(
        "log_in_policy",
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("needs_second_factor", sa.Boolean(), nullable=False),
        _of_clinic("log_in_policy"),
        sa.PrimaryKeyConstraint("clinic_id", name="pk_log_in_policy"),
    )
    _make_access_entry()
    # Not named in any query since the release before this one. Nothing is indexed by it.
    op.drop_column("remote_object", "uid")


def _make_session() -> None:
    op.create_table(
        "console_session",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        _of_user("console_session"),
        sa.PrimaryKeyConstraint("id", name="pk_console_session"),
    )
    op.create_index("ix_console_session_user_id", "console_session", ["user_id"])
    op.create_index("ix_console_session_seen_at", "console_session", ["seen_at"])


def _make_second_factor() -> None:
    op.create_table(
        "second_factor",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("pending", sa.Text(), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
        _of_user("second_factor"),
        sa.PrimaryKeyConstraint("user_id", name="pk_second_factor"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        _of_user("recovery_code"),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_code"),
    )
    op.create_index("ix_recovery_code_user_id", "recovery_code", ["user_id"])


def _make_password_link() -> None:
    op.create_table(
        "password_link",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("mail_due_at", sa.DateTime(timezone=True), nullable=True),
        _of_user("password_link"),
        sa.PrimaryKeyConstraint("id", name="pk_password_link"),
        sa.UniqueConstraint("token_hash", name="uq_password_link_token_hash"),
    )
    op.create_index("ix_password_link_user_id", "password_link", ["user_id"])
    op.create_index("ix_password_link_mail_due_at", "password_link", ["mail_due_at"])


def _make_access_entry() -> None:
    op.create_table(
        "access_entry",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("clinic_id", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        _of_clinic("access_entry"),
        sa.PrimaryKeyConstraint("id", name="pk_access_entry"),
    )
    op.create_index("ix_access_entry_clinic_id_at", "access_entry", ["clinic_id", "at"])
    op.create_index("ix_access_entry_clinic_id_subject_id", "access_entry", ["clinic_id", "subject_id"])
    op.create_index("ix_access_entry_at", "access_entry", ["at"])


def downgrade() -> None:
    op.add_column("remote_object", sa.Column("uid", sa.String(), nullable=True))
    for table in (
        "access_entry",
        "log_in_policy",
        "password_link",
        "recovery_code",
        "second_factor",
        "console_session",
    ):
        op.drop_table(table)
    for column in _of_account():
        op.drop_column("user_account", column.name)
