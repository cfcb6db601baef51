"""Who waits for what, and whose turn it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.values import AppointmentId, AppointmentStatus, BookedVisit, BookingRules, Slot, Source
from booking.waiting_list.waiting import EntryStatus, Waiting, answer_by, in_line, match
from kernel.interval import Interval

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
NINE = NOW + timedelta(days=7)
HOUR = timedelta(hours=1)
SLOT = Slot(NINE, "practitioner-lee", "location-main", "service-cleaning", NINE + HOUR)
ENTRY = Waiting(
    id="entry",
    clinic_id="clinic-elm",
    patient_id="patient",
    service_id="service-cleaning",
    practitioner_ids=(),
    location_ids=(),
    spans=(),
    replaces_id=None,
    conversation_id=None,
    source=Source.SMS,
    status=EntryStatus.WAITING,
    created_at=NOW,
    expires_at=NOW + timedelta(days=30),
)


def a_visit(starts_at: datetime) -> BookedVisit:
    return BookedVisit(
        id=AppointmentId("visit"),
        uid="visit@frontdesk",
        sequence=0,
        status=AppointmentStatus.BOOKED,
        service_id="service-cleaning",
        practitioner_id="practitioner-lee",
        location_id="location-main",
        patient_id=None,
        starts_at=starts_at,
        ends_at=starts_at + HOUR,
        hold_expires_at=None,
        source=Source.SMS,
    )


@pytest.mark.parametrize(
    ("wish", "fits"),
    [
        ({}, True),
        ({"service_id": "service-filling"}, False),
        ({"practitioner_ids": ("practitioner-lee", "practitioner-ito")}, True),
        ({"practitioner_ids": ("practitioner-ito",)}, False),
        ({"location_ids": ("location-main",)}, True),
        ({"location_ids": ("location-riverside",)}, False),
        ({"spans": (Interval(NINE, NINE + HOUR),)}, True),
        ({"spans": (Interval(NINE - HOUR, NINE),)}, False),
        ({"spans": (Interval(NOW, NOW + HOUR), Interval(NINE - HOUR, NINE + HOUR))}, True),
    ],
)
def test_a_time_is_what_is_waited_for_if_all_of_the_wish_fits(wish: dict[str, object], fits: bool):
    assert match(replace(ENTRY, **wish), SLOT) is fits


def test_time_of_which_staff_must_agree_is_not_free_enough():
    assert not match(ENTRY, replace(SLOT, is_contingent=True))


def test_instead_of_a_visit_an_earlier_time_is_wanted_unless_times_are_named():
    before, after = a_visit(NINE - HOUR), a_visit(NINE + HOUR)

    assert match(ENTRY, SLOT, replaces=after)
    assert not match(ENTRY, SLOT, replaces=before)
    assert not match(ENTRY, SLOT, replaces=a_visit(NINE))
    assert match(replace(ENTRY, spans=(Interval(NINE, NINE + HOUR),)), SLOT, replaces=before)


ENTRIES = st.lists(
    st.builds(
        lambda number, minute, patient, status, lasts: replace(
            ENTRY,
            id=f"entry-{number}",
            patient_id=f"patient-{patient}",
            created_at=NOW - timedelta(minutes=minute),
            expires_at=NOW + timedelta(minutes=lasts),
            status=status,
        ),
        st.integers(0, 10**6),
        st.integers(0, 5),
        st.integers(0, 4),
        st.sampled_from(EntryStatus),
        st.integers(-1, 2),
    ),
    max_size=12,
    unique_by=lambda entry: entry.id,
)
ASKED = st.frozensets(st.integers(0, 4).map(lambda number: f"patient-{number}"))


@given(entries=ENTRIES, asked=ASKED)
def test_first_come_first_served_among_all_who_still_wait_and_are_not_asked(
    entries: list[Waiting], asked: frozenset[str]
):
    line = in_line(entries, asked=asked, now=NOW)

    assert {entry.id for entry in line} == {
        entry.id
        for entry in entries
        if entry.status is EntryStatus.WAITING and entry.expires_at > NOW and entry.patient_id not in asked
    }
    for ahead, behind in pairwise(line):
        assert ahead.created_at <= behind.created_at


@given(entries=ENTRIES, asked=ASKED, order=st.randoms())
def test_the_turn_does_not_depend_on_the_order_of_reading(entries: list[Waiting], asked: frozenset[str], order):
    shuffled = list(entries)
    order.shuffle(shuffled)

    assert in_line(shuffled, asked=asked, now=NOW) == in_line(entries, asked=asked, now=NOW)


RULES = BookingRules()
CASES = MappingProxyType(
    {
        "soon after they are told": (NINE - timedelta(days=1), RULES, None, NINE - timedelta(hours=23.5)),
        "until the notice of the visit": (NINE - timedelta(minutes=125), RULES, None, NINE - 2 * HOUR),
        "not at all when that is over": (NINE - 2 * HOUR, RULES, None, None),
        "while the other visit may be moved": (
            NINE - 3 * HOUR,
            replace(RULES, cancel_notice=4 * HOUR),
            a_visit(NINE + timedelta(minutes=70)),
            NINE - timedelta(minutes=170),
        ),
    }
)


@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_in_time(case: str):
    told_at, rules, replaces, expected = CASES[case]

    assert answer_by(SLOT, rules=rules, told_at=told_at, replaces=replaces, rules_of_replaced=rules) == expected
