"""A practitioner is away: whom it hits, what they can have instead, and doing it in one step, on both databases."""

import contextlib
import dataclasses
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from booking.asked import ImplausibleTime, UnknownLocation, UnknownPractitioner
from booking.catalogue import load_catalogue
from booking.confirm import NotHeld, confirm_hold
from booking.desk.absence import Absence, absences
from booking.desk.absence_rows import take_back_absence
from booking.desk.away import Choice, EndBeforeStart, Hit, Instead, Outcome, Settled, apply_away, preview_away
from booking.desk.offered_moves import accept_move, decline_move, offered_moves
from booking.guard import SlotTaken
from booking.hold import place_hold
from booking.model.appointment import Allocation, Appointment, Bundle
from booking.model.schedule import DatedWork, TimeOff
from booking.queries import find_slots, history, visit
from booking.tasks import TaskInfo, open_tasks
from booking.values import (
    AppointmentStatus,
    BookedVisit,
    BundleKind,
    Catalogue,
    DateSpan,
    PractitionerInfo,
    SlotQuery,
    Source,
    TaskKind,
)
from kernel.interval import Interval
from kernel.work import Database, OutboxEntry
from tests.support.visits import book, move

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)  # a Wednesday, 10:00 in Albany
NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # the Monday after, when both work
MONDAY = DateSpan(date(2027, 3, 15), date(2027, 3, 16))
LEE, BEN = "practitioner-lee", "practitioner-ben-carter"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STATUS = AppointmentStatus


def an_absence(away: DateSpan | Absence) -> Absence:
    return away if isinstance(away, Absence) else Absence(away)


class Clinic:
    """A clinic one of whose dentists is away; each call is a transaction of its own."""

    def __init__(self, database: Database, catalogue: Catalogue) -> None:
        self.database, self.catalogue = database, catalogue

    def book(self, starts_at: datetime = NINE, practitioner: str = "lee", **others: Any) -> BookedVisit:
        return book(self.database, self.catalogue, practitioner=practitioner, starts_at=starts_at, **others)

    def hold(self, starts_at: datetime = NINE, **others: Any) -> BookedVisit:
        details = {
            "service_id": "service-cleaning",
            "location_id": "location-main",
            "practitioner_ids": (LEE,),
            "conversation_id": "conversation-held",
            "source": Source.SMS,
        } | others
        with self.database.begin() as work:
            return place_hold(work, self.catalogue, starts_at=starts_at, now=NOW, **details)

    def preview(self, away: DateSpan | Absence = MONDAY, practitioner_id: str = LEE, now: datetime = NOW) -> list[Hit]:
        with self.database.read() as session:
            return preview_away(
                session, self.stored(), practitioner_id=practitioner_id, absence=an_absence(away), now=now
            )

    def apply(self, away: DateSpan | Absence = MONDAY, now: datetime = NOW, **others: Any) -> list[Settled]:
        with self.database.begin() as work:
            catalogue = load_catalogue(work.session, clinic_id=self.catalogue.clinic_id)
            return apply_away(
                work,
                catalogue,
                practitioner_id=LEE,
                absence=an_absence(away),
                reason="ill",
                now=now,
                actor="staff:kim",
                **others,
            )

    def stored(self) -> Catalogue:
        with self.database.read() as session:
            return load_catalogue(session, clinic_id=self.catalogue.clinic_id)

    def take_back(self, away: DateSpan | Absence, now: datetime) -> bool:
        with self.database.begin() as work:
            return take_back_absence(work, self.stored(), practitioner_id=LEE, absence=an_absence(away), now=now)

    def lee(self) -> PractitionerInfo:
        return self.stored().practitioner(LEE)

    def look(self, appointment_id: str) -> BookedVisit:
        with self.database.read() as session:
            return visit(session, appointment_id=appointment_id)

    def tasks(self) -> list[TaskInfo]:
        with self.database.read() as session:
            return open_tasks(session, clinic_id=self.catalogue.clinic_id)

    def events(self) -> list[str]:
        """What was told since the visits were booked."""
        with self.database.read() as session:
            names = session.scalars(select(OutboxEntry.name).order_by(OutboxEntry.id)).all()
        quiet = ("booking.task.opened", "booking.appointment.booked")
        return [name.removeprefix("booking.") for name in names if name not in quiet]

    def times_off(self) -> list[tuple[date, date]]:
        with self.database.read() as session:
            rows = session.scalars(select(TimeOff).where(TimeOff.schedule_id == "schedule-lee"))
            return sorted((row.starts_on, row.ends_on) for row in rows)


@pytest.fixture
def clinic(database: Database, catalogue: Catalogue) -> Clinic:
    return Clinic(database, catalogue)


def test_a_preview_says_who_is_hit_with_the_best_instead_and_changes_nothing(clinic: Clinic):
    one = clinic.book()
    clinic.book(NINE + 3 * DAY)  # another day
    clinic.book(NINE + 4 * HOUR, practitioner="ruiz", service="flu-shot")  # another person
    before = (clinic.stored(), clinic.events())

    (hit,) = clinic.preview()

    assert hit.visit == one
    assert [(slot.practitioner_id, slot.starts_at - NINE) for slot in hit.alternatives] == [
        (BEN, timedelta(0)),
        (LEE, DAY),
        (BEN, timedelta(minutes=15)),
    ]
    assert (clinic.stored(), clinic.events()) == before


def test_two_who_come_one_after_the_other_are_not_offered_the_same_time_first(clinic: Clinic):
    first, second = clinic.book(), clinic.book(NINE + HOUR)

    hits = clinic.preview()

    best = [hit.alternatives[0] for hit in hits]
    assert [hit.visit.id for hit in hits] == [first.id, second.id]
    assert [slot.starts_at for slot in best] == [NINE, NINE + HOUR]
    assert {slot.practitioner_id for slot in best} == {BEN}


def test_nobody_is_hit_whose_visit_has_begun(clinic: Clinic):
    clinic.book()

    assert clinic.preview(now=NINE) == []
    assert len(clinic.preview(now=NINE - timedelta(seconds=1))) == 1


def test_days_are_those_of_the_location(clinic: Clinic):
    late = clinic.book(datetime(2027, 3, 15, 20, 0, tzinfo=UTC))  # four in the afternoon in Albany

    assert [hit.visit.id for hit in clinic.preview()] == [late.id]
    assert clinic.preview(DateSpan(date(2027, 3, 16), date(2027, 3, 17))) == []


def test_time_off_from_one_location_leaves_the_others_alone(clinic: Clinic):
    clinic.book()

    assert clinic.preview(dataclasses.replace(MONDAY, location_id="location-riverside")) == []
    assert len(clinic.preview(dataclasses.replace(MONDAY, location_id="location-main"))) == 1


@pytest.mark.parametrize(
    ("span", "practitioner_id", "refusal"),
    [
        (DateSpan(date(2027, 3, 15), date(2027, 3, 15)), LEE, EndBeforeStart),
        (DateSpan(date(2027, 3, 16), date(2027, 3, 15)), LEE, EndBeforeStart),
        (DateSpan(date(2027, 3, 15), date(2047, 3, 15)), LEE, ImplausibleTime),
        (DateSpan(date(2077, 3, 15), date(2077, 3, 16)), LEE, ImplausibleTime),
        (MONDAY, "practitioner-none", UnknownPractitioner),
        (dataclasses.replace(MONDAY, location_id="location-none"), LEE, UnknownLocation),
    ],
)
def test_what_makes_no_sense_is_refused(clinic: Clinic, span: DateSpan, practitioner_id: str, refusal: type[Exception]):
    with pytest.raises(refusal):
        clinic.preview(span, practitioner_id)


def test_asking_keeps_the_best_time_for_each_and_tells_each_once(clinic: Clinic):
    one = clinic.book()

    (settled,) = clinic.apply()

    assert (settled.outcome, settled.visit) == (Outcome.ASKED, one)
    hold = settled.hold
    assert hold is not None
    assert (hold.practitioner_id, hold.starts_at, hold.hold_expires_at) == (BEN, NINE, NOW + DAY)
    assert clinic.events() == ["appointment.move-offered"]
    assert [(task.kind, task.appointment_id) for task in clinic.tasks()] == [(TaskKind.CALL_BACK, one.id)]
    assert "Monday, March 15, 2027, 9:00 AM with Ben Carter" in clinic.tasks()[0].text
    with clinic.database.read() as session:
        line = history(session, appointment_id=one.id)[-1]
    assert (line.what, line.actor, line.after["why"], line.after["outcome"]) == (
        "practitioner-away",
        "staff:kim",
        "ill",
        "asked",
    )


def test_the_time_off_is_written_once_and_nothing_is_free_on_it(clinic: Clinic):
    version = clinic.stored().version

    clinic.apply()
    clinic.apply()

    assert clinic.stored().version == version + 1
    assert clinic.times_off().count((MONDAY.first, MONDAY.end)) == 1
    with clinic.database.read() as session:
        query = SlotQuery("service-cleaning", Interval(NINE, NINE + DAY - 4 * HOUR), (LEE,))
        assert find_slots(session, clinic.stored(), query=query, now=NOW) == []


def test_doing_it_twice_tells_and_moves_nobody_twice(clinic: Clinic):
    clinic.book()
    clinic.book(NINE + HOUR)
    clinic.apply()
    before = (clinic.events(), len(clinic.tasks()))

    assert clinic.apply() == []
    assert (clinic.events(), len(clinic.tasks())) == before


def test_what_came_meanwhile_is_settled_by_doing_it_again(clinic: Clinic):
    clinic.apply()
    late = clinic.book()  # with a catalogue from before

    (settled,) = clinic.apply()

    assert settled.visit.id == late.id


def test_a_yes_moves_the_visit_and_ends_the_task(clinic: Clinic):
    one = clinic.book()
    (settled,) = clinic.apply()
    assert settled.hold is not None
    assert one.patient_id is not None
    with clinic.database.read() as session:
        (offered,) = offered_moves(session, patient_ids=(one.patient_id,), now=NOW)
    assert (offered.visit.id, offered.hold) == (one.id, settled.hold)

    def accept() -> BookedVisit:
        with clinic.database.begin() as work:
            return accept_move(
                work, clinic.stored(), hold_id=offered.hold.id, now=NOW, actor="patient", source=Source.SMS
            )

    moved, again = accept(), accept()

    assert moved == again
    assert (moved.id, moved.uid, moved.practitioner_id, moved.starts_at) == (one.id, one.uid, BEN, NINE)
    assert clinic.tasks() == []
    assert clinic.events() == ["appointment.move-offered", "appointment.moved"]


def test_a_limit_to_the_moves_of_patients_does_not_bind_who_was_asked(clinic: Clinic):
    clinic.book()
    (settled,) = clinic.apply()
    assert settled.hold is not None
    strict = dataclasses.replace(clinic.stored().rules, max_moves=0, cancel_notice=timedelta(days=30))

    with clinic.database.begin() as work:
        moved = accept_move(
            work,
            dataclasses.replace(clinic.stored(), rules=strict, _by_id={}),
            hold_id=settled.hold.id,
            now=NOW,
            actor="patient",
            source=Source.SMS,
        )

    assert moved.practitioner_id == BEN


def test_a_no_gives_the_time_back_and_leaves_the_visit_to_staff(clinic: Clinic):
    one = clinic.book()
    (settled,) = clinic.apply()
    assert settled.hold is not None
    assert one.patient_id is not None

    with clinic.database.begin() as work:
        decline_move(work, clinic.stored(), hold_id=settled.hold.id, now=NOW)

    assert clinic.look(one.id) == one
    assert len(clinic.tasks()) == 1
    with clinic.database.read() as session:
        assert offered_moves(session, patient_ids=(one.patient_id,), now=NOW) == []
    with clinic.database.begin() as work, pytest.raises(NotHeld):
        accept_move(work, clinic.stored(), hold_id=settled.hold.id, now=NOW, actor="patient", source=Source.SMS)


def test_an_answer_for_today_is_awaited_no_longer_than_until_the_visit(clinic: Clinic):
    clinic.book()
    early = NINE - 3 * HOUR

    (settled,) = clinic.apply(now=early)

    assert settled.hold is not None
    assert settled.hold.hold_expires_at == NINE


def test_moving_takes_the_best_time_at_once_and_the_history_says_why(clinic: Clinic):
    one, two = clinic.book(), clinic.book(NINE + HOUR)

    settled = clinic.apply(instead=Instead.MOVE)

    assert [(each.outcome, each.visit.practitioner_id) for each in settled] == [(Outcome.MOVED, BEN)] * 2
    assert [clinic.look(each.id).starts_at for each in (one, two)] == [NINE, NINE + HOUR]
    assert clinic.events() == ["appointment.moved"] * 2
    assert clinic.tasks() == []
    with clinic.database.read() as session:
        assert [line.what for line in history(session, appointment_id=one.id)][-2:] == ["moved", "practitioner-away"]


def test_staff_choose_for_each(clinic: Clinic):
    one, two, three = clinic.book(), clinic.book(NINE + HOUR), clinic.book(NINE + 2 * HOUR)
    chosen = clinic.preview()[0].alternatives[1]
    choices = {one.id: Choice(Instead.MOVE, chosen), two.id: Choice(Instead.CANCEL)}

    settled = {each.visit.id: each for each in clinic.apply(choices=choices)}

    assert settled[one.id].visit.starts_at == chosen.starts_at
    assert (settled[two.id].outcome, settled[two.id].visit.status) == (Outcome.CANCELLED, STATUS.CANCELLED)
    assert settled[three.id].outcome is Outcome.ASKED


def test_a_time_that_went_meanwhile_gives_way_to_the_next_best(clinic: Clinic):
    one = clinic.book()
    chosen = clinic.preview()[0].alternatives[0]
    clinic.book(practitioner="ben-carter")

    (settled,) = clinic.apply(choices={one.id: Choice(Instead.MOVE, chosen)})

    assert settled.outcome is Outcome.MOVED
    assert (settled.visit.practitioner_id, settled.visit.starts_at) != (BEN, NINE)
    assert settled.visit.starts_at >= NOW


def test_where_nothing_is_free_staff_have_a_task_and_the_visit_stands(clinic: Clinic):
    one = clinic.book(service="urgent-dental")  # nobody else gives it
    whole = DateSpan(date(2027, 3, 10), date(2027, 4, 30))

    (settled,) = clinic.apply(whole)

    assert (settled.outcome, clinic.look(one.id)) == (Outcome.LEFT_TO_STAFF, one)
    assert ["Nothing else could be offered" in task.text for task in clinic.tasks()] == [True]
    assert clinic.events() == []


def test_who_has_another_visit_then_is_not_moved_into_it(clinic: Clinic, a_patient: Callable[..., str]):
    patient_id = a_patient()
    with clinic.database.begin() as work:
        for starts_at, who, service in ((NINE, LEE, "cleaning"), (NINE + HOUR, "practitioner-ruiz", "flu-shot")):
            hold = place_hold(
                work,
                clinic.catalogue,
                service_id=f"service-{service}",
                location_id="location-main",
                starts_at=starts_at,
                practitioner_ids=(who,),
                conversation_id=None,
                source=Source.WEB,
                now=NOW,
            )
            confirm_hold(
                work, clinic.catalogue, appointment_id=hold.id, patient_id=patient_id, now=NOW, actor="patient"
            )
    hit = clinic.preview()[0]
    clashing = dataclasses.replace(hit.alternatives[0], starts_at=NINE + HOUR, ends_at=NINE + HOUR + HOUR)

    (settled,) = clinic.apply(choices={hit.visit.id: Choice(Instead.MOVE, clashing)})

    assert settled.visit.starts_at == NINE


def test_a_part_of_a_visit_in_several_parts_is_moved_to_nobody_elses_day(clinic: Clinic):
    one = clinic.book()
    with clinic.database.begin() as work:
        work.session.add(
            Bundle(id="bundle", clinic_id=clinic.catalogue.clinic_id, kind=BundleKind.PACKAGE, created_at=NOW)
        )
        work.session.flush()
        work.session.get_one(Appointment, one.id).bundle_id = "bundle"

    (hit,) = clinic.preview()

    assert [(slot.practitioner_id, slot.starts_at) for slot in hit.alternatives] == [(BEN, NINE)]


def test_who_is_still_talking_it_over_loses_the_time(clinic: Clinic, a_patient: Callable[..., str]):
    hold = clinic.hold()
    patient_id = a_patient()

    assert clinic.apply() == []

    assert clinic.look(hold.id).status is STATUS.CANCELLED
    with clinic.database.begin() as work, pytest.raises(NotHeld):
        confirm_hold(work, clinic.stored(), appointment_id=hold.id, patient_id=patient_id, now=NOW, actor="patient")


def test_no_time_is_kept_twice(clinic: Clinic):
    for hour in range(3):
        clinic.book(NINE + hour * HOUR)
    clinic.apply()

    with clinic.database.read() as session:
        rows = session.execute(
            select(Allocation.schedule_id, Allocation.starts_at, Allocation.ends_at)
            .where(Allocation.live)
            .order_by(Allocation.schedule_id, Allocation.starts_at)
        ).all()
    assert all(
        one.schedule_id != other.schedule_id or one.ends_at <= other.starts_at
        for one, other in itertools.pairwise(rows)
    )
    with pytest.raises(SlotTaken):
        clinic.hold(practitioner_ids=(BEN,), conversation_id="another")


def test_a_refusal_leaves_everything_as_it_was(clinic: Clinic):
    clinic.book()
    before = (clinic.stored(), clinic.events(), clinic.tasks(), clinic.times_off())

    with pytest.raises(EndBeforeStart):
        clinic.apply(DateSpan(MONDAY.end, MONDAY.first))
    assert (clinic.stored(), clinic.events(), clinic.tasks(), clinic.times_off()) == before


def test_two_who_settle_the_same_absence_at_once_tell_everybody_once(clinic: Clinic):
    visits = [clinic.book(NINE + hour * HOUR) for hour in range(3)]
    together = threading.Barrier(2)

    def settle(_: int) -> list[Settled]:
        together.wait()
        return clinic.apply()

    with ThreadPoolExecutor(2) as pool:
        settled = [one for found in pool.map(settle, range(2)) for one in found]

    assert sorted(one.visit.id for one in settled) == sorted(one.id for one in visits)
    assert clinic.events() == ["appointment.move-offered"] * 3
    assert clinic.times_off().count((MONDAY.first, MONDAY.end)) == 1


def test_a_move_by_the_patient_at_the_same_moment_and_an_absence_leave_one_visit_with_one_time(clinic: Clinic):
    one = clinic.book()
    together = threading.Barrier(2)

    def absence() -> None:
        together.wait()
        clinic.apply(instead=Instead.MOVE)

    def patient() -> None:
        together.wait()
        with contextlib.suppress(SlotTaken, NotHeld):
            move(clinic.database, clinic.catalogue, one, practitioner="lee", starts_at=NINE + DAY, now=NOW)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(absence), pool.submit(patient)]:
            done.result()

    found = clinic.look(one.id)
    assert (found.practitioner_id, found.starts_at) in {(BEN, NINE), (LEE, NINE + DAY)}
    with clinic.database.read() as session:
        rows = session.execute(
            select(Allocation.schedule_id, Appointment.id)
            .join(Appointment, Appointment.id == Allocation.appointment_id)
            .where(Allocation.live)
        ).all()
    assert {row.id for row in rows} == {one.id}
    assert f"schedule-{found.practitioner_id.removeprefix('practitioner-')}" in {row.schedule_id for row in rows}


def test_a_visit_that_staff_want_to_talk_about_is_left_to_them_whatever_is_free(clinic: Clinic):
    one = clinic.book()

    settled = clinic.apply(choices={one.id: Choice(Instead.LEAVE)})

    assert [each.outcome for each in settled] == [Outcome.LEFT_TO_STAFF]
    assert clinic.look(one.id).starts_at == NINE
    assert [task.appointment_id for task in clinic.tasks()] == [one.id]


def test_time_off_is_taken_back_from_today_on(clinic: Clinic):
    week = DateSpan(date(2027, 3, 15), date(2027, 3, 20))
    clinic.apply(week)
    wednesday = datetime(2027, 3, 18, 3, 59, tzinfo=UTC)  # a minute to midnight in Albany
    version = clinic.stored().version

    assert clinic.take_back(week, wednesday)
    assert not clinic.take_back(week, wednesday)
    assert (date(2027, 3, 15), date(2027, 3, 17)) in clinic.times_off()
    assert clinic.stored().version == version + 1
    april = DateSpan(date(2027, 4, 1), date(2027, 4, 6))
    assert clinic.take_back(april, wednesday)
    assert (april.first, april.end) not in clinic.times_off()


def test_who_leaves_at_three_loses_what_lasts_longer_and_keeps_the_rest(clinic: Clinic):
    three = NINE + 6 * HOUR
    early, late = clinic.book(NINE + 4 * HOUR), clinic.book(three - timedelta(minutes=15))
    clinic.book(three + DAY)
    leaves = Absence(MONDAY, start=15 * HOUR)
    clinic.hold(three + HOUR, service_id="service-cleaning")
    free = SlotQuery("service-cleaning", Interval(NINE, NINE + 12 * HOUR), (LEE,))

    (settled,) = clinic.apply(leaves, instead=Instead.MOVE)

    assert (settled.visit.id, settled.outcome) == (late.id, Outcome.MOVED)
    assert (clinic.look(early.id), clinic.preview(leaves), clinic.apply(leaves)) == (early, [], [])
    assert [absence for absence in absences(clinic.lee()) if absence.days.first == MONDAY.first] == [leaves]
    with clinic.database.read() as session:
        starts = [slot.starts_at for slot in find_slots(session, clinic.stored(), query=free, now=NOW)]
    assert starts
    assert max(starts) < three

    assert clinic.take_back(leaves, NINE)
    assert not clinic.take_back(leaves, NINE)
    with clinic.database.read() as session:
        assert find_slots(session, clinic.stored(), query=free, now=NOW)[-1].starts_at > three


def test_who_is_ill_until_wednesday_noon_is_not_booked_in_hours_added_meanwhile(clinic: Clinic):
    with clinic.database.begin() as work:
        work.session.add(
            DatedWork(
                schedule_id="schedule-lee",
                location_id="location-main",
                day=date(2027, 3, 16),
                start_minute=9 * 60,
                end_minute=12 * 60,
                is_open=True,
            )
        )
    ill = Absence(DateSpan(date(2027, 3, 15), date(2027, 3, 18)), 13 * HOUR, 12 * HOUR)
    version = clinic.stored().version

    assert clinic.apply(ill) == []

    lee = clinic.lee()
    assert (DateSpan(date(2027, 3, 16), date(2027, 3, 17)) in lee.time_off, len(lee.dated)) == (True, 4)
    assert clinic.stored().version == version + 1
    with clinic.database.read() as session:
        query = SlotQuery("service-cleaning", Interval(NINE + 4 * HOUR, NINE + 2 * DAY + 3 * HOUR), (LEE,))
        assert find_slots(session, clinic.stored(), query=query, now=NOW) == []
    assert clinic.take_back(ill, NINE - DAY)
    assert [one.is_open for one in clinic.lee().dated] == [True]
