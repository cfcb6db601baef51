"""Packages, households and series: held and booked all or nothing, on both databases."""

import dataclasses
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from redis import Redis
from sqlalchemy import event, func, select

from booking.asked import TimeWithoutZone, UnknownLocation, UnknownPatient, UnknownPractitioner, UnknownService
from booking.cancel import cancel_appointment
from booking.confirm import NotHeld
from booking.guard import SlotTaken
from booking.hold import place_hold, release_one
from booking.model.appointment import Allocation, Appointment, Bundle
from booking.queries import find_first_slot, find_slots, find_slots_many
from booking.rules import OutsideHours, PatientOverlap, TooLateToChange, TooSoon
from booking.several.bundles import (
    NoParts,
    NotThePackage,
    PartsOverlap,
    PartWish,
    PatientMissing,
    TooManyParts,
    UnknownBundle,
    cancel_bundle,
    confirm_bundle,
    place_bundle,
    place_package,
    release_bundle,
    visits_of_bundle,
)
from booking.several.household import NotForHouseholds, Together, find_household_slots, household_parts
from booking.several.series import Series, SeriesImpossible, SeriesTooLong, place_series
from booking.shown import ShownSlots
from booking.values import AppointmentStatus, BookedVisit, BundleKind, Catalogue, Slot, SlotQuery, Source
from kernel.errors import Refused
from kernel.interval import Interval
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.together import PACKAGE, STEPS, elm_with_more

pytestmark = pytest.mark.integration

MONDAY_NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LEE, RUIZ, BEN, ITO = (f"practitioner-{key}" for key in ("lee", "ruiz", "ben-carter", "ito"))
FLU_SHOT, CLEANING, EXAM = "service-flu-shot", "service-cleaning", "service-dental-exam"
MAIN = "location-main"


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    stored = elm_with_more()
    with database.begin() as work:
        store_catalogue(work, stored)
    return stored


class Desk:
    """The clinic as a conversation uses it; each call is a transaction of its own."""

    def __init__(self, database: Database, catalogue: Catalogue, now: datetime) -> None:
        self.database, self.catalogue, self.now = database, catalogue, now

    def place(self, *parts: PartWish, kind: BundleKind = BundleKind.HOUSEHOLD, **changes: Any) -> Sequence[BookedVisit]:
        details = {"conversation_id": "conversation-1", "source": Source.SMS} | changes
        with self.database.begin() as work:
            return place_bundle(work, self.catalogue, kind=kind, parts=parts, now=self.now, **details)

    def package(self, parts: Sequence[PartWish], **changes: Any) -> Sequence[BookedVisit]:
        details = {"service_id": PACKAGE, "conversation_id": "conversation-1", "source": Source.SMS} | changes
        with self.database.begin() as work:
            return place_package(work, self.catalogue, parts=parts, now=self.now, **details)

    def series(self, rule: str, first: PartWish, **changes: Any) -> Series:
        details = {"conversation_id": "conversation-1", "source": Source.SMS} | changes
        with self.database.begin() as work:
            return place_series(work, self.catalogue, rule=rule, first=first, now=self.now, **details)

    def confirm(self, visits: Sequence[BookedVisit], patient_ids: Any) -> Sequence[BookedVisit]:
        with self.database.begin() as work:
            return confirm_bundle(
                work,
                self.catalogue,
                bundle_id=str(visits[0].bundle_id),
                patient_ids=patient_ids,
                now=self.now,
                actor="patient",
            )

    def cancel(self, bundle_id: str | None, **changes: Any) -> Sequence[BookedVisit]:
        details = {"reason": "changed plans", "actor": "patient", "source": Source.SMS} | changes
        with self.database.begin() as work:
            return cancel_bundle(work, self.catalogue, bundle_id=str(bundle_id), now=self.now, **details)

    def release(self, bundle_id: str | None) -> None:
        with self.database.begin() as work:
            release_bundle(work, self.catalogue, bundle_id=str(bundle_id), now=self.now)

    def look(self, bundle_id: str | None) -> list[AppointmentStatus]:
        with self.database.read() as session:
            visits = visits_of_bundle(session, self.catalogue, bundle_id=str(bundle_id))
        return [visit.status for visit in visits]

    def take(self, starts_at: datetime, practitioner_id: str = RUIZ, service_id: str = FLU_SHOT) -> BookedVisit:
        with self.database.begin() as work:
            return place_hold(
                work,
                self.catalogue,
                service_id=service_id,
                location_id=MAIN,
                starts_at=starts_at,
                practitioner_ids=(practitioner_id,),
                conversation_id=f"other-{starts_at}-{practitioner_id}",
                source=Source.PHONE,
                now=self.now,
            )

    def written(self) -> tuple[int, int, int]:
        """Say how many Appointments, live Allocations and bundles there are."""
        with self.database.read() as session:
            live = select(func.count()).select_from(Allocation).where(Allocation.live)
            return (
                session.scalar(select(func.count()).select_from(Appointment)) or 0,
                session.scalar(live) or 0,
                session.scalar(select(func.count()).select_from(Bundle)) or 0,
            )

    def rule(self, **changes: Any) -> None:
        rules = dataclasses.replace(self.catalogue.rules, **changes)
        self.catalogue = dataclasses.replace(self.catalogue, rules=rules, _by_id={})


@pytest.fixture
def desk(database: Database, catalogue: Catalogue, now: datetime) -> Desk:
    return Desk(database, catalogue, now)


def flu(minutes: int = 0, *practitioner_ids: str, **changes: Any) -> PartWish:
    return PartWish(FLU_SHOT, MAIN, MONDAY_NINE + minutes * MINUTE, practitioner_ids, **changes)


def test_a_package_is_found_held_and_booked_as_one(desk: Desk, a_patient: Callable[..., str]):
    query = SlotQuery(PACKAGE, Interval(MONDAY_NINE, MONDAY_NINE + DAY))
    with desk.database.read() as session:
        slots = find_slots(session, desk.catalogue, query=query, now=desk.now)
        assert find_first_slot(session, desk.catalogue, query=query, now=desk.now) == slots[0]

    visits = desk.package([PartWish.of(part) for part in slots[0].parts])
    booked = desk.confirm(visits, a_patient())

    assert slots[0].starts_at == MONDAY_NINE
    assert [visit.service_id for visit in booked] == list(STEPS)
    assert {visit.status for visit in booked} == {AppointmentStatus.BOOKED}
    assert [(v.starts_at, v.practitioner_id) for v in booked] == [
        (part.starts_at, part.practitioner_id) for part in slots[0].parts
    ]
    with desk.database.read() as session:
        later = find_slots(session, desk.catalogue, query=query, now=desk.now)
    assert not {slot.parts for slot in later} & {slots[0].parts}


def test_searching_for_several_packages_takes_as_many_statements_as_for_one_visit(desk: Desk):
    def statements(queries: list[SlotQuery]) -> int:
        count = 0

        def counted(*_: Any) -> None:
            nonlocal count
            count += 1

        with desk.database.read() as session:
            event.listen(desk.database.engine, "before_cursor_execute", counted)
            try:
                find_slots_many(session, desk.catalogue, queries=queries, now=desk.now)
            finally:
                event.remove(desk.database.engine, "before_cursor_execute", counted)
        return count

    span = Interval(MONDAY_NINE, MONDAY_NINE + 5 * DAY)

    assert statements([SlotQuery(PACKAGE, span)] * 3) == statements([SlotQuery(FLU_SHOT, span)])


def test_a_package_kept_for_showing_is_looked_for_again_once_a_step_is_taken(desk: Desk, redis_url: str):
    query = SlotQuery(PACKAGE, Interval(MONDAY_NINE, MONDAY_NINE + DAY), (RUIZ,))

    def shown() -> list[Slot]:
        with desk.database.read() as session:
            return cache.find_slots_many(session, desk.catalogue, queries=[query], now=desk.now)[0]

    with Redis.from_url(redis_url) as redis:
        cache = ShownSlots(redis)
        before = shown()
        with desk.database.begin() as work:
            first = before[0].parts[0]
            wish = PartWish.of(first)
            place_bundle(
                work,
                desk.catalogue,
                kind=BundleKind.HOUSEHOLD,
                parts=[wish],
                conversation_id=None,
                source=Source.SMS,
                now=desk.now,
            )
        cache.changed(frozenset(work.touched))

        assert before[0] not in shown()


def test_if_one_part_is_taken_nothing_is_held(desk: Desk):
    desk.take(MONDAY_NINE + 15 * MINUTE)
    before = desk.written()

    with pytest.raises(SlotTaken):
        desk.place(flu(0, RUIZ), flu(15, RUIZ))

    assert desk.written() == before


def test_a_bundle_replaces_what_the_conversation_held_only_if_it_can_be_had(desk: Desk):
    first = desk.place(flu(0, RUIZ), flu(15, RUIZ))
    desk.take(MONDAY_NINE + 60 * MINUTE)

    with pytest.raises(SlotTaken):
        desk.place(flu(45, RUIZ), flu(60, RUIZ))
    assert desk.look(first[0].bundle_id) == [AppointmentStatus.PENDING] * 2

    second = desk.place(flu(0, RUIZ), flu(30, RUIZ))
    assert desk.look(first[0].bundle_id) == [AppointmentStatus.CANCELLED] * 2
    assert desk.look(second[0].bundle_id) == [AppointmentStatus.PENDING] * 2


def test_people_are_divided_so_that_every_part_can_be_had(desk: Desk):
    # On Monday at nine Ben and Dr. Ruiz give flu shots; Ben alone would be left for the second if the first took Dr. Ruiz.
    for _ in range(2):
        visits = desk.place(flu(), flu(0, BEN))
        assert [visit.practitioner_id for visit in visits] == [RUIZ, BEN]

        visits = desk.place(flu(), flu(0, RUIZ))
        assert [visit.practitioner_id for visit in visits] == [BEN, RUIZ]


def test_two_people_of_a_household_may_overlap_and_one_may_not(desk: Desk, a_patient: Callable[..., str]):
    ann, bea = a_patient("Ann Smith"), a_patient("Bea Smith")

    with pytest.raises(PartsOverlap):
        desk.place(flu(0, RUIZ, patient_id=ann), flu(0, BEN, patient_id=ann))
    with pytest.raises(PartsOverlap):
        desk.place(flu(0, RUIZ), flu(0, BEN), kind=BundleKind.PACKAGE)
    assert desk.written() == (0, 0, 0)

    visits = desk.place(flu(0, RUIZ, patient_id=ann), flu(0, BEN, patient_id=bea))
    booked = desk.confirm(visits, {})
    assert [visit.patient_id for visit in sorted(booked, key=lambda one: one.practitioner_id)] == [bea, ann]


def test_two_parts_that_overlap_are_not_both_confirmed_for_one_patient(desk: Desk, a_patient: Callable[..., str]):
    visits = desk.place(flu(0, RUIZ), flu(0, BEN))

    with pytest.raises(PatientOverlap):
        desk.confirm(visits, a_patient())
    with pytest.raises(PatientMissing):
        desk.confirm(visits, {visits[0].id: a_patient()})

    assert desk.look(visits[0].bundle_id) == [AppointmentStatus.PENDING] * 2


def test_a_household_finds_time_at_once_and_one_after_the_other(desk: Desk, a_patient: Callable[..., str]):
    span = Interval(MONDAY_NINE, MONDAY_NINE + DAY)
    wishes = [SlotQuery(CLEANING, span), SlotQuery(CLEANING, span)]

    def found(together: Together) -> Any:
        with desk.database.read() as session:
            return find_household_slots(session, desk.catalogue, wishes=wishes, together=together, now=desk.now)

    at_once, in_turn = found(Together.PARALLEL), found(Together.BACK_TO_BACK)

    assert {part.practitioner_id for part in at_once[0].parts} == {LEE, BEN}
    assert {part.starts_at for part in at_once[0].parts} == {MONDAY_NINE}
    first, second = in_turn[0].parts
    assert second.starts_at == first.ends_at
    ann, bea = a_patient("Ann Smith"), a_patient("Bea Smith")
    visits = desk.place(*household_parts(at_once[0], patient_ids=[ann, bea]))
    assert len(desk.confirm(visits, {})) == 2
    assert MONDAY_NINE not in {slot.starts_at for slot in found(Together.PARALLEL)}


def test_confirming_again_gives_the_same_and_what_was_given_back_is_not_confirmed(
    desk: Desk, a_patient: Callable[..., str]
):
    patient_id = a_patient()
    visits = desk.place(flu(0, RUIZ), flu(15, RUIZ))

    once, twice = desk.confirm(visits, patient_id), desk.confirm(visits, patient_id)
    assert once == twice

    others = desk.place(flu(60, RUIZ), flu(75, RUIZ))
    with desk.database.begin() as work:
        release_one(work, appointment_id=others[1].id, now=desk.now)
    with pytest.raises(NotHeld):
        desk.confirm(others, patient_id)
    assert desk.look(others[0].bundle_id) == [AppointmentStatus.PENDING, AppointmentStatus.CANCELLED]


def test_holds_that_ran_out_are_claimed_anew_all_or_none(desk: Desk, a_patient: Callable[..., str]):
    patient_id = a_patient()
    visits = desk.place(flu(0, RUIZ), flu(15, RUIZ))
    others = desk.place(flu(60, RUIZ), flu(75, RUIZ), conversation_id="conversation-2")
    desk.now += timedelta(minutes=30)

    assert [visit.status for visit in desk.confirm(visits, patient_id)] == [AppointmentStatus.BOOKED] * 2

    desk.take(MONDAY_NINE + 75 * MINUTE)
    with pytest.raises(SlotTaken):
        desk.confirm(others, patient_id)
    assert desk.look(others[0].bundle_id) == [AppointmentStatus.PENDING] * 2


def test_what_is_ahead_of_a_bundle_is_called_off_at_once(desk: Desk, a_patient: Callable[..., str]):
    visits = desk.place(flu(0, RUIZ), flu(24 * 60, RUIZ), flu(48 * 60, RUIZ), kind=BundleKind.SERIES)
    booked = desk.confirm(visits, a_patient())
    bundle_id = booked[0].bundle_id

    assert len(desk.cancel(bundle_id, from_at=booked[2].starts_at)) == 1
    desk.now = booked[0].ends_at
    cancelled = desk.cancel(bundle_id)
    assert [visit.id for visit in cancelled] == [visit.id for visit in booked[1:]]
    assert desk.cancel(bundle_id) == cancelled
    assert desk.look(bundle_id) == [AppointmentStatus.BOOKED] + [AppointmentStatus.CANCELLED] * 2
    assert desk.confirm(visits, str(booked[0].patient_id)) == (booked[0],)


def test_if_it_is_too_late_for_one_visit_none_is_called_off(desk: Desk, a_patient: Callable[..., str]):
    booked = desk.confirm(desk.place(flu(0, RUIZ), flu(24 * 60, RUIZ), kind=BundleKind.SERIES), a_patient())
    desk.rule(cancel_notice=timedelta(hours=24))
    desk.now = MONDAY_NINE - timedelta(hours=3)

    with pytest.raises(TooLateToChange):
        desk.cancel(booked[0].bundle_id)
    assert desk.look(booked[0].bundle_id) == [AppointmentStatus.BOOKED] * 2
    assert len(desk.cancel(booked[0].bundle_id, actor="staff:ann")) == 2


def test_what_is_only_held_is_given_back(desk: Desk):
    visits = desk.place(flu(0, RUIZ), flu(15, RUIZ))

    desk.release(visits[0].bundle_id)
    desk.release(visits[0].bundle_id)

    assert desk.look(visits[0].bundle_id) == [AppointmentStatus.CANCELLED] * 2
    assert desk.written()[1] == 0
    assert desk.cancel(visits[0].bundle_id) == ()


def test_a_package_counts_as_one_visit_of_the_day(desk: Desk, a_patient: Callable[..., str]):
    desk.rule(max_per_patient_per_day=1)
    patient_id = a_patient()
    parts = [
        PartWish(STEPS[0], MAIN, MONDAY_NINE, patient_id=patient_id),
        PartWish(STEPS[1], MAIN, MONDAY_NINE + 15 * MINUTE, patient_id=patient_id),
    ]

    booked = desk.confirm(desk.package(parts), patient_id)

    assert [visit.status for visit in booked] == [AppointmentStatus.BOOKED] * 2
    with pytest.raises(Refused) as refused:
        desk.place(flu(180, RUIZ, patient_id=patient_id))
    assert refused.value.code == "patient-daily-maximum"


@pytest.mark.parametrize(
    ("parts", "refusal"),
    [
        ((), NoParts),
        (tuple(flu(15 * number, RUIZ) for number in range(100)), TooManyParts),
        ((flu(), PartWish("service-of-others", MAIN, MONDAY_NINE)), UnknownService),
        ((flu(), PartWish(FLU_SHOT, "location-of-others", MONDAY_NINE)), UnknownLocation),
        ((flu(0, RUIZ), flu(0, "practitioner-of-others")), UnknownPractitioner),
        ((flu(0, RUIZ), flu(15, RUIZ, patient_id="patient-of-others")), UnknownPatient),
        ((flu(0, RUIZ), PartWish(FLU_SHOT, MAIN, datetime(2027, 3, 15, 9, 0))), TimeWithoutZone),  # noqa: DTZ001 -- the fault
        ((flu(0, RUIZ), flu(7, RUIZ)), OutsideHours),
        ((flu(0, RUIZ), flu(15 - 5 * 24 * 60, RUIZ)), TooSoon),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    desk: Desk, parts: tuple[PartWish, ...], refusal: type[Refused]
):
    if refusal is TooSoon:
        desk.now = parts[1].starts_at - timedelta(minutes=30)
    with pytest.raises(refusal):
        desk.place(*parts)

    assert desk.written() == (0, 0, 0)


def test_only_the_steps_of_a_package_in_order_are_the_package(desk: Desk):
    first, second = PartWish(STEPS[0], MAIN, MONDAY_NINE), PartWish(STEPS[1], MAIN, MONDAY_NINE + 15 * MINUTE)
    late = dataclasses.replace(second, starts_at=MONDAY_NINE + 60 * MINUTE)
    elsewhere = dataclasses.replace(second, location_id="location-riverside")

    for parts in ([second, first], [first], [first, late], [first, elsewhere], [first, second, second]):
        with pytest.raises(NotThePackage):
            desk.package(parts)
    with pytest.raises(NotThePackage):
        desk.package([first, second], service_id=FLU_SHOT)

    assert desk.written() == (0, 0, 0)


def test_bundles_of_nobody_and_of_other_clinics_are_unknown(desk: Desk):
    visits = desk.place(flu(0, RUIZ))
    others = dataclasses.replace(desk.catalogue, clinic_id="clinic-of-others", _by_id={})  # type: ignore[arg-type]  # an id

    for desk_of, bundle_id in ((desk, "nothing"), (Desk(desk.database, others, desk.now), visits[0].bundle_id)):
        for call in (desk_of.cancel, desk_of.release, desk_of.look):
            with pytest.raises(UnknownBundle):
                call(bundle_id)


def test_nobody_too_many_and_groups_are_no_household(desk: Desk):
    span = Interval(MONDAY_NINE, MONDAY_NINE + DAY)
    for wishes, refusal in (
        ([], NoParts),
        ([SlotQuery(FLU_SHOT, span)] * 100, TooManyParts),
        ([SlotQuery(PACKAGE, span)], NotForHouseholds),
    ):
        with pytest.raises(refusal), desk.database.read() as session:
            find_household_slots(session, desk.catalogue, wishes=wishes, together=Together.PARALLEL, now=desk.now)


def test_a_series_keeps_its_person_and_its_wall_time_and_tells_what_is_taken(desk: Desk, a_patient: Callable[..., str]):
    new_york = ZoneInfo("America/New_York")
    thursday = datetime(2027, 3, 11, 15, 0, tzinfo=UTC)  # 10:00, before the clocks change on Sunday
    desk.take(datetime(2027, 3, 25, 14, 0, tzinfo=UTC), LEE, CLEANING)
    first = PartWish(CLEANING, MAIN, thursday, (LEE,))

    series = desk.series("FREQ=WEEKLY;COUNT=5", first)
    booked = desk.confirm(series.visits, a_patient())

    assert {visit.starts_at.astimezone(new_york).hour for visit in booked} == {10}
    assert [visit.starts_at.astimezone(new_york).day for visit in booked] == [11, 18, 8]
    # Somebody has the 25th, and on the 1st of April Dr. Lee is away.
    assert [(at.astimezone(new_york).day, refusal.code) for at, refusal in series.skipped] == [
        (25, "slot-taken"),
        (1, "outside-hours"),
    ]
    assert not series.ends_early


def test_a_series_for_anybody_stays_with_whom_it_begins(desk: Desk):
    series = desk.series("FREQ=DAILY;COUNT=5", flu())

    assert len({visit.practitioner_id for visit in series.visits}) == 1


def test_a_series_without_an_end_ends_where_the_clinic_stops_booking_ahead(desk: Desk):
    series = desk.series("FREQ=WEEKLY", flu(0, RUIZ))

    assert series.ends_early
    assert max(visit.starts_at for visit in series.visits) <= desk.now + desk.catalogue.rules.maximum_advance
    assert len(series.visits) == 13


def test_a_series_of_which_no_date_can_be_had_is_refused_and_nothing_is_written(
    desk: Desk, a_patient: Callable[..., str]
):
    with pytest.raises(SeriesImpossible) as impossible:
        desk.series("FREQ=WEEKLY;COUNT=3", flu(12 * 60, RUIZ))
    assert [refusal.code for refusal in impossible.value.also] == ["outside-hours"]
    with pytest.raises(SeriesTooLong):
        desk.series("FREQ=DAILY;COUNT=10000", flu(0, RUIZ))

    assert desk.written() == (0, 0, 0)


def test_cancelling_one_visit_leaves_the_others_of_its_bundle(desk: Desk, a_patient: Callable[..., str]):
    booked = desk.confirm(desk.place(flu(0, RUIZ), flu(15, RUIZ)), a_patient())
    with desk.database.begin() as work:
        cancel_appointment(
            work,
            desk.catalogue,
            appointment_id=booked[0].id,
            reason=None,
            now=desk.now,
            actor="patient",
            source=Source.SMS,
        )

    assert desk.look(booked[0].bundle_id) == [AppointmentStatus.CANCELLED, AppointmentStatus.BOOKED]
