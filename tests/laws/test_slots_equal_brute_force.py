"""The engine finds exactly the Slots that a walk over every minute finds: `oracle` says how, `clinics` where.

One in four asks for a package. Groups have rows of their own: `test_found_slots_equal_brute_force`.
"""

import pytest
from hypothesis import HealthCheck, given, settings

from booking import availability
from booking.availability import Busy
from booking.several import packages
from booking.travel import PlacedSpan
from booking.values import Slot
from tests.laws import oracle_several
from tests.laws.clinics import ZONES, Case, cases

pytestmark = pytest.mark.unit

CASES_A_ZONE = 300


def busy_of(case: Case) -> Busy:
    """Return what is taken in the form that the engine asks for."""
    return {
        schedule_id: [(start, end) if place is None else PlacedSpan(start, end, place) for start, end, place in spans]
        for schedule_id, spans in case.taken.items()
    }


def found_in(case: Case) -> list[Slot]:
    """Return what the engine finds: for a package, put together from what it finds for the steps."""
    catalogue, query, busy = case.catalogue, case.query, busy_of(case)
    steps = packages.step_queries(catalogue, query)
    found = [availability.slots(catalogue, query=step, busy=busy) for step in steps]
    if not catalogue.service(query.service_id).steps:
        return found[0]
    return packages.package_slots(catalogue, query=query, found=found, busy=busy)


@pytest.mark.parametrize("zone_key", ZONES)
def test_slots_are_those_that_a_walk_over_every_minute_finds(zone_key: str):
    @settings(max_examples=CASES_A_ZONE, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
    @given(case=cases(zone_key=zone_key))
    def law(case: Case):
        assert found_in(case) == oracle_several.slots(case.catalogue, case.query, case.taken)

    law()
