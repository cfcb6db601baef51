"""A clinic file in the database: twice is once, nothing that is booked is touched, and what comes out goes in again."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from booking.cancel import cancel_appointment
from booking.catalogue import CatalogueCache, UnknownClinic, find_clinic_by_number, load_catalogue
from booking.clinic_file import ImportReport, export_clinic, import_clinic, parse
from booking.clinic_file.effects import Unfit, visits_hit
from booking.clinic_file.importing import NumberInUse
from booking.clinic_file.remarks import Remark, sentence
from booking.hold import place_hold
from booking.model.appointment import Appointment
from booking.model.clinic import Clinic
from booking.model.patient import Patient
from booking.patients import find_by_phone
from booking.queries import day_sheet, find_slots, upcoming_visits
from booking.values import (
    AppointmentId,
    CalendarPolicy,
    Catalogue,
    MessagePolicy,
    Outside,
    PatientInFeed,
    SendHours,
    SlotQuery,
    Source,
    WhenFailed,
)
from kernel.interval import Interval
from kernel.work import Database, OutboxEntry

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
ELM = """\
clinic: {key: elm, name: Elm Street Clinic, timezone: America/New_York, country: US, languages: [en, es], phone: "+12125550100", transfer_to: "+12125550199", email: desk@Elm.example}
rules: {minimum_notice: 2h, maximum_advance: 90d, step: 15m, hold: 5m, cancel_notice: 1h, max_per_patient_per_day: 3}
calendars: {failed_after: 2h, when_failed: go-on, deleted_outside: follow, check_at_commit: true, invitations: true, patient_in_feed: initials}
messages: {sent_between: "09:30-20:00"}
locations:
  - {key: main, name: Main Street, aliases: [downtown], address: "1 Main Street, Albany", hours: {mon-fri: ["08:00-18:00"], sat: ["09:00-13:00"]}, closed: [2027-07-05, "2027-12-24/2027-12-26"], parking: Behind the house.}
  - {key: west, name: West, address: "1 Far Street, Phoenix", timezone: America/Phoenix, phone: "+16025550100", hours: {all: ["00:00-24:00"]}}
services:
  - {key: cleaning, name: Dental cleaning, aliases: [cleaning], reasons: [tartar], category: dental, duration: 45m, buffer_before: 5m, buffer_after: 10m, price: "95.00 USD", skills: [hygiene], resources: [chair], preparation: Please brush your teeth.}
  - {key: advice, name: Advice, duration: 1h30m, needs_confirmation: true}
practitioners:
  - {key: lee, name: Dr. Mina Lee, aliases: [Doctor Lee], gender: female, languages: [en, ko], skills: [hygiene, fillings], services: [cleaning, advice], bio: Dentist., rating: 0.0,
     schedules: [{location: main, hours: {mon-thu: ["09:00-12:00", "13:00-17:00"]}, off: [2027-03-17, "2027-04-01/2027-04-05"], valid_until: 2027-12-31},
                 {location: west, hours: {fri: ["09:00-12:00"]}}], off: [2027-05-01, "2027-05-03 15:00-24:00"]}
  - {key: ito, name: Dr. Ken Ito, skills: [hygiene], services: [cleaning], schedules: [{location: main, hours: {mon: ["09:00-12:00"]}}]}
resources:
  - {key: chair-1, kind: chair, location: main}
answers:
  - {topic: insurance, text: We take Aetna., phrases: [do you take aetna]}
patients:
  - {key: ann, name: Ann Smith, born: 1984-05-02, phone: "+12125550123", email: ann@example.org, language: en}
  - {key: tim, name: Tim Smith, born: 2018-05-02, phone: "+12125550123"}
appointments:
  - {service: cleaning, practitioner: lee, location: main, patient: ann, start: "2027-03-15T09:00"}
  - {service: cleaning, practitioner: lee, location: main, patient: tim, start: "2027-03-02T09:00"}
"""


def bring(database: Database, text: str = ELM) -> ImportReport:
    file = parse(text, path="elm.yaml")
    return database.run(lambda work: import_clinic(work, file, now=NOW))


def catalogue_of(database: Database, clinic_id: str) -> Catalogue:
    with database.read() as session:
        return load_catalogue(session, clinic_id=clinic_id)


def test_a_file_becomes_a_clinic_that_can_be_booked(database: Database):
    report = bring(database)

    catalogue = catalogue_of(database, report.clinic_id)
    span = Interval(datetime(2027, 3, 15, tzinfo=UTC), datetime(2027, 3, 16, tzinfo=UTC))
    query = SlotQuery(catalogue.services[0].id, span)
    with database.read() as session:
        found = find_slots(session, catalogue, query=query, now=NOW)
    assert (report.changed, report.version, report.patients_added, report.appointments_added) == (True, 1, 2, 2)
    assert report.warnings == ()
    # Ann has Dr. Lee and the only chair at nine, until 9:55 with the buffer; the next begins five minutes after that.
    assert f"{found[0].starts_at.astimezone(ZoneInfo('America/New_York')):%H:%M}" == "10:00"


def test_the_policies_for_calendars_and_messages_are_kept_with_the_clinic(database: Database):
    report = bring(database)

    catalogue = catalogue_of(database, report.clinic_id)
    policy = catalogue.calendars

    assert catalogue.email == "desk@elm.example"
    assert policy == CalendarPolicy(
        failed_after=timedelta(hours=2),
        when_failed=WhenFailed.GO_ON,
        deleted_outside=Outside.FOLLOW,
        check_at_commit=True,
        invitations=True,
        patient_in_feed=PatientInFeed.INITIALS,
    )
    assert catalogue.messages == MessagePolicy(sent_between=SendHours(time(9, 30), time(20)))


def test_an_import_twice_is_the_same_as_once(database: Database):
    first = bring(database)
    before = catalogue_of(database, first.clinic_id)

    second = bring(database)

    assert (second.changed, second.version) == (False, 1)
    assert (second.patients_added, second.appointments_added) == (0, 0)
    assert catalogue_of(database, first.clinic_id) == before


def test_the_version_grows_with_a_change_and_the_kept_catalogue_follows(database: Database):
    cache = CatalogueCache()
    report = bring(database)
    with database.read() as session:
        first = cache.get(session, clinic_id=report.clinic_id)
        assert cache.get(session, clinic_id=report.clinic_id) is first

    bring(database, ELM.replace("95.00 USD", "99.00 USD").replace("2027-07-05", "2027-07-06"))

    with database.read() as session:
        second = cache.get(session, clinic_id=report.clinic_id)
    assert (first.version, second.version) == (1, 2)
    assert str(second.services[0].price) == "99.00 USD"
    assert second.services[0].id == first.services[0].id
    with database.read() as session, pytest.raises(UnknownClinic):
        cache.get(session, clinic_id="nothing")


def test_who_leaves_the_file_is_retired_and_the_appointments_stay(database: Database):
    report = bring(database)
    lines = [line for line in ELM.splitlines() if "key: ito" not in line]
    without_ito = bring(database, "\n".join(lines))
    without_lee = ELM.replace("key: lee", "key: roe").replace("practitioner: lee", "practitioner: roe")

    again = bring(database, without_lee.split("appointments:", maxsplit=1)[0])

    catalogue = catalogue_of(database, report.clinic_id)
    assert without_ito.warnings == ()
    assert again.warnings == (Remark("kept-though-gone", fields={"name": "Dr. Mina Lee", "count": 1}),)
    assert {person.key for person in catalogue.practitioners} == {"roe", "ito"}
    with database.read() as session:
        household = find_by_phone(session, clinic_id=report.clinic_id, phone="+12125550123")
        ann = next(patient for patient in household if patient.name == "Ann Smith")
        (visit,) = upcoming_visits(session, patient_ids=(ann.id,), now=NOW)
    assert catalogue.practitioner(visit.practitioner_id).name == "Dr. Mina Lee"


def test_a_demo_appointment_that_was_moved_or_cancelled_does_not_come_back(database: Database):
    report = bring(database)
    catalogue = catalogue_of(database, report.clinic_id)
    with database.begin() as work:
        booked = work.session.scalars(select(Appointment.id).where(Appointment.starts_at > NOW)).one()
        cancel_appointment(
            work, catalogue, appointment_id=booked, reason=None, now=NOW, actor="patient", source=Source.SMS
        )

    again = bring(database)

    assert again.appointments_added == 0


def test_an_import_does_not_take_time_from_anybody_and_says_so(database: Database):
    report = bring(database)
    more = ELM + '  - {service: advice, practitioner: lee, location: main, patient: tim, start: "2027-03-15T09:15"}\n'

    again = bring(database, more)

    assert (again.clinic_id, again.appointments_added) == (report.clinic_id, 0)
    assert [sentence(one) for one in again.warnings] == ["advice with lee at 2027-03-15 09:15: the time is taken"]


def test_an_import_tells_nobody(database: Database):
    bring(database)

    with database.read() as session:
        assert list(session.scalars(select(OutboxEntry.name))) == []


def test_an_import_leaves_a_live_hold_alone(database: Database):
    report = bring(database)
    catalogue = catalogue_of(database, report.clinic_id)
    with database.begin() as work:
        place_hold(
            work,
            catalogue,
            service_id=catalogue.services[0].id,
            location_id=catalogue.locations[0].id,
            starts_at=datetime(2027, 3, 16, 13, 0, tzinfo=UTC),
            conversation_id="conversation-1",
            source=Source.PHONE,
            now=NOW,
        )
        (before,) = work.session.execute(select(Appointment).where(Appointment.hold_expires_at > NOW)).one()
        revision = before.revision

    bring(database, ELM.replace('mon-thu: ["09:00', 'mon-thu: ["11:00'))

    with database.read() as session:
        after = session.scalars(select(Appointment).where(Appointment.id == before.id)).one()
        assert (after.status, after.revision) == ("pending", revision)


def test_what_is_exported_imports_to_the_same(database: Database):
    report = bring(database)
    before = catalogue_of(database, report.clinic_id)
    with database.read() as session:
        text = export_clinic(session, report.clinic_id)

    again = bring(database, text)

    assert (again.changed, again.version) == (False, 1)
    assert catalogue_of(database, report.clinic_id) == before
    assert "Ann Smith" not in text


def test_an_exported_clinic_can_be_brought_into_an_empty_database(database: Database):
    report = bring(database)
    with database.read() as session:
        text = export_clinic(session, report.clinic_id)

    other = bring(
        database,
        text.replace("key: elm", "key: oak")
        .replace("+12125550100", "+12125550101")
        .replace("+16025550100", "+16025550101"),
    )

    assert other.clinic_id != report.clinic_id
    with database.read() as session:
        assert (
            export_clinic(session, other.clinic_id).replace("key: oak", "key: elm").replace("5550101", "5550100")
            == text
        )


def test_two_clinics_cannot_have_one_number(database: Database):
    bring(database)

    with pytest.raises(NumberInUse):
        bring(database, ELM.replace("key: elm", "key: oak").replace("+12125550100", "+16025550100"))


def test_a_number_leads_to_its_clinic_and_location(database: Database):
    report = bring(database)
    catalogue = catalogue_of(database, report.clinic_id)

    with database.read() as session:
        assert find_clinic_by_number(session, "+12125550100") == (report.clinic_id, None)
        assert find_clinic_by_number(session, "+16025550100") == (report.clinic_id, catalogue.locations[1].id)
        assert find_clinic_by_number(session, "+12125550102") is None


def test_the_day_sheet_has_the_day_of_its_location(database: Database):
    report = bring(database)
    catalogue = catalogue_of(database, report.clinic_id)
    day = (NOW + timedelta(days=5)).date()

    with database.read() as session:
        here = day_sheet(session, catalogue, location_id=catalogue.locations[0].id, day=day, now=NOW)
        there = day_sheet(session, catalogue, location_id=catalogue.locations[1].id, day=day, now=NOW)
        whole = day_sheet(session, catalogue, location_id=None, day=day, now=NOW)

    assert [row.patient_name for row in here] == ["Ann Smith"]
    assert there == []
    assert whole == here


NIGHT = (
    ELM.replace('sat: ["09:00-13:00"]', 'sat: ["09:00-13:00"], sun: ["00:00-24:00"]').replace(
        'mon-thu: ["09:00-12:00", "13:00-17:00"]', 'mon-thu: ["09:00-12:00", "13:00-17:00"], sun: ["01:00-04:00"]'
    )
    # Lasts from 1:30 to 3:15 by the clock on the wall, which goes from 2:00 to 3:00 in that night.
    + '  - {service: cleaning, practitioner: lee, location: main, patient: tim, start: "2027-03-14T01:30"}\n'
)


def test_what_another_set_up_would_do_to_visits_is_told_and_nothing_is_done(database: Database):
    report = bring(database, NIGHT)
    changes: list[tuple[str, str, list[tuple[str, Unfit]]]] = [
        ("Dr. Mina Lee", "Dr. Mina Park", []),
        ('sun: ["01:00-04:00"]', 'sun: ["01:30-03:15"]', []),
        ('sun: ["01:00-04:00"]', 'sun: ["01:00-03:00"]', [("tim", Unfit.NOT_WORKING)]),
        ('mon-thu: ["09:00-12:00"', 'mon-thu: ["09:00-09:45"', []),
        ('mon-thu: ["09:00-12:00"', 'mon-thu: ["10:00-12:00"', [("ann", Unfit.NOT_WORKING)]),
        ("off: [2027-03-17,", "off: [2027-03-15,", [("ann", Unfit.NOT_WORKING)]),
        ('mon-fri: ["08:00-18:00"]', 'mon-fri: ["08:00-09:30"]', [("ann", Unfit.CLOSED)]),
        ("closed: [2027-07-05,", "closed: [2027-03-14/2027-03-15,", [("tim", Unfit.CLOSED), ("ann", Unfit.CLOSED)]),
        ("services: [cleaning, advice]", "services: [advice]", [("tim", Unfit.NOT_OFFERED), ("ann", Unfit.NOT_OFFERED)]),
        ("{key: chair-1,", "{key: chair-2,", [("tim", Unfit.ROOM_GONE), ("ann", Unfit.ROOM_GONE)]),
        ("kind: chair,", "kind: chair, off: [2027-03-15],", [("ann", Unfit.ROOM_CLOSED)]),
        ("kind: chair,", 'kind: chair, hours: {sun: ["01:30-03:15"]},', [("ann", Unfit.ROOM_CLOSED)]),
    ]  # fmt: skip

    assert [hits(database, NIGHT.replace(old, new, 1)) for old, new, _ in changes] == [told for *_, told in changes]
    assert hits(database, NIGHT.replace("key: chair-1,", "key: x,").replace("resources: [chair], ", "")) == []
    assert bring(database, NIGHT).version == report.version

    with database.begin() as work:
        ann = work.session.scalars(select(Appointment).where(Appointment.starts_at > NOW + timedelta(days=4))).one()
        cancel_appointment(
            work, catalogue_of(database, report.clinic_id), appointment_id=AppointmentId(ann.id), reason=None, source=Source.STAFF, actor="staff:a", now=NOW
        )  # fmt: skip
    assert hits(database, NIGHT.replace("kind: chair,", "kind: chair, off: [2027-03-15],")) == []


def hits(database: Database, text: str) -> list[tuple[str, Unfit]]:
    """Return whose visits would no longer fit the clinic of `text`, and why."""
    with database.begin() as work:
        clinic_id = work.session.scalars(select(Clinic.id)).one()
        before = load_catalogue(work.session, clinic_id=clinic_id)
        import_clinic(work, parse(text, path="elm.yaml"), now=NOW)
        after = load_catalogue(work.session, clinic_id=clinic_id)
        found = visits_hit(work.session, before=before, after=after, now=NOW)
        names = {row.id: row.key for row in work.session.scalars(select(Patient))}
        work.session.rollback()
    return [(str(names[str(hit.visit.patient_id)]), hit.why) for hit in found]
