"""Erasing a patient from all that the product keeps, in one transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from booking import ledger
from booking.cancel import cancel_appointment
from booking.erasure import (
    ERASED,
    Traces,
    erase_patient,
    keep_from_booking,
    seats_ahead,
    tasks_about,
    traces_of,
    visits_ahead,
)
from booking.model.appointment import Participant
from booking.model.task import StaffTask
from booking.several.groups import leave_session
from booking.task_words import TaskSays
from booking.tasks import open_task
from booking.values import Catalogue, Source, TaskKind
from calendar_sync.erasure import erase_invitations
from dialog.about_patient import erase_words, talks_of
from dialog.model import Conversation
from frontdesk.own_page.model import PageLink
from frontdesk.patient_file.mentions import named_as, strike_out
from frontdesk.replay.model import Correction
from kernel.work import UnitOfWork
from sms.erasure import count_messages, erase_messages, tell_nobody
from voice.erasure import forget_recordings


@dataclass(frozen=True)
class Footprint:
    """How much there is of a patient. `ahead`: ids of visits that are still to come, places in groups included."""

    talks: int
    messages: int
    tasks: int
    ahead: tuple[str, ...]


def footprint(session: Session, *, clinic_id: str, patient_id: str, now: datetime) -> Footprint:
    """Return what an erasure would take away. A constant number of queries."""
    traces = traces_of(session, clinic_id=clinic_id, patient_id=patient_id)
    seats = select(Participant.appointment_id).where(
        Participant.id.in_(seats_ahead(session, patient_id=patient_id, now=now))
    )
    return Footprint(
        talks=session.scalar(select(func.count()).select_from(Conversation).where(_talks(clinic_id, traces))) or 0,
        messages=count_messages(
            session,
            appointment_ids=traces.appointment_ids,
            session_ids=traces.session_ids,
            addresses=traces.addresses,
        ),
        tasks=session.scalar(select(func.count()).select_from(StaffTask).where(tasks_about(traces))) or 0,
        ahead=(*visits_ahead(session, patient_id=patient_id, now=now), *session.scalars(seats)),
    )


def erase_file(
    work: UnitOfWork, catalogue: Catalogue, *, patient_id: str, cancels: bool, now: datetime, actor: str
) -> None:
    """Erase who the patient is from everything. May be called again: what came since is erased then.

    `cancels`: what they have ahead is cancelled along, and nobody is told of that; else VisitsAhead is raised where there is
    any. Locks the Patients, then the Appointments, the conversations and the messages. Raises UnknownPatient.
    """
    clinic_id = catalogue.clinic_id
    if cancels:
        _cancel(work, catalogue, patient_id, now=now, actor=actor)
    traces = traces_of(work.session, clinic_id=clinic_id, patient_id=patient_id)
    named = named_as(work.session, clinic_id=clinic_id, patient_id=patient_id)
    erase_patient(work, clinic_id=clinic_id, patient_id=patient_id, traces=traces, now=now, actor=actor)
    which = _talks(clinic_id, traces)
    talks = work.session.scalars(select(Conversation.id).where(which)).all()
    spoken = erase_words(work, clinic_id=clinic_id, which=Conversation.id.in_(talks), instead=ERASED, now=now)
    work.session.execute(delete(Correction).where(Correction.conversation_id.in_(talks)))
    _forget_recordings(work, clinic_id, spoken.thread_hashes, now=now)
    work.session.execute(delete(PageLink).where(PageLink.to_hash.in_(traces.addresses)))
    erase_messages(
        work,
        appointment_ids=traces.appointment_ids,
        session_ids=traces.session_ids,
        addresses=traces.addresses,
        message_keys=spoken.message_keys,
        conversation_ids=talks,
        turn_ids=spoken.turn_ids,
        instead=ERASED,
    )
    erase_invitations(work, appointment_ids=traces.appointment_ids, instead=ERASED)
    strike_out(work, clinic_id=clinic_id, named=named, instead=ERASED)


def _forget_recordings(work: UnitOfWork, clinic_id: str, thread_hashes: Collection[str], *, now: datetime) -> None:
    left = forget_recordings(work, thread_hashes=thread_hashes)
    if left:
        which = {"recordings": ", ".join(left)}
        open_task(
            work,
            clinic_id=clinic_id,
            kind=TaskKind.MESSAGE,
            says=TaskSays.DELETE_RECORDINGS,
            details=which,
            now=now,
        )


def _talks(clinic_id: str, traces: Traces) -> ColumnElement[bool]:
    return (Conversation.clinic_id == clinic_id) & talks_of(traces.patient_ids, traces.conversation_ids)


def _cancel(work: UnitOfWork, catalogue: Catalogue, patient_id: str, *, now: datetime, actor: str) -> None:
    keep_from_booking(work, patient_id=patient_id)
    for appointment_id in sorted(visits_ahead(work.session, patient_id=patient_id, now=now)):
        cancel_appointment(
            work, catalogue, appointment_id=appointment_id, reason=None, now=now, actor=actor, source=Source.STAFF
        )
        _tell_nobody(work, catalogue, appointment_id, now=now)
    seats = seats_ahead(work.session, patient_id=patient_id, now=now)
    sessions = select(Participant.appointment_id).where(Participant.id.in_(seats))
    for session_id in sorted(work.session.scalars(sessions)):
        leave_session(work, catalogue, session_id=session_id, patient_id=patient_id, now=now, actor=actor)
        _tell_nobody(work, catalogue, session_id, now=now)


def _tell_nobody(work: UnitOfWork, catalogue: Catalogue, appointment_id: str, *, now: datetime) -> None:
    entry = ledger.read(work.session, appointment_id=appointment_id)
    tell_nobody(
        work,
        clinic_id=catalogue.clinic_id,
        appointment_id=appointment_id,
        revision=entry.revision,
        instead=ERASED,
        now=now,
    )
