"""The engine finds exactly the Slots that a walk over every minute finds: `oracle` says how, `clinics` where."""

import pytest
from hypothesis import HealthCheck, given, settings

from booking import availability
from booking.availability import Busy
from booking.travel import PlacedSpan
from tests.laws import oracle
from tests.laws.clinics import ZONES, Case, cases

pytestmark = pytest.mark.unit

CASES_A_ZONE = 300


def busy_of(case: Case) -> Busy:
    """Return what is taken in the form that the engine asks for."""
    return {
        schedule_id: [(start, end) if place is None else PlacedSpan(start, end, place) for start, end, place in spans]
        for schedule_id, spans in case.taken.items()
    }


@pytest.mark.parametrize("zone_key", ZONES)
def test_slots_are_those_that_a_walk_over_every_minute_finds(zone_key: str):
    @settings(max_examples=CASES_A_ZONE, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
    @given(case=cases(zone_key=zone_key))
    def law(case: Case):
        found = availability.slots(case.catalogue, query=case.query, busy=busy_of(case))

        assert found == oracle.slots(case.catalogue, case.query, case.taken)

    law()
