"""What stands between these settings and a working product: every connection tried once."""

from collections.abc import Callable
from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from booking.catalogue import messages_of, policy_of
from booking.model.clinic import Clinic
from booking.values import MailUse
from calendar_sync.model import LinkState
from calendar_sync.status import link_statuses
from frontdesk.bootstrap import Services, build
from frontdesk.health import readiness
from frontdesk.schema import SchemaState, WrongSchema, check_schema, schema_state
from frontdesk.users import has_users
from kernel.config import Settings
from kernel.errors import Unavailable


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `text` is one line for the operator."""

    what: str
    is_ok: bool
    text: str


def examine(settings: Settings) -> list[Finding]:
    """Try everything and report on each. Changes nothing."""
    services = build(settings)
    try:
        return [_guarded(what, check, services) for what, check in _CHECKS]
    finally:
        services.close()


def _guarded(what: str, check: Callable[[Services], tuple[bool, str]], services: Services) -> Finding:
    try:
        return Finding(what, *check(services))
    except SQLAlchemyError:
        return Finding(what, False, "the database cannot be reached")  # noqa: FBT003 -- the field is named above


def _database(services: Services) -> tuple[bool, str]:
    state = schema_state(services.db.engine)
    kind = "PostgreSQL" if services.db.is_postgresql else "SQLite"
    if state is SchemaState.CURRENT:
        return True, f"{kind}, tables are current"
    try:
        check_schema(services.db.engine)
    except WrongSchema as wrong:
        return False, str(wrong)
    return True, kind


def _redis(services: Services) -> tuple[bool, str]:
    try:
        services.redis.ping()
    except (RedisError, OSError):
        where = "REDIS_URL" if services.settings.redis_url else "the embedded one runs with: frontdesk serve"
        return False, f"cannot be reached; {where}"
    return True, "answers"


def _mail(services: Services) -> tuple[bool, str]:
    with services.db.read() as session:
        policies = session.execute(select(Clinic.calendars, Clinic.messages)).all()
    # Without a mail server what a mail would say where no text arrives is a task: only what was asked for is missing.
    wanted = [
        what
        for what, is_wanted in (
            ("invitations", any(policy_of(calendars).invitations for calendars, _ in policies)),
            ("mails beside texts", any(messages_of(messages).mail is MailUse.ALSO for _, messages in policies)),
        )
        if is_wanted
    ]
    mailer = services.jobs.mailer
    if not mailer.is_on:
        though = f", though {' and '.join(wanted)} are wanted" if wanted else ""
        return not wanted, f"off{though}; FRONTDESK_SMTP_URL turns it on"
    try:
        mailer.check()
    except Unavailable as failure:
        return False, str(failure)
    return True, "the mail server answers"


def _worker(services: Services) -> tuple[bool, str]:
    state = readiness(services)["worker"]
    return state == "ok", "at work" if state == "ok" else f"{state}; run: frontdesk worker"


def _clinic(services: Services) -> tuple[bool, str]:
    with services.db.read() as session:
        clinics = session.scalars(select(Clinic.name).order_by(Clinic.name)).all()
    return bool(clinics), ", ".join(clinics) or "none yet; run: frontdesk import FILE"


def _staff(services: Services) -> tuple[bool, str]:
    with services.db.read() as session:
        known = has_users(session)
    return known, "accounts exist" if known else "nobody can log in; run: frontdesk user add LOGIN"


def _telephony(services: Services) -> tuple[bool, str]:
    settings = services.settings
    if not settings.twilio.is_real:
        return True, "no Twilio account: the simulator works, real calls and texts do not"
    if not settings.public_base_url.startswith("https://"):
        return False, "PUBLIC_BASE_URL must be the https address that Twilio calls"
    return True, f"Twilio account set, webhooks below {settings.public_base_url}/twilio/"


def _model(services: Services) -> tuple[bool, str]:
    model = services.settings.model
    return True, f"{model.name}, with the local interpreter as fallback" if model else "none: the local interpreter"


def _calendars(services: Services) -> tuple[bool, str]:
    now = services.clock.now()
    with services.db.read() as session:
        found = [
            one
            for clinic_id in session.scalars(select(Clinic.id).order_by(Clinic.name)).all()
            for one in link_statuses(session, services.catalogues.get(session, clinic_id=clinic_id), now=now)
        ]
    if not found:
        return True, "none linked"
    failed = sum(one.state is LinkState.FAILED for one in found)
    stale = sum(one.state is LinkState.STALE for one in found)
    drift = sum(len(one.drift) for one in found)
    text = f"{len(found)} linked, {failed} failed, {stale} stale, differences: {drift}"
    return failed == 0, text if not failed + stale + drift else f"{text}; see: frontdesk sync status"


_CHECKS: tuple[tuple[str, Callable[[Services], tuple[bool, str]]], ...] = (
    ("database", _database),
    ("redis", _redis),
    ("worker", _worker),
    ("clinic", _clinic),
    ("staff", _staff),
    ("telephony", _telephony),
    ("model", _model),
    ("calendars", _calendars),
    ("mail", _mail),
)
