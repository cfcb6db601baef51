"""What stood when a conversation began is met again when it is replayed: what it answers, and who else has a place."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from booking.catalogue import load_catalogue
from booking.elsewhere import set_busy
from booking.hold import place_hold
from booking.model.appointment import Appointment, Participant
from booking.model.clinic import Clinic
from booking.model.schedule import Schedule
from booking.model.staff import Practitioner
from booking.reschedule import reschedule
from booking.values import AppointmentStatus, Source
from dialog.model import Conversation
from frontdesk.bootstrap import STAGE_SECRET
from frontdesk.replay.replay import Recording, read_recording, replay
from frontdesk.stage import Stage
from kernel.interval import Interval

pytestmark = pytest.mark.integration

NOW = datetime.fromisoformat("2027-03-10T10:00:00-05:00")
ANN = "+12125550123"
CLINICS = Path(__file__).parents[1] / "scenarios/clinics"


@pytest.fixture
def stage_of(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    open_stages = []

    def make(clinic: str, now: datetime = NOW) -> Stage:
        text = (CLINICS / f"{clinic}.yaml").read_text()
        stage = Stage(clinic=text, path=clinic, now=now, channel="sms", caller=ANN, data_dir=tmp_path)
        open_stages.append(stage)
        return stage

    yield make
    for stage in open_stages:
        stage.close()


def said(stage: Stage, *words: str) -> Recording:
    """Text one thing after another, and return the conversation, as it stands at the end."""
    for each in words:
        stage.line.say(each)
        stage.wait(timedelta(minutes=1))
    return read(stage)


def read(stage: Stage) -> Recording:
    """Return the last conversation."""
    with stage.services.db.read() as session:
        last = session.scalars(select(Conversation.id).order_by(Conversation.last_turn_at.desc())).first()
        recording = read_recording(session, clinic_id=stage.clinic_id, conversation_id=last or "")
    assert recording is not None
    return recording


def assert_the_same(recording: Recording) -> None:
    played = replay(recording, secret_key=STAGE_SECRET)

    assert [one.now and one.now.reply for one in played.exchanges] == [one.then.reply for one in played.exchanges]
    assert not played.ends_differently


@pytest.mark.parametrize("answer", [("1",), ("2", "Ann Smith, May 2 1984", "Thursday at 10", "yes", "yes")])
def test_the_answer_to_a_reminder(stage_of: Callable[[str], Stage], answer: tuple[str, ...]) -> None:
    stage = stage_of("elm")
    said(stage, "cleaning with Dr Lee on Tuesday at 10", "yes")
    stage.wait(timedelta(days=5, hours=2))

    recording = said(stage, *answer)

    assert (
        [visit["start"] for visit in recording.written] == ["2027-03-16T10:00:00-04:00"]
        if answer == ("1",)
        else ["2027-03-18T10:00:00-04:00"]
    )
    assert_the_same(recording)


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_the_answer_to_a_time_that_came_free(stage_of: Callable[[str], Stage], answer: str) -> None:
    stage = stage_of("elm")
    stage.take({"service": "cleaning", "practitioner": "lee", "start": "2027-03-16T10:00"})
    said(stage, "cleaning with Dr Lee on Tuesday at 10", "put me on the waiting list", "the first one", "yes")
    stage.wait(timedelta(days=2))
    stage.give_back({"practitioner": "lee", "start": "2027-03-16T10:00"})
    stage.wait(timedelta(minutes=1))

    recording = said(stage, answer)

    assert [visit["start"] for visit in recording.written] == (["2027-03-16T10:00:00-04:00"] if answer == "yes" else [])
    assert_the_same(recording)


def test_a_group_in_which_places_are_taken(stage_of: Callable[[str], Stage]) -> None:
    stage = stage_of("oak")
    said(stage, "a place in the back class on Monday at 2 pm please", "yes")
    stage.wait(timedelta(days=2))

    recording = said(stage, "when is my appointment?", "Ann Smith, May 2 1984", "then cancel it", "yes")

    assert_the_same(recording)
    with stage.services.db.read() as session:
        assert session.scalars(select(Participant.status)).one() == "cancelled"
    # In the past of that conversation there was a place of theirs.
    [group] = recording.script.content["groups"]
    assert (group["patients"], group["others"]) == (["patient-1"], 0)


def test_a_time_that_somebody_gave_back_while_they_talked(stage_of: Callable[[str], Stage]) -> None:
    stage = stage_of("elm")
    stage.take({"service": "cleaning", "practitioner": "lee", "start": "2027-03-16T10:00"})
    said(stage, "cleaning with Dr Lee on Tuesday at 10")
    stage.give_back({"practitioner": "lee", "start": "2027-03-16T10:00"})

    recording = said(stage, "is Tuesday at 10 with Dr Lee free by now?", "yes")

    assert [(one["practitioner"], one["start"]) for one in recording.written] == [("lee", "2027-03-16T10:00:00-04:00")]
    assert_the_same(recording)


def test_a_visit_that_staff_moved_while_its_patient_asked_for_it(stage_of: Callable[[str], Stage]) -> None:
    stage = stage_of("elm")
    said(stage, "cleaning with Dr Lee on Tuesday at 10", "yes")
    stage.wait(timedelta(days=2))
    said(stage, "when is my appointment?")
    with stage.services.db.begin() as work:
        catalogue, now = load_catalogue(work.session, clinic_id=stage.clinic_id), stage.services.clock.now()
        by_agent = (Appointment.conversation_id.is_not(None), Appointment.status == AppointmentStatus.BOOKED)
        visit = work.session.scalars(select(Appointment).where(*by_agent)).one()
        by_staff: dict[str, Any] = {"now": now, "actor": "staff:kim", "source": Source.STAFF}
        hold = place_hold(
            work, catalogue, service_id=visit.service_id, location_id=visit.location_id,
            starts_at=visit.starts_at + timedelta(days=2), conversation_id=None, patient_id=visit.patient_id,
            replaces_appointment_id=visit.id, **by_staff,
        )  # fmt: skip
        reschedule(work, catalogue, appointment_id=visit.id, hold_id=hold.id, **by_staff)

    recording = said(stage, "Ann Smith, May 2 1984", "then cancel it", "yes")

    assert [(visit["start"], visit["status"]) for visit in recording.written] == [
        ("2027-03-18T10:00:00-04:00", "cancelled")
    ]
    assert_the_same(recording)


def test_what_was_taken_in_a_calendar_though_it_is_over_or_was_moved_since(stage_of: Callable[[str], Stage]) -> None:
    stage = stage_of("elm")
    with stage.services.db.read() as session:
        lee = session.scalars(select(Schedule.id).join(Practitioner).where(Practitioner.key == "lee")).one()

    def take(*hours: int) -> None:
        day, now = datetime.fromisoformat("2027-03-16T00:00-04:00"), stage.services.clock.now()
        spans = [Interval(day + timedelta(hours=each), day + timedelta(hours=each + 1)) for each in hours]
        with stage.services.db.begin() as work:
            set_busy(work, schedule_id=lee, origin="her own", spans=spans, now=now)

    take(10)
    said(stage, "cleaning with Dr Lee on Tuesday at 10")
    take(13)
    recording = said(stage, "and is Tuesday at 10 with Dr Lee free by now?", "yes")
    stage.wait(timedelta(days=9))
    take()

    again = read(stage)

    assert [(one["practitioner"], one["start"]) for one in recording.written] == [("lee", "2027-03-16T10:00:00-04:00")]
    assert again.script.content == recording.script.content
    assert_the_same(again)


def test_a_visit_with_somebody_who_had_left_before(stage_of: Callable[[str], Stage]) -> None:
    stage = stage_of("elm")
    said(stage, "cleaning with Dr Lee on Tuesday at 10", "yes")
    with stage.services.db.begin() as work:
        work.session.execute(update(Practitioner).where(Practitioner.key == "lee").values(retired=True))
        work.session.execute(update(Clinic).values(version=Clinic.version + 1))
    stage.wait(timedelta(days=2))

    recording = said(stage, "what are your opening hours?")

    assert_the_same(recording)


def test_a_visit_in_the_second_of_two_hours_that_clocks_show_alike(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of("elm", now=datetime.fromisoformat("2027-11-05T10:00:00-04:00"))
    stage.take({"service": "cleaning", "practitioner": "lee", "start": "2027-11-07T01:30-05:00", "patient": "ann"})
    stage.wait(timedelta(minutes=1))

    recording = said(stage, "when is my appointment?", "Ann Smith, May 2 1984")

    assert "1:30 AM EST" in recording.turns[-1].reply
    assert_the_same(recording)
