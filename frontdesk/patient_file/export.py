"""All that the clinic holds of one patient, as a document to hand out: the same whether it is read by a person or a program."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.erasure import Traces, traces_of
from booking.model.appointment import Appointment, AppointmentNote, Participant
from booking.model.clinic import Location
from booking.model.patient import ContactPoint, OptOut, Patient, PatientChange, PatientMerge, PatientNote, RelatedPerson
from booking.model.staff import HealthcareService, Practitioner
from booking.model.task import StaffTask
from booking.model.waitlist import WaitlistEntry
from booking.task_words import LANGUAGES
from booking.tasks import text_of
from calendar_sync.model import Invitation
from dialog.about_patient import talks_of
from dialog.model import Conversation, Turn
from sms.erasure import about
from sms.model import PatientMail, SmsMessage

Document = dict[str, Any]
"""Lists, texts and numbers only; times with their offset."""


def export_patient(session: Session, *, clinic_id: str, patient_id: str, zone: ZoneInfo) -> Document | None:
    """Return all that is held of the patient, with times of `zone`; None if the clinic has no such one.

    Of conversations it is what was said, of tasks and notes what staff wrote. A constant number of queries.
    """
    patient = session.scalar(
        select(Patient).where(Patient.id == patient_id, Patient.clinic_id == clinic_id, Patient.merged_into.is_(None))
    )
    if patient is None:
        return None
    traces = traces_of(session, clinic_id=clinic_id, patient_id=patient_id)
    told = _Times(zone)
    return {
        "record": _record(patient, told),
        "contacts": _contacts(session, clinic_id, patient_id, told),
        "household": _household(session, patient_id),
        "notes": [
            {"at": told(note.written_at), "by": note.written_by, "text": note.text}
            for note in session.scalars(
                select(PatientNote).where(PatientNote.patient_id == patient_id).order_by(PatientNote.id)
            )
        ],
        "visits": _visits(session, traces, told),
        "waiting_list": _waiting(session, traces, told),
        "conversations": _conversations(session, clinic_id, traces, told),
        "messages": _messages(session, traces, told),
        "tasks": _tasks(session, clinic_id, traces, told),
        "changes": _changes(session, traces, told),
        "merged_records": [
            {"at": told(merge.merged_at), "by": merge.merged_by, "record": merge.record}
            for merge in session.scalars(
                select(PatientMerge)
                .where(PatientMerge.kept_id.in_(traces.patient_ids))
                .order_by(PatientMerge.merged_at)
            )
        ],
    }


class _Times:
    """Writes instants as the clocks of the clinic show them."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def __call__(self, at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(self._zone).isoformat(timespec="seconds")


def _record(patient: Patient, told: _Times) -> Document:
    return {
        "id": patient.id,
        "name": patient.name,
        "birth_date": patient.birth_date and patient.birth_date.isoformat(),
        "language": patient.language,
        "address": patient.address,
        "is_blocked": patient.blocked,
        "block_reason": patient.block_reason,
        "is_to_complete": patient.is_placeholder,
        "since": told(patient.created_at),
    }


def _contacts(session: Session, clinic_id: str, patient_id: str, told: _Times) -> list[Document]:
    found = session.execute(
        select(ContactPoint.system, ContactPoint.value, OptOut.since_at)
        .outerjoin(OptOut, (OptOut.value_hash == ContactPoint.value_hash) & (OptOut.clinic_id == clinic_id))
        .where(ContactPoint.patient_id == patient_id)
        .order_by(ContactPoint.id)
    )
    return [{"kind": system, "value": value, "no_texts_since": told(since)} for system, value, since in found]


def _household(session: Session, patient_id: str) -> list[Document]:
    """Return the relations, without the names of others: those are theirs."""
    related = select(RelatedPerson).where(
        (RelatedPerson.patient_id == patient_id) | (RelatedPerson.by_patient_id == patient_id)
    )
    rows = session.scalars(related.order_by(RelatedPerson.patient_id, RelatedPerson.by_patient_id))
    return [{"relation": row.relation, "is_booked_for": row.patient_id == patient_id} for row in rows]


def _visits(session: Session, traces: Traces, told: _Times) -> list[Document]:
    of_group = select(Participant.appointment_id, Participant.status).where(
        Participant.patient_id.in_(traces.patient_ids)
    )
    seats = {seat.appointment_id: seat.status for seat in session.execute(of_group)}
    notes: dict[str, list[Document]] = defaultdict(list)
    for note in session.scalars(
        select(AppointmentNote)
        .where(AppointmentNote.appointment_id.in_(traces.appointment_ids))
        .order_by(AppointmentNote.id)
    ):
        notes[note.appointment_id].append({"at": told(note.written_at), "by": note.written_by, "text": note.text})
    found = session.execute(
        select(Appointment, HealthcareService.name, Practitioner.name, Location.name)
        .join(HealthcareService, HealthcareService.id == Appointment.service_id)
        .outerjoin(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .join(Location, Location.id == Appointment.location_id)
        .where(Appointment.id.in_({*traces.appointment_ids, *seats}))
        .order_by(Appointment.starts_at, Appointment.id)
    )
    return [
        {
            "service": service,
            "practitioner": practitioner,
            "location": location,
            "starts_at": told(visit.starts_at),
            "ends_at": told(visit.ends_at),
            "status": seats.get(visit.id, visit.status),
            "source": visit.source,
            "cancel_reason": visit.cancel_reason,
            "notes": notes.get(visit.id, []),
        }
        for visit, service, practitioner, location in found
    ]


def _waiting(session: Session, traces: Traces, told: _Times) -> list[Document]:
    found = session.execute(
        select(HealthcareService.name, WaitlistEntry.status, WaitlistEntry.created_at, WaitlistEntry.expires_at)
        .join(HealthcareService, HealthcareService.id == WaitlistEntry.service_id)
        .where(WaitlistEntry.patient_id.in_(traces.patient_ids))
        .order_by(WaitlistEntry.created_at, WaitlistEntry.id)
    )
    return [
        {"service": service, "status": status, "since": told(since), "until": told(until)}
        for service, status, since, until in found
    ]


def _conversations(session: Session, clinic_id: str, traces: Traces, told: _Times) -> list[Document]:
    talks = session.execute(
        select(Conversation.id, Conversation.channel, Conversation.started_at, Conversation.outcome)
        # Only their own: what was said where somebody else booked for them is that person's.
        .where(Conversation.clinic_id == clinic_id, talks_of(traces.patient_ids, ()))
        .order_by(Conversation.started_at, Conversation.id)
    ).all()
    turns: dict[str, list[Document]] = defaultdict(list)
    said = select(Turn.conversation_id, Turn.at, Turn.said, Turn.reply).where(
        Turn.conversation_id.in_([talk.id for talk in talks])
    )
    for talk_id, at, patient_said, reply in session.execute(said.order_by(Turn.conversation_id, Turn.number)):
        turns[talk_id].append({"at": told(at), "said": patient_said, "reply": reply})
    return [
        {
            "channel": talk.channel,
            "started_at": told(talk.started_at),
            "outcome": talk.outcome,
            "turns": turns.get(talk.id, []),
        }
        for talk in talks
    ]


def _messages(session: Session, traces: Traces, told: _Times) -> list[Document]:
    where = (traces.appointment_ids, traces.session_ids, traces.addresses)
    texts = session.scalars(select(SmsMessage).where(about(SmsMessage, *where)))
    mails = session.scalars(select(PatientMail).where(about(PatientMail, *where)))
    invitations = session.scalars(select(Invitation).where(Invitation.appointment_id.in_(traces.appointment_ids)))
    found = [*_sent("text", texts, told), *_sent("mail", mails, told), *_sent("invitation", invitations, told)]
    return sorted(found, key=lambda message: str(message["at"]))


def _sent(way: str, rows: Iterable[SmsMessage | PatientMail | Invitation], told: _Times) -> Iterable[Document]:
    for row in rows:
        yield {"way": way, "at": told(row.sent_at or row.due_at), "to": row.to, "state": row.state, "text": row.body}


def _tasks(session: Session, clinic_id: str, traces: Traces, told: _Times) -> list[Document]:
    theirs = StaffTask.clinic_id == clinic_id, StaffTask.patient_id.in_(traces.patient_ids)
    rows = session.scalars(select(StaffTask).where(*theirs).order_by(StaffTask.created_at, StaffTask.id))
    return [
        {
            "kind": row.kind,
            "at": told(row.created_at),
            "text": text_of(row, language=LANGUAGES[0]),
            "done_at": told(row.done_at),
            "done": row.outcome,
        }
        for row in rows
    ]


def _changes(session: Session, traces: Traces, told: _Times) -> list[Document]:
    rows = session.scalars(
        select(PatientChange).where(PatientChange.patient_id.in_(traces.patient_ids)).order_by(PatientChange.id)
    )
    return [
        {"at": told(row.changed_at), "what": row.what, "by": row.actor, "before": row.before, "after": row.after}
        for row in rows
    ]
