"""All that the desk knows of one patient, for their page. A constant number of queries, however much it is."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from booking import history
from booking.model.appointment import Appointment, Participant
from booking.model.patient import ContactPoint, OptOut, Patient, PatientChange, PatientNote, RelatedPerson
from booking.model.staff import HealthcareService
from booking.model.waitlist import WaitlistEntry
from calendar_sync.model import Invitation
from dialog.model import Conversation
from frontdesk.console.reads.own import own_conversations, own_patients
from frontdesk.console.reads.tasks import Task, tasks_of_patient
from frontdesk.console.reads.visits import Visit, visits_of_patient
from sms.model import PatientMail, SmsKind, SmsMessage

_MOST = 100  # of each kind: the latest


@dataclass(frozen=True)
class Contact:
    system: str
    value: str
    opted_out_at: datetime | None


@dataclass(frozen=True)
class Related:
    """Somebody of the household. `books`: they book for the patient; else the patient books for them."""

    id: str
    name: str
    relation: str
    books: bool


@dataclass(frozen=True)
class Talk:
    id: str
    channel: str
    started_at: datetime
    outcome: str | None


@dataclass(frozen=True)
class Message:
    """A text or a mail that was sent, or was to be. `way`: text, mail or invitation."""

    way: str
    kind: str
    state: str
    at: datetime
    note: str | None


@dataclass(frozen=True)
class Note:
    text: str
    at: datetime
    by: str


@dataclass(frozen=True)
class Waiting:
    service: str
    status: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Record:
    """What is on file. `revision`: the last line of the history, for those who change it."""

    id: str
    name: str
    birth_date: date | None
    language: str | None
    address: str | None
    is_blocked: bool
    block_reason: str | None
    is_placeholder: bool
    is_erased: bool
    created_at: datetime
    revision: int
    contacts: tuple[Contact, ...]

    def values_of(self, system: str) -> list[str]:
        return [one.value for one in self.contacts if one.system == system]


@dataclass(frozen=True)
class PatientPage:
    record: Record
    household: tuple[Related, ...]
    visits: tuple[Visit, ...]
    talks: tuple[Talk, ...]
    messages: tuple[Message, ...]
    notes: tuple[Note, ...]
    waiting: tuple[Waiting, ...]
    tasks: tuple[Task, ...]
    history: tuple[history.PatientLine, ...]


def leads_to(session: Session, *, clinic_id: str, patient_id: str) -> str | None:
    """Return the record that this one was merged into, None for one that stands for itself."""
    of_patient = (Patient.id == patient_id, Patient.clinic_id == clinic_id)
    return session.scalar(select(Patient.merged_into).where(*of_patient))


def read_record(session: Session, *, clinic_id: str, practitioner_id: str | None, patient_id: str) -> Record | None:
    """Return what is on file of a patient, None if the clinic, or the practitioner, has no such one."""
    where = [Patient.id == patient_id, Patient.clinic_id == clinic_id, Patient.merged_into.is_(None)]
    if practitioner_id is not None:
        where.append(Patient.id.in_(own_patients(practitioner_id)))
    row = session.scalar(select(Patient).where(*where))
    if row is None:
        return None
    contacts = session.execute(
        select(ContactPoint, OptOut.since_at)
        .outerjoin(OptOut, and_(OptOut.clinic_id == clinic_id, OptOut.value_hash == ContactPoint.value_hash))
        .where(ContactPoint.patient_id == patient_id)
        .order_by(ContactPoint.system.desc(), ContactPoint.id)
    )
    return Record(
        id=row.id,
        name=row.name,
        birth_date=row.birth_date,
        language=row.language,
        address=row.address,
        is_blocked=row.blocked,
        block_reason=row.block_reason,
        is_placeholder=row.is_placeholder,
        is_erased=row.gone_at is not None,
        created_at=row.created_at,
        revision=history.last_line(session, patient_id=patient_id),
        contacts=tuple(Contact(one.system, one.value, since_at) for one, since_at in contacts),
    )


def read_patient(
    session: Session, *, clinic_id: str, practitioner_id: str | None, patient_id: str, language: str
) -> PatientPage | None:
    """Return all that is known of a patient, tasks in a reader's language; None if the clinic, or the practitioner, has no such one."""
    record = read_record(session, clinic_id=clinic_id, practitioner_id=practitioner_id, patient_id=patient_id)
    if record is None:
        return None
    visits = visits_of_patient(
        session, clinic_id=clinic_id, practitioner_id=practitioner_id, patient_id=patient_id, limit=_MOST
    )
    return PatientPage(
        record=record,
        household=_household(session, patient_id),
        visits=tuple(visits),
        talks=_talks(session, clinic_id, practitioner_id, patient_id),
        messages=_messages(session, patient_id),
        notes=_notes(session, patient_id),
        waiting=_waiting(session, patient_id),
        tasks=tuple(tasks_of_patient(session, clinic_id=clinic_id, patient_id=patient_id, language=language)),
        history=_history(session, patient_id),
    )


def _household(session: Session, patient_id: str) -> tuple[Related, ...]:
    either = or_(
        and_(RelatedPerson.patient_id == patient_id, Patient.id == RelatedPerson.by_patient_id),
        and_(RelatedPerson.by_patient_id == patient_id, Patient.id == RelatedPerson.patient_id),
    )
    found = session.execute(
        select(Patient.id, Patient.name, RelatedPerson.relation, RelatedPerson.patient_id)
        .join(RelatedPerson, either)
        .order_by(Patient.name, Patient.id)
    )
    return tuple(Related(of, name, relation, books=child == patient_id) for of, name, relation, child in found)


def _talks(session: Session, clinic_id: str, practitioner_id: str | None, patient_id: str) -> tuple[Talk, ...]:
    found = session.execute(
        select(Conversation.id, Conversation.channel, Conversation.started_at, Conversation.outcome)
        .where(
            Conversation.clinic_id == clinic_id,
            Conversation.patient_id == patient_id,
            own_conversations(practitioner_id),
        )
        .order_by(Conversation.started_at.desc(), Conversation.id)
        .limit(_MOST)
    )
    return tuple(Talk(*row) for row in found)


def _messages(session: Session, patient_id: str) -> tuple[Message, ...]:
    own = select(Appointment.id).where(Appointment.patient_id == patient_id)
    texts = session.execute(
        select(SmsMessage.kind, SmsMessage.state, SmsMessage.sent_at, SmsMessage.due_at, SmsMessage.note)
        .where(*_about(SmsMessage, patient_id))
        .order_by(SmsMessage.due_at.desc(), SmsMessage.id)
        .limit(_MOST)
    )
    mails = session.execute(
        select(PatientMail.kind, PatientMail.state, PatientMail.sent_at, PatientMail.due_at, PatientMail.note)
        .where(*_about(PatientMail, patient_id))
        .order_by(PatientMail.due_at.desc(), PatientMail.id)
        .limit(_MOST)
    )
    invitations = session.execute(
        select(Invitation.status, Invitation.state, Invitation.sent_at, Invitation.due_at, Invitation.note)
        .where(Invitation.appointment_id.in_(own))
        .order_by(Invitation.due_at.desc(), Invitation.id)
        .limit(_MOST)
    )
    found = [
        Message(way, kind, state, sent_at or due_at, note)
        for way, rows in (("text", texts), ("mail", mails), ("invitation", invitations))
        for kind, state, sent_at, due_at, note in rows
    ]
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


def _about(row: type[SmsMessage] | type[PatientMail], patient_id: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of what was written about the patient's visits, or to them about their place in a group."""
    own = select(Appointment.id).where(Appointment.patient_id == patient_id)
    sessions = select(Participant.appointment_id).where(Participant.patient_id == patient_id)
    addresses = select(ContactPoint.value_hash).where(ContactPoint.patient_id == patient_id)
    # By kind, because the index by visit begins with it.
    return row.kind.in_([kind.value for kind in SmsKind]), or_(
        row.appointment_id.in_(own), and_(row.appointment_id.in_(sessions), row.to_hash.in_(addresses))
    )


def _notes(session: Session, patient_id: str) -> tuple[Note, ...]:
    rows = session.scalars(
        select(PatientNote).where(PatientNote.patient_id == patient_id).order_by(PatientNote.id.desc())
    )
    return tuple(Note(row.text, row.written_at, row.written_by) for row in rows)


def _waiting(session: Session, patient_id: str) -> tuple[Waiting, ...]:
    found = session.execute(
        select(HealthcareService.name, WaitlistEntry.status, WaitlistEntry.created_at, WaitlistEntry.expires_at)
        .join(HealthcareService, HealthcareService.id == WaitlistEntry.service_id)
        .where(WaitlistEntry.patient_id == patient_id)
        .order_by(WaitlistEntry.created_at.desc(), WaitlistEntry.id)
        .limit(_MOST)
    )
    return tuple(Waiting(*row) for row in found)


def _history(session: Session, patient_id: str) -> tuple[history.PatientLine, ...]:
    """Return the lines of the record and of those that were merged into it, the newest first."""
    theirs = select(Patient.id).where(or_(Patient.id == patient_id, Patient.merged_into == patient_id))
    rows = session.scalars(
        select(PatientChange).where(PatientChange.patient_id.in_(theirs)).order_by(PatientChange.id.desc()).limit(_MOST)
    )
    return tuple(
        history.PatientLine(row.changed_at, row.what, row.actor, row.source, row.before, row.after) for row in rows
    )
