"""Whatever is done to the diary in whatever order: it holds what a plain list of visits would, and tells of it once."""

import random
import uuid

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from kernel.work import Database
from tests.laws.diary_machine import Diary
from tests.laws.steps_of_desk import Desk
from tests.laws.steps_of_several import Several
from tests.laws.steps_of_waiting import WaitingList
from tests.races.clinic import race_catalogue
from tests.races.kinds import take_on_patients
from tests.support.clinic_rows import store_catalogue

pytestmark = pytest.mark.integration

EXAMPLES, STEPS = 16, 25


class Everything(Desk, Several, WaitingList):
    """All steps there are, in any order."""


@pytest.mark.parametrize("machine", [Desk, Several, WaitingList, Everything])
def test_the_diary_holds_what_a_plain_list_of_visits_would(
    database: Database, machine: type[Diary], monkeypatch: pytest.MonkeyPatch
):
    catalogue, ids = race_catalogue(), random.Random()
    with database.begin() as work:
        store_catalogue(work, catalogue)
    patient_ids = take_on_patients(database, catalogue)

    # Some things are done in the order of ids: the same steps shall lead to the same diary.
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=ids.getrandbits(128)))

    run_state_machine_as_test(
        lambda: machine(database, catalogue, patient_ids, ids),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
