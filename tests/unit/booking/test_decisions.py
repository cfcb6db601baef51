"""Statuses, events, and whether a name fits: decisions on plain values."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.events import EVENTS, AppointmentMoved
from booking.patients import names_match
from booking.values import AppointmentStatus
from kernel.errors import Refused
from kernel.events import DomainEvent

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)


def test_every_refusal_has_a_code_of_its_own():
    def below(kind: type[Refused]) -> set[type[Refused]]:
        return {kind} | {each for sub in kind.__subclasses__() for each in below(sub)}

    kinds = [kind for kind in below(Refused) if kind.__module__.startswith("booking.")]

    assert len({kind.code for kind in kinds}) == len(kinds)


def test_a_fulfilled_visit_can_only_have_been_an_error():
    assert [status for status in AppointmentStatus if AppointmentStatus.FULFILLED.may_become(status)] == [
        AppointmentStatus.ENTERED_IN_ERROR
    ]


@given(st.sampled_from(AppointmentStatus))
def test_nothing_comes_back_from_cancelled_but_an_error(status: AppointmentStatus):
    assert AppointmentStatus.CANCELLED.may_become(status) == (status is AppointmentStatus.ENTERED_IN_ERROR)


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
