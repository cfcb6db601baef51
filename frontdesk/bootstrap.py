"""Settings to services: the one place that chooses and makes adapters."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from booking.catalogue import CatalogueCache
from booking.shown import ShownSlots
from calendar_sync.adapters.access_tokens import TokenSource
from calendar_sync.adapters.calcom_discovery import find_event_types
from calendar_sync.adapters.calcom_store import CalcomStore
from calendar_sync.adapters.caldav_discovery import find_calendars
from calendar_sync.adapters.caldav_store import CaldavStore
from calendar_sync.adapters.memory_store import MemoryStore
from calendar_sync.context import CalendarSync
from calendar_sync.discovery import FindCalendars
from calendar_sync.grants import StoredGrants
from calendar_sync.last_look import LastLook
from calendar_sync.model import CALCOM
from calendar_sync.ports import CalendarStore, LinkAccess, OpenCalendar
from dialog.interpreter import Interpreter
from dialog.ports import TokenPrices
from dialog.turn import Dialog
from dialog.understanding.local import LocalInterpreter
from frontdesk.embedded import redis_url
from jobs.adapters.immediate_queue import ImmediateQueue
from jobs.adapters.rq_queue import RqQueue, work_on_queue
from jobs.context import JobServices
from jobs.ports import Queue
from jobs.run import run_step
from kernel.adapters.smtp_mailer import SmtpMailer
from kernel.clock import Clock, FixedClock, SystemClock
from kernel.config import Mode, ModelSettings, Settings
from kernel.mail import Mailer, MailOff
from kernel.outbound import Outbound
from kernel.telephony import TwilioAccount, make_client
from kernel.turn_lock import InProcessTurnLock, RedisTurnLock, TurnLock
from kernel.work import Database
from sms.adapters.memory_gateway import MemoryGateway
from sms.adapters.twilio_gateway import TwilioGateway
from sms.ports import SmsGateway
from voice.adapters.twilio_calls import TwilioCalls
from voice.adapters.twilio_recordings import TwilioRecordings
from voice.ports import Calls, NoCalls, NoRecordings, Recordings

STAGE_SECRET = "0" * 32  # of a database that lives as long as a conversation
WAKE_KEY = "frontdesk:wake-relay"
_REDIS_TIMEOUT_S = 2.0  # a dead Redis must not eat the seconds a webhook has


@dataclass(frozen=True)
class Services:
    """The assembled product, without a web server around it."""

    settings: Settings
    db: Database  # of whoever talks with people: a visit that is booked here has a last look into the calendars
    jobs: JobServices
    clock: Clock
    redis: Any  # a client; None where everything is in this process. Its library's types are too loose to be of use.
    lock: TurnLock
    catalogues: CatalogueCache
    shown: ShownSlots
    interpreter: Interpreter
    dialog: Dialog
    sms_gateway: SmsGateway
    open_calendar: OpenCalendar
    find_calendars: FindCalendars
    queue: Queue
    recordings: Recordings = field(default_factory=NoRecordings)
    calls: Calls = field(default_factory=NoCalls)

    def close(self) -> None:
        """Give back connections. The process may end without it."""
        self.db.dispose()
        if self.redis is not None:
            self.redis.close()


def build(settings: Settings) -> Services:
    """Assemble the product for a web or worker process. Connects to nothing yet."""
    redis = Redis.from_url(
        redis_url(settings),
        socket_timeout=_REDIS_TIMEOUT_S,
        socket_connect_timeout=_REDIS_TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),  # by default it waits longer and longer between tries
        health_check_interval=30,
    )
    shown = ShownSlots(redis)
    db = Database(settings.database_url, secret=settings.secret_key, wake_relay=lambda: _wake(redis), watcher=shown)
    lock = RedisTurnLock(redis)
    tokens = TokenSource(StoredGrants(db), lock)
    return _assemble(
        settings,
        db=db,
        shown=shown,
        clock=FixedClock(settings.fixed_now) if settings.fixed_now else SystemClock(),
        redis=redis,
        lock=lock,
        interpreter=make_interpreter(settings.model),
        sms_gateway=_sms_gateway(settings),
        open_calendar=_calendars(settings.outbound, tokens),
        find_calendars=_calendar_finder(settings.outbound, tokens),
        mailer=_mailer(settings),
        queue=RqQueue(redis),
        recordings=_recordings(settings),
        calls=_calls(settings),
    )


def build_in_process(
    *,
    data_dir: Path,
    account: TwilioAccount,
    now: datetime,
    model: ModelSettings | None = None,
    interpreter: Interpreter | None = None,
    database_url: str | None = None,
    secret_key: str = STAGE_SECRET,
) -> tuple[Services, FixedClock]:
    """Assemble the product in one process with a clock that is moved by hand: SQLite in `data_dir` unless another database
    is named, jobs run on the spot, texts and calendars in memory. The terminal chat and scripted conversations run on it.
    `interpreter` stands in for the one that goes with `model`.
    """
    settings = Settings(
        data_dir=data_dir,
        database_url=database_url or f"sqlite:///{data_dir / 'frontdesk.db'}",
        redis_url=None,
        host="127.0.0.1",
        port=8000,
        public_base_url="http://127.0.0.1:8000",
        secret_key=secret_key,
        twilio=account,
        model=model,
        fixed_now=now,
        mode=Mode.DEVELOPMENT,
        log_level="ERROR",
    )
    clock, calendars = FixedClock(now), {}  # type: FixedClock, dict[str, MemoryStore]
    services: list[Services] = []
    made = _assemble(
        settings,
        db=Database(settings.database_url, secret=settings.secret_key),
        shown=ShownSlots(None),
        clock=clock,
        redis=None,
        lock=InProcessTurnLock(),
        interpreter=interpreter or make_interpreter(model),
        sms_gateway=MemoryGateway(),
        open_calendar=lambda access: calendars.setdefault(access.link_id, MemoryStore()),
        find_calendars=_calendar_finder(settings.outbound, TokenSource()),
        mailer=MailOff(),
        queue=ImmediateQueue(lambda delivery_id: run_step(services[0].jobs, delivery_id=delivery_id)),
    )
    services.append(made)
    return made, clock


def make_interpreter(model: ModelSettings | None) -> Interpreter:
    """Return the local interpreter, with the language model behind it where one is set."""
    local = LocalInterpreter()
    if model is None:
        return local
    # Imported here: the vendor's library takes two seconds that a clinic without a model need not wait.
    from dialog.adapters.langchain_model import LangChainModel
    from dialog.model_interpreter import ModelInterpreter

    return ModelInterpreter(local=local, model=LangChainModel(model))


def make_collection(access: LinkAccess, *, title: str) -> None:
    """Make a CalDAV collection unless it is there: for the demo's calendars. Raises Unavailable, AccessRefused."""
    CaldavStore(access).make_collection(title=title)


def wait_for_wake(redis: Any, *, timeout: timedelta) -> None:
    """Return when some transaction published an event, or after `timeout`. Raises RedisError."""
    redis.blpop([WAKE_KEY], timeout=timeout.total_seconds())


def take_jobs(settings: Settings) -> None:
    """Run queued jobs in this thread until SIGTERM or Ctrl-C."""
    # A connection of its own: it waits for minutes, while the services' one gives up after seconds.
    with Redis.from_url(redis_url(settings), health_check_interval=30) as connection:
        work_on_queue(connection)


def _assemble(
    settings: Settings,
    *,
    db: Database,
    shown: ShownSlots,
    clock: Clock,
    redis: Any,
    lock: TurnLock,
    interpreter: Interpreter,
    sms_gateway: SmsGateway,
    open_calendar: OpenCalendar,
    find_calendars: FindCalendars,
    mailer: Mailer,
    queue: Queue,
    recordings: Recordings | None = None,
    calls: Calls | None = None,
) -> Services:
    catalogues = CatalogueCache()
    # Jobs keep calendars in step all the time, so they ask nobody for a last look before they book.
    last_look = LastLook(CalendarSync(db, open_calendar, catalogues), clock=clock)
    asking = db.asking(last_look)
    return Services(
        settings=settings,
        db=asking,
        jobs=JobServices(
            db=db,
            clock=clock,
            catalogues=catalogues,
            sms_gateway=sms_gateway,
            open_calendar=open_calendar,
            mailer=mailer,
        ),
        clock=clock,
        redis=redis,
        lock=lock,
        catalogues=catalogues,
        shown=shown,
        interpreter=interpreter,
        dialog=Dialog(
            db=asking,
            clock=clock,
            lock=lock,
            interpreter=interpreter,
            catalogues=catalogues,
            prices=_prices(settings.model),
        ),
        sms_gateway=sms_gateway,
        open_calendar=open_calendar,
        find_calendars=find_calendars,
        queue=queue,
        recordings=recordings or NoRecordings(),
        calls=calls or NoCalls(),
    )


def _calendars(outbound: Outbound, tokens: TokenSource) -> OpenCalendar:
    def open_calendar(access: LinkAccess) -> CalendarStore:
        if access.kind == CALCOM:
            return CalcomStore(access, outbound=outbound)
        return CaldavStore(access, outbound=outbound, tokens=tokens)

    return open_calendar


def _calendar_finder(outbound: Outbound, tokens: TokenSource) -> FindCalendars:
    at_caldav = partial(find_calendars, outbound=outbound, tokens=tokens)
    at_calcom = partial(find_event_types, outbound=outbound)
    return lambda access: (at_calcom if access.kind == CALCOM else at_caldav)(access)


def _prices(model: ModelSettings | None) -> TokenPrices | None:
    if model is None or model.price_in is None or model.price_out is None:
        return None
    return TokenPrices(model.price_in, model.price_out)


def _sms_gateway(settings: Settings) -> SmsGateway:
    # Without an account nothing can be sent: what would have been is in the SmsMessage rows, where the simulator shows it.
    if settings.twilio.is_real:
        return TwilioGateway(make_client(settings.twilio), status_url=f"{settings.public_base_url}/twilio/sms/status")
    return MemoryGateway()


def _recordings(settings: Settings) -> Recordings:
    return TwilioRecordings(settings.twilio) if settings.twilio.is_real else NoRecordings()


def _calls(settings: Settings) -> Calls:
    if settings.twilio.is_real:
        return TwilioCalls(make_client(settings.twilio), answer_url=f"{settings.public_base_url}/twilio/voice")
    return NoCalls()


def _mailer(settings: Settings) -> Mailer:
    if settings.mail_server is None:
        return MailOff()
    ours = urlsplit(settings.public_base_url).hostname or ""
    # A name without a dot, or an address, is no name by which a mail server may be greeted.
    is_name = "." in ours and not ours.rpartition(".")[2].isdigit()
    return SmtpMailer(settings.mail_server, helo=ours if is_name else "[127.0.0.1]")


def _wake(redis: Any) -> None:
    try:
        with redis.pipeline() as pipe:
            pipe.lpush(WAKE_KEY, 1)
            pipe.ltrim(WAKE_KEY, 0, 0)
            pipe.execute()
    except RedisError:
        return  # the relay also polls; a booking does not fail for a nudge
