"""What a simulated patient starts from: who they can be, which number they reach, and where the demo's calendars are."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from booking.model.patient import ContactPoint, Patient
from booking.values import Catalogue
from calendar_sync.model import CalendarLink
from frontdesk.console.dates import DateWriter
from kernel.phone import readable

# Numbers of the range that the North American plan sets aside for fiction: nobody has them.
UNKNOWN_NUMBER = "+12025550187"

_THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Caller:
    name: str
    number: str  # E.164
    number_shown: str
    born: str | None


@dataclass(frozen=True)
class ClinicNumber:
    number: str  # E.164
    label: str


@dataclass(frozen=True)
class DemoCalendar:
    """The calendar server on this machine, as a person opens it."""

    address: str
    username: str
    password: str


def demo_callers(session: Session, *, clinic_id: str, dates: DateWriter) -> list[Caller]:
    """Return the demo patients who have a number, by name. Patients taken on in conversations are not among them."""
    found = session.execute(
        select(Patient.name, Patient.birth_date, ContactPoint.value)
        .join(ContactPoint, and_(ContactPoint.patient_id == Patient.id, ContactPoint.system == "phone"))
        .where(Patient.clinic_id == clinic_id, Patient.key.is_not(None))
        .order_by(Patient.name)
    )
    return [
        Caller(
            name=name,
            number=number,
            number_shown=readable(number),
            born=dates.long_date(birth_date).partition(", ")[2] if birth_date else None,
        )
        for name, birth_date, number in found
    ]


def clinic_numbers(catalogue: Catalogue) -> list[ClinicNumber]:
    """Return the numbers patients can reach: the clinic's, then those of its locations."""
    named = [(catalogue.phone, catalogue.name)] + [(place.phone, place.name) for place in catalogue.locations]
    seen: dict[str, str] = {}
    for number, name in named:
        if number:
            seen.setdefault(number, name)
    return [ClinicNumber(number=number, label=f"{name}, {readable(number)}") for number, name in seen.items()]


def demo_calendar(session: Session, *, clinic_id: str) -> DemoCalendar | None:
    """Return how to look into the demo's calendars; None where calendars are not on this machine, so somebody's own."""
    for link in session.scalars(select(CalendarLink).where(CalendarLink.clinic_id == clinic_id)):
        parts = urlsplit(link.url)
        if parts.hostname in _THIS_MACHINE:
            return DemoCalendar(f"{parts.scheme}://{parts.netloc}/", username=link.username, password=link.password)
    return None
