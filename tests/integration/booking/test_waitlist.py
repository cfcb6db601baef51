"""Who waits gets the time that comes free, in turn, on each kind of database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from booking.asked import (
    ImplausibleTime,
    TimeWithoutZone,
    UnknownLocation,
    UnknownPatient,
    UnknownPractitioner,
    UnknownService,
)
from booking.confirm import confirm_hold
from booking.desk.away import EndBeforeStart
from booking.expiry import expire_holds
from booking.hold import place_hold, release_one
from booking.ledger import UnknownVisit
from booking.model.appointment import Appointment, Participant
from booking.model.patient import Patient
from booking.model.waitlist import WaitlistEntry
from booking.queries import find_slots, history, upcoming_visits, visit
from booking.rules import (
    AlreadyOver,
    InThePast,
    NotOffered,
    PatientBlocked,
    PatientOverlap,
    TooFar,
    TooSoon,
)
from booking.values import AppointmentStatus, BookingRules, Catalogue, SlotQuery, Source
from booking.waiting_list.waitlist import (
    NoWaitingList,
    OfferGone,
    OfferStatus,
    OtherService,
    TooManySpans,
    UnknownEntry,
    UnknownOffer,
    accept_offer,
    decline_offer,
    entries_of_patient,
    expire_offers,
    leave_waitlist,
    offer_freed_time,
    open_offers_of_number,
    span_asked,
)
from kernel.interval import Interval
from kernel.work import Database, OutboxEntry
from tests.support.clinics import a_service
from tests.support.visits import NOW, book
from tests.support.waiting_list import AT_NINE, HALF_PAST, NINE, WaitingList

pytestmark = pytest.mark.integration

MINUTE = timedelta(minutes=1)
LATER = NOW + timedelta(minutes=31)


@pytest.fixture
def waiting(database: Database, catalogue: Catalogue) -> WaitingList:
    return WaitingList(database, catalogue)


def accept(waiting: WaitingList, offer_id: str, *, now: datetime = NOW, actor: str = "patient") -> Any:
    return waiting.database.run(
        lambda work: accept_offer(work, waiting.catalogue, offer_id=offer_id, now=now, actor=actor)
    )


def decline(waiting: WaitingList, offer_id: str, *, now: datetime = NOW) -> None:
    waiting.database.run(lambda work: decline_offer(work, waiting.catalogue, offer_id=offer_id, now=now))


def events(database: Database, name: str) -> list[dict[str, Any]]:
    with database.read() as session:
        rows = session.scalars(select(OutboxEntry).where(OutboxEntry.name == name).order_by(OutboxEntry.id))
        return [row.payload for row in rows]


def test_nothing_is_offered_while_the_time_is_taken(waiting: WaitingList) -> None:
    waiting.taken()
    waiting.join(waiting.patient())

    assert waiting.offer() == []


def test_time_that_comes_free_is_held_for_the_first_who_waits(waiting: WaitingList) -> None:
    theirs = waiting.taken()
    first, second = waiting.patient("Ann Smith"), waiting.patient("Bob Jones")
    waiting.join(second, now=NOW + MINUTE)
    waiting.join(first)
    waiting.free(theirs)

    [offer_id] = waiting.offer(now=NOW + 2 * MINUTE)

    [offer] = waiting.of(first)
    assert (offer.id, offer.status, waiting.of(second)) == (offer_id, OfferStatus.OPEN, [])
    with waiting.database.read() as session:
        hold = visit(session, appointment_id=offer.hold_id)
    assert (hold.starts_at, hold.patient_id, hold.is_hold) == (NINE, first, True)
    assert hold.hold_expires_at == offer.expires_at == NOW + 2 * MINUTE + timedelta(minutes=30)
    assert [told["offer_id"] for told in events(waiting.database, "booking.offer.made")] == [offer_id]


def test_what_is_offered_is_not_free_for_anybody_else(waiting: WaitingList) -> None:
    waiting.join(waiting.patient())
    waiting.offer()

    with waiting.database.read() as session:
        slots = find_slots(session, waiting.catalogue, query=SlotQuery("service-skin-check", AT_NINE), now=NOW)

    assert slots == []


def test_who_has_an_offer_is_not_asked_again(waiting: WaitingList) -> None:
    patient = waiting.patient()
    waiting.join(patient)
    waiting.join(patient, spans=(Interval(HALF_PAST, HALF_PAST + MINUTE),))
    waiting.offer()

    assert waiting.offer(now=NOW + MINUTE) == []
    assert len(waiting.of(patient)) == 1


def test_a_yes_books_the_time_and_ends_the_wait(waiting: WaitingList) -> None:
    patient = waiting.patient()
    waiting.join(patient)
    [offer_id] = waiting.offer()

    booked = accept(waiting, offer_id, now=NOW + MINUTE)

    assert (booked.status, booked.starts_at, booked.patient_id) == (AppointmentStatus.BOOKED, NINE, patient)
    assert accept(waiting, offer_id, now=NOW + 2 * MINUTE).id == booked.id
    with waiting.database.read() as session:
        own = {"clinic_id": waiting.catalogue.clinic_id, "patient_id": patient, "now": NOW + MINUTE}
        assert entries_of_patient(session, **own) == []
        assert [one.id for one in upcoming_visits(session, patient_ids=(patient,), now=NOW)] == [booked.id]
    assert len(events(waiting.database, "booking.offer.accepted")) == 1
    assert waiting.offer(now=NOW + 2 * MINUTE) == []


def test_a_no_gives_the_time_to_the_next_and_is_remembered(waiting: WaitingList) -> None:
    first, second = waiting.patient("Ann Smith"), waiting.patient("Bob Jones")
    waiting.join(first)
    waiting.join(second, now=NOW + MINUTE)
    [to_first] = waiting.offer(now=NOW + MINUTE)
    decline(waiting, to_first, now=NOW + 2 * MINUTE)

    [to_second] = waiting.offer(now=NOW + 2 * MINUTE)
    decline(waiting, to_second, now=NOW + 3 * MINUTE)

    assert [offer.status for offer in waiting.of(first)] == [OfferStatus.DECLINED]
    assert waiting.of(second)[0].id == to_second
    assert waiting.offer(now=NOW + 3 * MINUTE) == [], "both have passed on it"
    with pytest.raises(OfferGone):
        accept(waiting, to_first, now=NOW + 4 * MINUTE)


def test_declining_again_changes_nothing_and_what_was_accepted_is_a_visit(waiting: WaitingList) -> None:
    patient = waiting.patient()
    waiting.join(patient)
    [offer_id] = waiting.offer()
    decline(waiting, offer_id)
    decline(waiting, offer_id)
    waiting.join(waiting.patient("Bob Jones"))
    [other] = waiting.offer()
    accept(waiting, other)

    assert [told["how"] for told in events(waiting.database, "booking.offer.ended")] == ["declined"]
    with pytest.raises(OfferGone):
        decline(waiting, other)


def test_who_does_not_answer_loses_it_to_the_next(waiting: WaitingList) -> None:
    first, second = waiting.patient("Ann Smith"), waiting.patient("Bob Jones")
    waiting.join(first)
    waiting.join(second, now=NOW + MINUTE)
    [to_first] = waiting.offer(now=NOW)

    with pytest.raises(OfferGone) as refused:
        accept(waiting, to_first, now=NOW + timedelta(minutes=30))
    assert waiting.database.run(lambda work: expire_offers(work, now=LATER)) == 1
    [to_second] = waiting.offer(now=LATER)

    assert refused.value.fields == {"status": "expired"}
    assert waiting.of(first)[0].status is OfferStatus.EXPIRED
    assert waiting.of(second)[0].id == to_second
    assert [told["how"] for told in events(waiting.database, "booking.offer.ended")] == ["expired"]
    assert waiting.database.run(lambda work: expire_offers(work, now=LATER)) == 0


def test_a_hold_that_lapsed_before_its_offer_was_ended_goes_to_the_next_as_well(waiting: WaitingList) -> None:
    waiting.join(waiting.patient())
    second = waiting.patient("Bob Jones")
    waiting.join(second, now=NOW + MINUTE)
    waiting.offer()
    waiting.database.run(lambda work: expire_holds(work, now=LATER))

    [to_second] = waiting.offer(now=LATER)
    waiting.database.run(lambda work: expire_offers(work, now=LATER))

    assert accept(waiting, to_second, now=LATER).patient_id == second


def test_an_offer_whose_time_the_clinic_took_back_is_gone(waiting: WaitingList) -> None:
    patient = waiting.patient()
    waiting.join(patient)
    [offer_id] = waiting.offer()
    [offer] = waiting.of(patient)
    waiting.database.run(lambda work: release_one(work, appointment_id=offer.hold_id, now=NOW))

    with pytest.raises(OfferGone):
        accept(waiting, offer_id)
    waiting.database.run(lambda work: expire_offers(work, now=NOW))

    assert [one.status for one in waiting.of(patient)] == [OfferStatus.GONE]


# To all at once.


def test_who_sits_in_a_group_then_is_not_offered_the_time(waiting: WaitingList) -> None:
    waiting = waiting.offering_to_all()
    ann, ben = waiting.patient(), waiting.patient("Ben Jones", phone="+12125550124")
    group = book(
        waiting.database,
        waiting.catalogue,
        service="flu-shot",
        practitioner="ruiz",
        starts_at=NINE,
        phone="+12125550125",
    )
    seat = {"appointment_id": group.id, "patient_id": ann, "status": AppointmentStatus.BOOKED, "source": Source.SMS}
    with waiting.database.begin() as work:
        work.session.execute(update(Appointment).where(Appointment.id == group.id).values(patient_id=None))
        work.session.execute(insert(Participant).values(**seat, created_at=NOW, changed_at=NOW))
    waiting.join(ann)
    waiting.join(ben)

    waiting.offer()

    assert (len(waiting.of(ann)), len(waiting.of(ben))) == (0, 1)


def test_where_the_clinic_says_so_everybody_is_offered_one_hold_that_names_nobody(waiting: WaitingList) -> None:
    waiting = waiting.offering_to_all()
    people = [waiting.patient(name) for name in ("Ann Smith", "Bob Jones", "Cem Kaya")]
    for number, patient in enumerate(people):
        waiting.join(patient, now=NOW + number * MINUTE)

    made = waiting.offer(now=NOW + 5 * MINUTE)

    offers = [waiting.of(patient)[0] for patient in people]
    assert sorted(offer.id for offer in offers) == sorted(made)
    assert len({offer.hold_id for offer in offers}) == 1
    with waiting.database.read() as session:
        hold = visit(session, appointment_id=offers[0].hold_id)
    assert hold.patient_id is None


def test_the_first_yes_gets_it_and_the_others_hear_that_it_is_gone(waiting: WaitingList) -> None:
    waiting = waiting.offering_to_all()
    people = [waiting.patient(name) for name in ("Ann Smith", "Bob Jones", "Cem Kaya")]
    for patient in people:
        waiting.join(patient)
    waiting.offer()
    offers = {patient: waiting.of(patient)[0] for patient in people}

    booked = accept(waiting, offers[people[1]].id)

    assert booked.patient_id == people[1]
    for loser in (people[0], people[2]):
        with pytest.raises(OfferGone):
            accept(waiting, offers[loser].id)
        assert waiting.of(loser)[0].status is OfferStatus.GONE
    assert [told["how"] for told in events(waiting.database, "booking.offer.ended")] == ["gone", "gone"]


def test_a_shared_time_is_free_again_when_the_last_one_has_declined(waiting: WaitingList) -> None:
    waiting = waiting.offering_to_all()
    people = [waiting.patient(name) for name in ("Ann Smith", "Bob Jones")]
    for patient in people:
        waiting.join(patient)
    waiting.offer()
    first, second = (waiting.of(patient)[0] for patient in people)

    decline(waiting, first.id)
    with waiting.database.read() as session:
        assert visit(session, appointment_id=first.hold_id).is_hold
    decline(waiting, second.id)

    with waiting.database.read() as session:
        assert not visit(session, appointment_id=first.hold_id).is_hold


def test_one_of_many_may_have_the_time_instead_of_a_visit(waiting: WaitingList) -> None:
    waiting = waiting.offering_to_all()
    later = waiting.taken(NINE + timedelta(days=2))
    waiting.join(str(later.patient_id), replaces_id=later.id, spans=(AT_NINE,))
    waiting.join(waiting.patient("Bob Jones"))
    waiting.offer()

    moved = accept(waiting, waiting.of(str(later.patient_id))[0].id)

    assert (moved.id, moved.starts_at) == (later.id, NINE)


# Another time for a visit.


def test_an_earlier_time_moves_the_visit_and_frees_the_old_one(waiting: WaitingList) -> None:
    earlier, later = waiting.taken(NINE), waiting.taken(NINE + timedelta(days=2))
    patient = str(later.patient_id)
    waiting.join(patient, replaces_id=later.id)
    waiting.free(earlier)
    [offer_id] = waiting.offer()

    moved = accept(waiting, offer_id)

    assert (moved.id, moved.uid, moved.starts_at) == (later.id, later.uid, NINE)
    assert accept(waiting, offer_id).starts_at == NINE
    with waiting.database.read() as session:
        old = Interval(later.starts_at, later.starts_at + MINUTE)
        assert find_slots(session, waiting.catalogue, query=SlotQuery("service-skin-check", old), now=NOW)
        assert "moved" in [line.what for line in history(session, appointment_id=later.id)]


def test_a_visit_of_a_length_that_is_no_more_keeps_no_other_waiting(waiting: WaitingList) -> None:
    earlier, later = waiting.taken(NINE), waiting.taken(NINE + timedelta(days=2))
    waiting.join(str(later.patient_id), replaces_id=later.id)
    second = waiting.patient("Ben Gray", phone="+12125550124")
    waiting.join(second)
    lengths = {"duration": 10 * MINUTE, "longest": 20 * MINUTE, "duration_step": 10 * MINUTE}
    services = tuple(
        replace(one, **lengths) if one.id == later.service_id else one for one in waiting.catalogue.services
    )
    waiting = replace(waiting, catalogue=replace(waiting.catalogue, services=services, _by_id={}))
    waiting.free(earlier)

    made = waiting.offer()

    assert [offer.id for offer in waiting.of(second)] == made != []


def test_who_has_a_visit_and_names_no_times_is_only_offered_earlier_ones(waiting: WaitingList) -> None:
    first_ever = datetime(2027, 3, 12, 14, 0, tzinfo=UTC)  # the next day on which she works
    having = waiting.taken(first_ever)
    waiting.join(str(having.patient_id), replaces_id=having.id, spans=())

    made = waiting.offer(now=first_ever - timedelta(hours=3))

    assert made == []


def test_a_visit_that_may_not_be_moved_any_more_is_not_offered_another_time(waiting: WaitingList) -> None:
    waiting = waiting.with_rules(rules=replace(waiting.catalogue.rules, max_moves=0))
    having = waiting.taken(NINE + timedelta(days=2))
    waiting.join(str(having.patient_id), replaces_id=having.id)

    assert waiting.offer() == []


def test_an_entry_ends_with_the_visit_that_it_was_to_move(waiting: WaitingList) -> None:
    having = waiting.taken(NINE + timedelta(days=2))
    entry_id = waiting.join(str(having.patient_id), replaces_id=having.id)
    waiting.free(having)

    assert waiting.offer() == []
    waiting.database.run(lambda work: expire_offers(work, now=NOW))

    with waiting.database.read() as session:
        assert session.get_one(WaitlistEntry, entry_id).status == "expired"


# Nobody is offered what they could not book.


def test_a_patient_who_may_not_book_is_passed_over(waiting: WaitingList) -> None:
    blocked, next_one = waiting.patient("Ann Smith"), waiting.patient("Bob Jones")
    waiting.join(blocked)
    waiting.join(next_one, now=NOW + MINUTE)
    with waiting.database.begin() as work:
        work.session.execute(update(Patient).where(Patient.id == blocked).values(blocked=True))

    [offer_id] = waiting.offer(now=NOW + MINUTE)

    assert waiting.of(next_one)[0].id == offer_id


def busy_then(waiting: WaitingList, patient_id: str, starts_at: datetime) -> None:
    with waiting.database.begin() as work:
        hold = place_hold(
            work,
            waiting.catalogue,
            service_id="service-physio-followup",
            location_id="location-riverside",
            starts_at=starts_at,
            conversation_id=f"conversation-{starts_at}",
            patient_id=patient_id,
            source=Source.SMS,
            now=NOW,
        )
        confirm_hold(work, waiting.catalogue, appointment_id=hold.id, patient_id=patient_id, now=NOW, actor="patient")


def test_a_patient_who_has_another_visit_then_is_passed_over(waiting: WaitingList) -> None:
    patient = waiting.patient()
    waiting.join(patient)
    busy_then(waiting, patient, NINE)

    assert waiting.offer() == []


def test_a_patient_with_enough_visits_that_day_is_passed_over(waiting: WaitingList) -> None:
    waiting = waiting.with_rules(rules=BookingRules(max_per_patient_per_day=1))
    patient = waiting.patient()
    waiting.join(patient)
    busy_then(waiting, patient, NINE + timedelta(hours=3))

    assert waiting.offer() == []


def test_what_came_up_since_the_offer_is_told_and_the_offer_stands(waiting: WaitingList) -> None:
    waiting = waiting.offering_to_all()
    patient = waiting.patient()
    waiting.join(patient)
    [offer_id] = waiting.offer()
    busy_then(waiting, patient, NINE)

    with pytest.raises(PatientOverlap):
        accept(waiting, offer_id)

    assert waiting.of(patient)[0].status is OfferStatus.OPEN


def test_the_deadline_is_never_later_than_the_notice_of_the_visit(waiting: WaitingList) -> None:
    patient = waiting.patient()
    waiting.join(patient)
    just_in_time = NINE - timedelta(hours=2, minutes=10)

    waiting.offer(now=just_in_time)

    assert waiting.of(patient, now=just_in_time)[0].expires_at == NINE - timedelta(hours=2)
    assert WaitingList.offer(waiting, now=NINE - timedelta(hours=1)) == []


def test_at_night_the_deadline_runs_from_the_morning(waiting: WaitingList) -> None:
    patient = waiting.patient()
    waiting.join(patient)
    morning = NOW + timedelta(hours=9)

    waiting.database.run(
        lambda work: offer_freed_time(work, waiting.catalogue, now=NOW, tell_from=lambda _now, _zone: morning)
    )

    assert waiting.of(patient)[0].expires_at == morning + timedelta(minutes=30)


def test_who_wants_anybody_anywhere_gets_the_first_time_there_is(waiting: WaitingList) -> None:
    patient = waiting.patient()
    waiting.join(patient, service_id="service-flu-shot", spans=())

    waiting.offer()

    with waiting.database.read() as session:
        slots = find_slots(
            session,
            waiting.catalogue,
            query=SlotQuery("service-flu-shot", Interval(NOW, NOW + timedelta(days=7))),
            now=NOW - timedelta(hours=1),
        )
        hold = visit(session, appointment_id=waiting.of(patient)[0].hold_id)
    # A time of exactly the minimum notice leaves nobody time to answer.
    earliest = min(slot.starts_at for slot in slots if slot.starts_at > NOW + timedelta(hours=2))
    assert hold.starts_at == earliest


# Joining and leaving.


def test_the_same_wish_twice_is_one_entry(waiting: WaitingList) -> None:
    patient = waiting.patient()
    wish = {"practitioner_ids": ("practitioner-carter",), "location_ids": ("location-riverside",)}

    entry_id = waiting.join(patient, **wish)

    assert waiting.join(patient, now=NOW + MINUTE, **wish) == entry_id
    assert waiting.join(patient) != entry_id


def test_an_entry_waits_as_long_as_the_clinic_says_and_no_longer_than_its_times(waiting: WaitingList) -> None:
    patient = waiting.patient()
    waiting.join(patient, spans=())
    waiting.join(patient)
    with waiting.database.read() as session:
        entries = entries_of_patient(session, clinic_id=waiting.catalogue.clinic_id, patient_id=patient, now=NOW)
    assert {entry.expires_at for entry in entries} == {NOW + timedelta(days=30), AT_NINE.end}

    waiting.database.run(lambda work: expire_offers(work, now=NOW + timedelta(days=30)))

    with waiting.database.read() as session:
        assert set(session.scalars(select(WaitlistEntry.status))) == {"expired"}


def test_who_leaves_lets_go_what_they_were_offered(waiting: WaitingList) -> None:
    patient, next_one = waiting.patient("Ann Smith"), waiting.patient("Bob Jones")
    entry_id = waiting.join(patient)
    waiting.join(next_one, now=NOW + MINUTE)
    waiting.offer()
    clinic_id = waiting.catalogue.clinic_id

    for _ in range(2):
        waiting.database.run(lambda work: leave_waitlist(work, clinic_id=clinic_id, entry_id=entry_id, now=NOW))
    waiting.offer(now=NOW + MINUTE)

    assert waiting.of(patient) == []
    assert waiting.of(next_one)[0].status is OfferStatus.OPEN


def span(start: datetime, hours: float = 1) -> tuple[Interval, ...]:
    return (Interval(start, start + timedelta(hours=hours)),)


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        ({"service_id": "service-nothing"}, UnknownService),
        ({"practitioner_ids": ("practitioner-nobody",)}, UnknownPractitioner),
        ({"location_ids": ("location-nowhere",)}, UnknownLocation),
        ({"replaces_id": "visit-none"}, UnknownVisit),
        ({"location_ids": ("location-main",)}, NotOffered),
        ({"practitioner_ids": ("practitioner-lee",)}, NotOffered),
        ({"spans": span(NOW - timedelta(hours=3))}, InThePast),
        ({"spans": span(NOW, hours=1)}, TooSoon),
        ({"spans": span(NOW + timedelta(days=91))}, TooFar),
        ({"spans": span(NOW + timedelta(days=365 * 50))}, ImplausibleTime),
        ({"spans": span(NINE) * 101}, TooManySpans),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    waiting: WaitingList, wish: dict[str, object], refusal: type[Exception]
) -> None:
    patient = waiting.patient()

    with pytest.raises(refusal):
        waiting.join(patient, **wish)

    with waiting.database.read() as session:
        assert session.scalars(select(WaitlistEntry)).all() == []


def test_a_patient_nobody_knows_or_who_is_blocked_can_not_join(waiting: WaitingList) -> None:
    patient = waiting.patient()
    with waiting.database.begin() as work:
        work.session.execute(update(Patient).values(blocked=True))

    with pytest.raises(PatientBlocked):
        waiting.join(patient)
    with pytest.raises(UnknownPatient):
        waiting.join("patient-nobody")


def test_a_visit_to_move_is_the_patient_s_own_ahead_and_for_the_same_service(waiting: WaitingList) -> None:
    having = waiting.taken()
    other = book(
        waiting.database,
        waiting.catalogue,
        service="physio-followup",
        practitioner="novak",
        location="riverside",
        starts_at=NINE,
    )

    with pytest.raises(UnknownVisit):
        waiting.join(waiting.patient("Bob Jones"), replaces_id=having.id)
    with pytest.raises(OtherService):
        waiting.join(str(other.patient_id), replaces_id=other.id)
    with pytest.raises(AlreadyOver):
        waiting.join(str(having.patient_id), replaces_id=having.id, now=NINE, spans=())


def test_a_package_has_no_waiting_list(waiting: WaitingList) -> None:
    package = a_service("both", "Both", steps=("service-cleaning", "service-dental-exam"))
    catalogue = replace(waiting.catalogue, services=(*waiting.catalogue.services, package), _by_id={})

    with pytest.raises(NoWaitingList):
        replace(waiting, catalogue=catalogue).join(waiting.patient(), service_id=package.id)


def test_a_span_has_zones_and_an_order() -> None:
    with pytest.raises(EndBeforeStart):
        span_asked(NINE, NINE, now=NOW)
    with pytest.raises(TimeWithoutZone):
        span_asked(NINE.replace(tzinfo=None), NINE, now=NOW)
    assert span_asked(AT_NINE.start, AT_NINE.end, now=NOW) == AT_NINE


def test_another_clinic_s_offers_and_entries_are_unknown(waiting: WaitingList) -> None:
    entry_id = waiting.join(waiting.patient())
    [offer_id] = waiting.offer()
    elsewhere = replace(waiting, catalogue=replace(waiting.catalogue, clinic_id="clinic-other", _by_id={}))

    with pytest.raises(UnknownOffer):
        accept(elsewhere, offer_id)
    with pytest.raises(UnknownOffer):
        decline(elsewhere, offer_id)
    with pytest.raises(UnknownEntry):
        waiting.database.run(lambda work: leave_waitlist(work, clinic_id="clinic-other", entry_id=entry_id, now=NOW))


def test_offers_are_found_by_the_number_they_went_to(waiting: WaitingList) -> None:
    parent = waiting.patient("Ann Smith", phone="+12125550150")
    child = waiting.patient("Tim Smith", phone="+12125550151", booked_by=parent)
    waiting.join(child)
    waiting.offer()

    def found(phone: str, now: datetime = NOW) -> int:
        with waiting.database.read() as session:
            return len(open_offers_of_number(session, clinic_id=waiting.catalogue.clinic_id, phone=phone, now=now))

    assert [found("+12125550150"), found("+12125550151"), found("+12125550152")] == [1, 1, 0]
    assert found("+12125550150", LATER) == 0


def test_how_much_is_read_does_not_depend_on_how_many_wait(
    waiting: WaitingList, statements: Callable[[Callable[[], object]], int]
) -> None:
    waiting.taken()
    waiting.join(waiting.patient("Ann Smith"))
    for_one = statements(waiting.offer)
    for number in range(8):
        waiting.join(waiting.patient(f"Bob Jones{number}"), now=NOW + number * MINUTE)

    assert statements(waiting.offer) == for_one


@pytest.fixture
def statements(database: Database) -> Callable[[Callable[[], object]], int]:
    """Count the statements that a call sends."""
    from sqlalchemy import event

    def count(call: Callable[[], object]) -> int:
        sent: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            sent.append(statement)

        event.listen(database.engine, "before_cursor_execute", note)
        try:
            call()
        finally:
            event.remove(database.engine, "before_cursor_execute", note)
        return len(sent)

    return count


def test_a_hold_of_an_offer_is_no_visit_yet(waiting: WaitingList) -> None:
    patient = waiting.patient()
    waiting.join(patient)
    waiting.offer()

    with waiting.database.read() as session:
        assert upcoming_visits(session, patient_ids=(patient,), now=NOW) == []
        assert session.scalar(select(Appointment.source).where(Appointment.patient_id == patient)) == "sms"
