"""What a form asks for is done once: sent twice, by a double click or by going back, it gets the first answer again.

Sent again with something else in it, it asks for something else.
"""

import hashlib
from collections.abc import Callable
from secrets import token_urlsafe

from flask import g, request
from sqlalchemy.exc import IntegrityError

from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from kernel.errors import Refused
from kernel.inbox import record, recorded_answer
from kernel.work import UnitOfWork


def new_form_key() -> str:
    """Return the key of a form that is about to be shown."""
    return token_urlsafe(12)


def sent_form_key() -> str:
    """Return the key of the form that was sent, which differs with what is in it."""
    fields = sorted((name, text) for name, text in request.form.items() if name not in {"csrf_token", "key"})
    content = hashlib.sha256(repr(fields).encode()).hexdigest()[:24]
    return f"{request.form.get('key', '')[:40]}-{content}"


def once(services: ConsoleServices, *, key: str, step: Callable[[UnitOfWork], str]) -> str:
    """Run `step` in a transaction and return its answer, or that of the first time this clinic's form with the key was sent.

    Raises what `step` raises, unless somebody was quicker with the same form: what stands in the way then is its own effect.
    """

    def do(work: UnitOfWork) -> str:
        known = recorded_answer(work.session, key=_ours(key))
        if known is not None:
            return known
        answer = step(work)
        record(work, key=_ours(key), answer=answer, now=g.now)
        return answer

    try:
        return services.db.run(do)
    except (Refused, IntegrityError):
        known = answer_to(services, key=key)
        if known is None:
            raise
        return known


def answer_to(services: ConsoleServices, *, key: str) -> str | None:
    """Return what this clinic's form with the key was answered, or None if it was not sent."""
    with services.db.read() as session:
        return recorded_answer(session, key=_ours(key))


def _ours(key: str) -> str:
    return f"console:{current_staff().clinic_id}:{key[:100]}"
