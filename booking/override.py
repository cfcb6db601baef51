"""Who may set the clinic's rules aside: staff, saying why."""

from kernel.errors import Refused


class OverrideNotAllowed(Refused):
    """Only staff set rules aside, and they say why."""

    code = "override-not-allowed"


def is_staff(actor: str) -> bool:
    """Say whether an actor as written into histories is a member of staff, which the owner of a linked calendar is, too."""
    return actor.startswith(("staff:", "calendar:"))


def allowed_override(override_reason: str | None, *, actor: str) -> str | None:
    """Return why rules are set aside, or None if they are not. Raises OverrideNotAllowed."""
    if override_reason is None:
        return None
    reason = override_reason.strip()
    if not reason or not is_staff(actor):
        raise OverrideNotAllowed
    return reason
