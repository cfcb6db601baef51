"""The clinic's rules: each on both sides of its edge, all of them together, and what staff may set aside."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.rules import (
    OVERRIDABLE,
    RULES,
    AlreadyOver,
    Facts,
    InThePast,
    InvalidDuration,
    Lengths,
    NotOffered,
    OutsideHours,
    PatientBlocked,
    PatientDailyMaximum,
    PatientOverlap,
    PlaceNeeded,
    PractitionerDailyMaximum,
    PriorVisitNeeded,
    TooFar,
    TooLateToChange,
    TooManyMoves,
    TooSoon,
    broken,
    check_booking,
    check_cancel,
    check_move,
    check_patient,
    is_full,
)
from booking.values import BookingRules, PriorVisit
from kernel.errors import Refused
from kernel.interval import Interval

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
CLINIC = BookingRules(max_per_patient_per_day=2, max_moves=3, cancel_notice=timedelta(hours=24))
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
FLEXIBLE = Lengths(30 * MINUTE, 90 * MINUTE, 15 * MINUTE)


def facts(after: timedelta = 3 * HOUR, length: timedelta = HOUR, **changes: object) -> Facts:
    visit = Interval(NOW + after, NOW + after + length)
    return Facts(**{"rules": CLINIC, "now": NOW, "visit": visit, **changes})  # type: ignore[arg-type]  # a builder


def another(start: timedelta, end: timedelta) -> tuple[Interval, ...]:
    return (Interval(NOW + start, NOW + end),)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (facts(2 * HOUR), None),
        (facts(2 * HOUR - timedelta(seconds=1)), TooSoon),
        (facts(timedelta(0)), TooSoon),
        (facts(-timedelta(seconds=1)), InThePast),
        (facts(90 * DAY), None),
        (facts(90 * DAY + timedelta(seconds=1)), TooFar),
        (facts(length=45 * MINUTE, lengths=FLEXIBLE), None),
        (facts(length=90 * MINUTE, lengths=FLEXIBLE), None),
        (facts(length=40 * MINUTE, lengths=FLEXIBLE), InvalidDuration),
        (facts(length=15 * MINUTE, lengths=FLEXIBLE), InvalidDuration),
        (facts(length=105 * MINUTE, lengths=FLEXIBLE), InvalidDuration),
        (facts(length=45 * MINUTE, lengths=Lengths(HOUR, HOUR, MINUTE)), InvalidDuration),
        (facts(is_offered=False), NotOffered),
        (facts(is_within_hours=False), OutsideHours),
        (facts(needs_place=True), PlaceNeeded),
        (facts(practitioners_are_full=True), PractitionerDailyMaximum),
        (facts(patient_is_blocked=True), PatientBlocked),
        (facts(patient_visits=another(2 * HOUR, 3 * HOUR)), None),
        (facts(patient_visits=another(2 * HOUR, 3 * HOUR + MINUTE)), PatientOverlap),
        (facts(patient_visits=another(4 * HOUR, 5 * HOUR)), None),
        (facts(patient_visits_that_day=1), None),
        (facts(patient_visits_that_day=2), PatientDailyMaximum),
        (facts(prior_visit=PriorVisit.CLINIC, seen=None), None),  # nobody knows yet who it is
        (facts(prior_visit=PriorVisit.CLINIC, seen=()), PriorVisitNeeded),
        (facts(prior_visit=PriorVisit.CLINIC, seen=("lee",), practitioner_ids=("ito",)), None),
        (facts(prior_visit=PriorVisit.PRACTITIONER, seen=("lee",), practitioner_ids=("ito",)), PriorVisitNeeded),
        (facts(prior_visit=PriorVisit.PRACTITIONER, seen=("lee", "ito"), practitioner_ids=("ito",)), None),
        (facts(prior_visit=None, seen=()), None),
    ],
)
def test_a_rule_refuses_on_one_side_of_its_edge_and_not_on_the_other(known: Facts, expected: type[Refused] | None):
    assert [type(refusal) for refusal in broken(known)] == ([] if expected is None else [expected])


def test_a_refusal_says_what_would_be_allowed():
    with pytest.raises(TooSoon) as too_soon:
        check_booking(facts(HOUR))
    with pytest.raises(InvalidDuration) as too_long:
        check_booking(facts(length=2 * HOUR, lengths=FLEXIBLE))

    assert too_soon.value.fields == {"earliest_at": "2027-03-10T17:00:00+00:00", "notice_minutes": 120}
    assert too_long.value.fields == {
        "minutes": 120,
        "shortest_minutes": 30,
        "longest_minutes": 90,
        "step_minutes": 15,
    }


def test_whoever_is_refused_hears_of_every_rule_at_once():
    known = facts(HOUR, is_within_hours=False, patient_is_blocked=True, patient_visits_that_day=2)

    with pytest.raises(TooSoon) as refused:
        check_booking(known)
    with pytest.raises(PatientBlocked) as about_the_patient:
        check_patient(known)

    assert [one.code for one in refused.value.also] == ["outside-hours", "patient-blocked", "patient-daily-maximum"]
    assert [one.code for one in about_the_patient.value.also] == ["patient-daily-maximum"]


def test_staff_set_rules_aside_and_each_is_named():
    known = facts(HOUR, is_within_hours=False, patient_is_blocked=True, is_overriding=True)

    assert check_booking(known) == ("too-soon", "outside-hours", "patient-blocked")
    assert check_booking(facts(is_overriding=True)) == ()


def test_what_nobody_may_set_aside_is_told_first_to_staff_who_tried():
    known = facts(HOUR, patient_visits=another(HOUR, 2 * HOUR), is_overriding=True)

    with pytest.raises(PatientOverlap) as refused:
        check_booking(known)

    assert [one.code for one in refused.value.also] == ["too-soon"]


def test_what_was_set_aside_for_a_visit_before_stays_so_and_nothing_else_does():
    known = facts(HOUR, is_within_hours=False, waived=("outside-hours",))

    with pytest.raises(TooSoon) as refused:
        check_booking(known)

    assert refused.value.also == ()
    assert check_booking(dataclasses.replace(known, waived=("outside-hours", "too-soon"))) == ()


@given(
    st.builds(
        facts,
        st.timedeltas(-100 * DAY, 100 * DAY),
        st.timedeltas(MINUTE, 3 * HOUR),
        lengths=st.none() | st.just(FLEXIBLE),
        is_offered=st.booleans(),
        is_within_hours=st.booleans(),
        needs_place=st.booleans(),
        practitioners_are_full=st.booleans(),
        patient_is_blocked=st.booleans(),
        prior_visit=st.none() | st.sampled_from(PriorVisit),
        seen=st.none() | st.just(()) | st.just(("lee",)),
        patient_visits=st.just(()) | st.just(another(-100 * DAY, 100 * DAY)),
        patient_visits_that_day=st.integers(0, 3),
        is_overriding=st.booleans(),
    )
)
def test_a_booking_passes_if_and_only_if_no_rule_is_left_that_binds_whoever_decides(known: Facts):
    binding = {refusal.code for refusal in broken(known)} - (OVERRIDABLE if known.is_overriding else set())

    try:
        aside = check_booking(known)
    except Refused as refused:
        told = {refused.code, *(other.code for other in refused.also)}
        assert binding
        assert told == {refusal.code for refusal in broken(known)}
    else:
        assert not binding
        assert set(aside) == ({refusal.code for refusal in broken(known)} if known.is_overriding else set())


def test_a_patient_changes_a_visit_up_to_the_notice_and_moves_it_so_often():
    def standing(ahead: timedelta, times_moved: int = 0) -> Facts:
        return facts(stands_at=NOW + ahead, times_moved=times_moved)

    check_cancel(standing(24 * HOUR, 3))
    check_move(standing(24 * HOUR, 2))
    with pytest.raises(TooLateToChange):
        check_cancel(standing(24 * HOUR - MINUTE))
    with pytest.raises(AlreadyOver) as over:
        check_cancel(standing(timedelta(0)))
    with pytest.raises(TooManyMoves):
        check_move(standing(24 * HOUR, 3))
    with pytest.raises(TooLateToChange) as both:
        check_move(standing(HOUR, 3))
    assert over.value.also == ()
    assert [one.code for one in both.value.also] == ["too-many-moves"]


def test_every_rule_stands_in_the_table_once_under_the_code_of_its_refusal():
    everything = [
        facts(-HOUR),
        facts(HOUR),
        facts(91 * DAY),
        facts(
            length=HOUR + MINUTE,
            lengths=FLEXIBLE,
            is_within_hours=False,
            needs_place=True,
            practitioners_are_full=True,
            patient_is_blocked=True,
            prior_visit=PriorVisit.CLINIC,
            seen=(),
            patient_visits=another(HOUR, 9 * HOUR),
            patient_visits_that_day=2,
            stands_at=NOW + HOUR,
            times_moved=3,
        ),
        facts(is_offered=False, stands_at=NOW),
    ]

    told = [refusal.code for known in everything for refusal in broken(known)]

    assert sorted(told) == sorted(rule.code for rule in RULES)
    assert {rule.code for rule in RULES if not rule.may_be_overridden} == {"place-needed", "patient-overlap"}


def test_a_day_without_a_maximum_is_never_full():
    assert not is_full(BookingRules(), 1000)
    assert is_full(BookingRules(max_per_practitioner_per_day=8), 8)
    assert not is_full(BookingRules(max_per_practitioner_per_day=8), 7)
