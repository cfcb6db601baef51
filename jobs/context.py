"""What jobs work with. A queue hands a worker no more than a function's name, so each process keeps its own here."""

from dataclasses import dataclass, field

from booking.catalogue import CatalogueCache
from booking.values import Catalogue, MailUse
from calendar_sync.context import CalendarSync
from calendar_sync.ports import OpenCalendar
from kernel.clock import Clock
from kernel.mail import Mailer, MailOff
from kernel.work import Database
from sms.ports import SmsGateway


@dataclass(frozen=True)
class JobServices:
    db: Database
    clock: Clock
    catalogues: CatalogueCache
    sms_gateway: SmsGateway
    open_calendar: OpenCalendar
    mailer: Mailer = field(default_factory=MailOff)

    @property
    def calendar_sync(self) -> CalendarSync:
        """What calendars are synchronised with."""
        return CalendarSync(self.db, self.open_calendar, self.catalogues)

    def mail_use(self, catalogue: Catalogue) -> MailUse:
        """Say when a clinic's patients get by e-mail what texts tell: never where no mail can be sent."""
        can_mail = self.mailer.is_on and catalogue.email is not None
        return catalogue.messages.mail if can_mail else MailUse.NEVER


_installed: list[JobServices] = []


def install(services: JobServices) -> None:
    """Let the jobs of this process work with `services`."""
    _installed[:] = [services]


def installed() -> JobServices:
    """Return what was installed; a worker without it is a bug."""
    if not _installed:
        raise RuntimeError("no services installed: this process is no worker")
    return _installed[0]
