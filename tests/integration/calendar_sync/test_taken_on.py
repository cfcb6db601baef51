"""What patients book on a practitioner's page at Cal.com stands in the diary, or is a task for staff."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from booking.elsewhere import set_busy
from booking.model.appointment import Appointment
from booking.model.patient import ContactPoint, Patient
from booking.model.schedule import BusyInterval
from booking.patients import register_patient
from booking.tasks import TaskInfo, open_tasks
from booking.values import Catalogue, TaskKind
from calendar_sync.entry import CalendarEntry
from calendar_sync.model import CalendarLink, ObjectState, RemoteObject
from calendar_sync.objects import known_of, origin_of
from calendar_sync.plan import Action, There, plan
from calendar_sync.ports import RemoteEvent
from calendar_sync.remote_booking import RemoteBooking
from calendar_sync.taken_on import take_on
from calendar_sync.wanted import wanted_entry
from kernel.interval import Interval
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW, book

pytestmark = pytest.mark.integration

MONDAY_9 = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # 9:00 in Albany, on the first Monday of summer time
LENGTH = timedelta(minutes=45)
HREF = "booking-uid-1"
BOOKING = RemoteBooking(
    starts_at=MONDAY_9,
    ends_at=MONDAY_9 + LENGTH,
    kinds=("cleaning-with-dr-lee", "Dental Cleaning"),
    is_confirmed=True,
    name="  José   Álvarez ",
    phone="(212) 555-0177",
    email="Jose@Example.com",
    language="es-419",
)


def event(booking: RemoteBooking = BOOKING, *, href: str = HREF) -> RemoteEvent:
    entry = CalendarEntry(f"{href}@Cal.com", 0, booking.starts_at, booking.ends_at, "", "", is_confirmed=True)
    return RemoteEvent(
        href, "version-1", entry.uid, entry, (Interval(booking.starts_at, booking.ends_at),), (), booking
    )


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    stored = elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, stored)
    return stored


@pytest.fixture
def link_id(database: Database, catalogue: Catalogue) -> str:
    with database.begin() as work:
        link = CalendarLink(
            clinic_id=catalogue.clinic_id,
            practitioner_id="practitioner-lee",
            kind="calcom",
            url="https://api.cal.test/v2/event-types/7",
            username="visits@clinic.example",
            password="key",
            created_at=NOW,
        )
        work.session.add(link)
        work.session.flush()
        # As the tick leaves it before the booking was confirmed: somebody else's event, which keeps its time.
        foreign = ObjectState.FOREIGN.value
        work.session.add(RemoteObject(link_id=link.id, href=HREF, etag="version-0", state=foreign, changed_at=NOW))
        set_busy(
            work,
            schedule_id="schedule-lee",
            origin=origin_of(link.id, HREF),
            spans=[Interval(MONDAY_9, MONDAY_9 + LENGTH)],
            now=NOW,
        )
        return link.id


def taken(
    database: Database, catalogue: Catalogue, link_id: str, seen: RemoteEvent | None = None, *, now: datetime = NOW
) -> str | None:
    with database.begin() as work:
        link = work.session.get_one(CalendarLink, link_id)
        return take_on(work, catalogue, link=link, event=seen or event(), now=now)


def visit(database: Database, appointment_id: str | None) -> Appointment:
    with database.read() as session:
        return session.get_one(Appointment, appointment_id)


def patients(database: Database) -> list[Patient]:
    with database.read() as session:
        return list(session.scalars(select(Patient)))


def tasks(database: Database, catalogue: Catalogue) -> list[TaskInfo]:
    with database.read() as session:
        return open_tasks(session, clinic_id=catalogue.clinic_id)


def busy(database: Database) -> list[tuple[datetime, datetime]]:
    with database.read() as session:
        rows = session.execute(select(BusyInterval.starts_at, BusyInterval.ends_at).order_by(BusyInterval.starts_at))
        return [(start, end) for start, end in rows]


def test_a_booking_becomes_a_visit_of_a_new_patient_and_a_task_to_complete_the_record(
    database: Database, catalogue: Catalogue, link_id: str
) -> None:
    appointment_id = taken(database, catalogue, link_id)

    made = visit(database, appointment_id)
    assert (made.service_id, made.practitioner_id, made.location_id) == (
        "service-cleaning",
        "practitioner-lee",
        "location-main",
    )
    assert (made.starts_at, made.status, made.source) == (MONDAY_9, "booked", "calcom")
    [patient] = patients(database)
    assert (patient.id, patient.name, patient.is_placeholder) == (made.patient_id, "José Álvarez", True)
    assert (patient.birth_date, patient.language) == (None, "es")
    with database.read() as session:
        contacts = {point.system: point.value for point in session.scalars(select(ContactPoint))}
    assert contacts == {"phone": "+12125550177", "email": "Jose@Example.com"}
    [task] = tasks(database, catalogue)
    assert (task.kind, task.patient_id, task.appointment_id) == (TaskKind.PLACEHOLDER, patient.id, made.id)


def test_the_visit_takes_the_place_of_the_busy_time_and_both_sides_agree(
    database: Database, catalogue: Catalogue, link_id: str
) -> None:
    appointment_id = taken(database, catalogue, link_id)

    assert busy(database) == []
    with database.read() as session:
        [row] = session.scalars(select(RemoteObject)).all()
        link = session.get_one(CalendarLink, link_id)
        ours = wanted_entry(catalogue, link, session.get_one(Appointment, appointment_id))
        next_step = plan(known=known_of(row), ours=ours, theirs=There("version-1", event().entry))
    assert (row.appointment_id, row.href, row.etag) == (appointment_id, HREF, "version-1")
    assert next_step.action is Action.NOTHING


def test_a_patient_who_is_known_by_name_and_number_or_address_is_not_taken_on_twice(
    database: Database, catalogue: Catalogue, link_id: str
) -> None:
    first = taken(database, catalogue, link_id)
    by_address = replace(
        BOOKING,
        starts_at=MONDAY_9 + timedelta(hours=2),
        ends_at=MONDAY_9 + timedelta(hours=2) + LENGTH,
        phone=None,
        name="Jose Alvarez",
    )

    second = taken(database, catalogue, link_id, event(by_address, href="booking-uid-2"))

    [patient] = patients(database)
    assert visit(database, first).patient_id == visit(database, second).patient_id == patient.id
    assert len(tasks(database, catalogue)) == 1


def test_somebody_else_at_the_same_number_is_a_patient_of_their_own(
    database: Database, catalogue: Catalogue, link_id: str
) -> None:
    with database.begin() as work:
        register_patient(
            work,
            clinic_id=catalogue.clinic_id,
            name="Rosa Álvarez",
            birth_date=date(1990, 2, 28),
            phone="+12125550177",
            language="es",
            now=NOW,
        )

    made = visit(database, taken(database, catalogue, link_id))

    names = {patient.id: patient.name for patient in patients(database)}
    assert names[str(made.patient_id)] == "José Álvarez"
    assert len(names) == 2


def test_a_booking_that_the_clinics_rules_would_not_allow_was_for_the_page_to_refuse(
    database: Database, catalogue: Catalogue, link_id: str
) -> None:
    sunday_at_7 = datetime(2027, 3, 14, 11, 7, tzinfo=UTC)
    odd = replace(BOOKING, starts_at=sunday_at_7, ends_at=sunday_at_7 + timedelta(minutes=50))

    made = visit(database, taken(database, catalogue, link_id, event(odd)))

    assert (made.starts_at, made.ends_at) == (sunday_at_7, sunday_at_7 + timedelta(minutes=50))
    assert made.override_reason is not None


def test_a_booking_over_a_visit_stays_busy_time_and_is_a_task(
    database: Database, catalogue: Catalogue, link_id: str
) -> None:
    book(database, catalogue, practitioner="lee", starts_at=MONDAY_9 + timedelta(minutes=90))
    over = replace(BOOKING, starts_at=MONDAY_9 + timedelta(hours=1), ends_at=MONDAY_9 + timedelta(hours=1) + LENGTH)
    before = busy(database)

    appointment_id = taken(database, catalogue, link_id, event(over))

    assert appointment_id is None
    assert busy(database) == before
    assert [patient.name for patient in patients(database)] == ["Ann Smith"]
    [task] = tasks(database, catalogue)
    assert (task.kind, task.phone) == (TaskKind.CALENDAR, "+12125550177")
    assert "José Álvarez" in task.text
    assert "Somebody else has this time." in task.text


def test_a_task_about_a_booking_is_opened_once(database: Database, catalogue: Catalogue, link_id: str) -> None:
    unknown = event(replace(BOOKING, kinds=("quick-chat", "Quick chat")))

    taken(database, catalogue, link_id, unknown)
    taken(database, catalogue, link_id, unknown)

    [task] = tasks(database, catalogue)
    assert task.kind is TaskKind.CALENDAR
    assert "Quick chat" in task.text


def test_a_patient_whom_staff_blocked_does_not_come_in_by_the_page(
    database: Database, catalogue: Catalogue, link_id: str
) -> None:
    with database.begin() as work:
        patient = register_patient(
            work,
            clinic_id=catalogue.clinic_id,
            name="José Álvarez",
            birth_date=None,
            phone="+12125550177",
            language="es",
            now=NOW,
        )
        work.session.get_one(Patient, patient.id).blocked = True

    assert taken(database, catalogue, link_id) is None

    assert [task.kind for task in tasks(database, catalogue)] == [TaskKind.CALENDAR]


@pytest.mark.parametrize(
    "changes",
    [
        {"is_confirmed": False},
        {"starts_at": NOW - timedelta(minutes=1), "ends_at": NOW + timedelta(minutes=44)},
    ],
)
def test_a_request_and_what_has_begun_is_no_visit_and_nobodys_task(
    database: Database, catalogue: Catalogue, link_id: str, changes: dict[str, datetime]
) -> None:
    seen = event(replace(BOOKING, **changes))  # type: ignore[arg-type]  # a table of cases

    assert taken(database, catalogue, link_id, seen) is None

    assert patients(database) == []
    assert tasks(database, catalogue) == []


def test_the_link_says_which_service_a_kind_of_booking_is(
    database: Database, catalogue: Catalogue, link_id: str
) -> None:
    with database.begin() as work:
        work.session.get_one(CalendarLink, link_id).options = {"services": {"15-min": "cleaning"}}
    seen = event(replace(BOOKING, kinds=("15-min", "15 Min Meeting")))

    made = visit(database, taken(database, catalogue, link_id, seen))

    assert made.service_id == "service-cleaning"


def test_a_link_that_shows_no_visits_only_reads_busy_time(
    database: Database, catalogue: Catalogue, link_id: str
) -> None:
    with database.begin() as work:
        work.session.get_one(CalendarLink, link_id).shows_visits = False

    assert taken(database, catalogue, link_id) is None

    assert busy(database) == [(MONDAY_9, MONDAY_9 + LENGTH)]
