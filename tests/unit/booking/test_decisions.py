"""Rules, statuses, the choice of a practitioner, and whether a name fits: decisions on plain values."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.choice import Reason, best
from booking.events import EVENTS, AppointmentMoved
from booking.patients import names_match
from booking.rules import (
    AlreadyOver,
    Facts,
    NotOffered,
    OutsideHours,
    PatientBlocked,
    PatientDailyMaximum,
    PatientOverlap,
    TooFar,
    TooLateToChange,
    TooSoon,
    check_booking,
    check_change,
    is_full,
)
from booking.values import AppointmentStatus, BookingRules
from kernel.errors import Refused
from kernel.events import DomainEvent
from kernel.interval import Interval
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
RULES = BookingRules()
HOUR = timedelta(hours=1)
ELM = elm_catalogue()


def facts(after: timedelta = 3 * HOUR, **changes: object) -> Facts:
    return Facts(**{"rules": RULES, "now": NOW, "visit": Interval(NOW + after, NOW + after + HOUR), **changes})  # type: ignore[arg-type]  # a builder


def refusal(known: Facts) -> Refused | None:
    try:
        check_booking(known)
    except Refused as refused:
        return refused
    return None


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (facts(2 * HOUR), None),
        (facts(2 * HOUR - timedelta(seconds=1)), TooSoon),
        (facts(-HOUR), TooSoon),
        (facts(timedelta(days=90)), None),
        (facts(timedelta(days=90, seconds=1)), TooFar),
        (facts(is_offered=False), NotOffered),
        (facts(is_within_hours=False), OutsideHours),
        (facts(patient_is_blocked=True), PatientBlocked),
        (facts(patient_visits=(Interval(NOW + 2 * HOUR, NOW + 3 * HOUR),)), None),
        (facts(patient_visits=(Interval(NOW + 2 * HOUR, NOW + 3 * HOUR + timedelta(minutes=1)),)), PatientOverlap),
        (facts(rules=dataclasses.replace(RULES, max_per_patient_per_day=2), patient_visits_that_day=1), None),
        (
            facts(rules=dataclasses.replace(RULES, max_per_patient_per_day=2), patient_visits_that_day=2),
            PatientDailyMaximum,
        ),
    ],
)
def test_a_rule_refuses_on_one_side_of_its_edge_and_not_on_the_other(known: Facts, expected: type[Refused] | None):
    assert type(refusal(known)) is (expected or type(None))


def test_a_refusal_says_what_would_be_allowed():
    too_soon = refusal(facts(HOUR))

    assert too_soon is not None
    assert (too_soon.code, too_soon.fields) == (
        "too-soon",
        {"earliest_at": "2027-03-10T17:00:00+00:00", "notice_minutes": 120},
    )


def test_every_refusal_has_a_code_of_its_own():
    def below(kind: type[Refused]) -> set[type[Refused]]:
        return {kind} | {each for sub in kind.__subclasses__() for each in below(sub)}

    kinds = [kind for kind in below(Refused) if kind.__module__.startswith("booking.")]

    assert len({kind.code for kind in kinds}) == len(kinds)


def test_a_visit_may_be_changed_up_to_the_notice_by_patients_and_at_any_time_by_staff():
    rules = dataclasses.replace(RULES, cancel_notice=24 * HOUR)

    check_change(rules, starts_at=NOW + 24 * HOUR, now=NOW, by_staff=False)
    with pytest.raises(TooLateToChange):
        check_change(rules, starts_at=NOW + 23 * HOUR, now=NOW, by_staff=False)
    with pytest.raises(AlreadyOver):
        check_change(RULES, starts_at=NOW, now=NOW, by_staff=False)
    check_change(rules, starts_at=NOW, now=NOW, by_staff=True)


def test_a_day_without_a_maximum_is_never_full():
    assert not is_full(RULES, 1000)
    assert is_full(dataclasses.replace(RULES, max_per_practitioner_per_day=8), 8)


def test_a_fulfilled_visit_can_only_have_been_an_error():
    assert [status for status in AppointmentStatus if AppointmentStatus.FULFILLED.may_become(status)] == [
        AppointmentStatus.ENTERED_IN_ERROR
    ]


@given(st.sampled_from(AppointmentStatus))
def test_nothing_comes_back_from_cancelled_but_an_error(status: AppointmentStatus):
    assert AppointmentStatus.CANCELLED.may_become(status) == (status is AppointmentStatus.ENTERED_IN_ERROR)


@pytest.mark.parametrize(
    ("free", "candidates", "seen", "loads", "expected"),
    [
        ("lee", 1, None, {}, ("lee", Reason.ASKED_FOR)),
        ("lee", 3, None, {}, ("lee", Reason.ONLY_ONE_FREE)),
        ("lee ito", 3, "ito", {"ito": 9}, ("ito", Reason.SEEN_BEFORE)),
        ("lee ito", 3, "ruiz", {"lee": 1}, ("ito", Reason.FEWEST_THAT_DAY)),
        ("lee ito", 3, None, {"lee": 2, "ito": 2}, ("lee", Reason.CLINIC_ORDER)),
    ],
)
def test_the_best_practitioner_is_whom_the_patient_knows_and_then_who_has_least_to_do(
    free: str, candidates: int, seen: str | None, loads: dict[str, int], expected: tuple[str, Reason]
):
    choice = best(
        [ELM.practitioner(f"practitioner-{key}") for key in free.split()],
        candidates=candidates,
        seen_before_id=None if seen is None else f"practitioner-{seen}",
        visits_that_day={f"practitioner-{key}": load for key, load in loads.items()},
    )

    assert (choice.practitioner.key, choice.reason) == expected


@pytest.mark.parametrize(
    ("said", "on_file"),
    [
        ("ann smith", "Ann Smith"),
        ("Smith, Ann", "Ann Smith"),
        ("Anne Smith", "Ann Smith"),
        ("Jon Brown", "John Brown"),
        ("José García", "Jose Garcia"),
        ("mrs ann smith", "Ann Smith"),
        ("Ann Marie Smith", "Ann Smith"),
        ("Ann Smith", "Ann Marie Smith"),
        ("henry oneill", "Henry O'Neill"),
        ("Shane Taylor", "Shayne Taylor"),
        ("maria lopez garcia", "María López-García"),
        ("Cher", "Cher"),
    ],
)
def test_a_name_as_it_is_heard_fits_the_one_on_file(said: str, on_file: str):
    assert names_match(said, on_file)


@pytest.mark.parametrize(
    ("said", "on_file"),
    [
        ("Ann", "Ann Smith"),
        ("Smith", "Ann Smith"),
        ("Bob Smith", "Ann Smith"),
        ("Ann Jones", "Ann Smith"),
        ("Jan Brown", "Jon Brown"),
        ("Anna Smith", "Anne Smith"),
        ("", "Ann Smith"),
        ("123", "Ann Smith"),
        ("Ann Ann", "Ann Smith"),
    ],
)
def test_another_name_and_half_a_name_do_not_fit(said: str, on_file: str):
    assert not names_match(said, on_file)


def test_an_event_comes_back_from_the_outbox_as_it_went_in():
    event = AppointmentMoved(occurred_at=NOW, clinic_id="c", appointment_id="a", revision=3, sequence=1)

    assert EVENTS[event.name].from_json(event.to_json() | {"of a later release": 1}) == event
    assert event.aggregate_id == "a"
    assert all(issubclass(kind, DomainEvent) and kind.name == name for name, kind in EVENTS.items())
