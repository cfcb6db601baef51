"""Who works at the clinic, by log-in."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from frontdesk.users import Role, User


def logins_who(session: Session, *, clinic_id: str, roles: Collection[Role]) -> list[str]:
    """Return the log-ins of those with one of these roles, in order, without those who were switched off."""
    statement = select(User.login).where(
        User.clinic_id == clinic_id, User.role.in_([role.value for role in roles]), User.switched_off_at.is_(None)
    )
    return list(session.scalars(statement.order_by(User.login)))
