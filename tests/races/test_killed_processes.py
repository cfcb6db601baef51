"""A process that is killed in the middle of anything leaves a diary in which everything is whole."""

import itertools
import multiprocessing
import os
import random
import signal
import threading
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.catalogue import load_catalogue
from booking.model.appointment import Appointment, AppointmentChange
from booking.values import BundleKind
from kernel.work import Database
from tests.races import deeds
from tests.races.clinic import PEOPLE, race_catalogue
from tests.races.deeds import Deed, do
from tests.races.kinds import Stage, part, several, take_on_patients
from tests.support.clinic_rows import store_catalogue
from tests.support.databases import SECRET, import_rows
from tests.support.diary_faults import diary_faults

pytestmark = pytest.mark.integration

KILLINGS = 8


def _work_until_killed(line: Connection, database_url: str, clinic_id: str, first_day: int) -> None:
    """Hold, confirm, move, cancel and let expire, day after day."""
    import_rows()
    db = Database(database_url, secret=SECRET)
    with db.read() as session:
        catalogue = load_catalogue(session, clinic_id=clinic_id)
        patient_ids = tuple(line.recv())
    for day in itertools.count(first_day):
        stage = Stage(db, catalogue, patient_ids, day)
        for number, person in enumerate(PEOPLE):
            wish = stage.wants(number, hour=9 + number / 4, people=(person,), service="room-visit")
            visit = do(db, catalogue, wish).visit
            if visit is not None:
                do(db, catalogue, stage.moves(number, visit, hour=13, people=(person,)))
                do(db, catalogue, stage.moves(number, visit, hour=13.25, people=(person,)))
        kept = stage.hold(5, hour=15, people=("ann",))
        yes = {"hold_id": kept.id, "patient_id": patient_ids[5], "now": stage.now}
        do(db, catalogue, Deed("confirm", yes))
        do(db, catalogue, Deed("cancel", {"visit_id": kept.id, "now": stage.now}))
        stage.hold(6, hour=16, people=("ann",))
        parts = tuple(part(stage, 7 + n, hour=17, people=(person,)) for n, person in enumerate(PEOPLE))
        do(db, catalogue, several(stage, 7, BundleKind.HOUSEHOLD, *parts))
        do(db, catalogue, Deed("expire", {"now": stage.now + 2 * catalogue.rules.hold}))
        if day == first_day:
            line.send("warm")  # the first statements take longer, and are not all that shall be interrupted


def _killed_at_some_moment(db: Database, patient_ids: tuple[str, ...], *, first_day: int, after_s: float) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ours, theirs = context.Pipe()
    url = db.engine.url.render_as_string(hide_password=False)
    worker: BaseProcess = context.Process(
        target=_work_until_killed, args=(theirs, url, race_catalogue().clinic_id, first_day), daemon=True
    )
    worker.start()
    ours.send(patient_ids)
    assert ours.poll(60), "it never began"
    assert ours.recv() == "warm"
    threading.Event().wait(after_s)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(timeout=60)
    assert worker.exitcode == -signal.SIGKILL, "it had ended by itself"


def _halves(session: Session) -> list[str]:
    """Return the households of which some are booked and others are not there: held and booked they are all or none."""
    statement = (
        select(Appointment.bundle_id)
        .where(Appointment.bundle_id.is_not(None))
        .group_by(Appointment.bundle_id)
        .having((func.count() != len(PEOPLE)) | (func.count(Appointment.status.distinct()) != 1))
    )
    return [str(bundle_id) for bundle_id in session.scalars(statement)]


def test_a_process_that_is_killed_at_any_moment_leaves_a_sound_diary(database: Database):
    catalogue = race_catalogue()
    with database.begin() as work:
        store_catalogue(work, catalogue)
    patient_ids = take_on_patients(database, catalogue)
    moments = random.Random(20270314)
    lines = 0

    for number in range(KILLINGS):
        _killed_at_some_moment(database, patient_ids, first_day=200 * number, after_s=moments.uniform(0.05, 0.4))

        with database.read() as session:
            assert diary_faults(session, catalogue) == []
            assert _halves(session) == []
            written = session.scalars(select(func.count()).select_from(AppointmentChange)).one()
        assert written >= lines
        lines = written

    assert lines > 10 * KILLINGS, "hardly anything was written before it was killed"
    # Nobody's lock outlives them: the diary is open to the next.
    after = Stage(database, catalogue, patient_ids, 200 * KILLINGS)
    assert deeds.do(database, catalogue, after.wants(0, hour=9, people=("ann",))).how == "done"
