"""What the front desk does: tasks, conversations to read, absences."""

from booking import ledger
from booking.desk.absence import Absence
from booking.desk.away import apply_away, preview_away
from booking.tasks import open_tasks
from booking.values import BookedVisit, DateSpan
from frontdesk.api.calls.appointments import appointment_out, as_staff, who
from frontdesk.api.calls.catalogue import named
from frontdesk.api.calls.slots import slot_out
from frontdesk.api.endpoint import Answer, Call, Section
from frontdesk.api.forms.appointments import AppointmentOut, NamedForm, StaffForm
from frontdesk.api.forms.desk import (
    AwayForm,
    AwayOut,
    ConversationsOut,
    ConversationsQuery,
    HitOut,
    HitsOut,
    SettledOut,
    SettleForm,
    TaskOut,
    TasksOut,
    TranscriptOut,
)
from frontdesk.api.keys import Scope
from frontdesk.api.ours import our_patient
from frontdesk.api.problems import not_found
from frontdesk.api.reads.conversations import list_page, read_transcript
from frontdesk.api.times import shown
from frontdesk.console.reads.tasks import task_exists
from jobs.parked import close_with_work
from kernel.log import get_logger

section = Section("front desk")


@section.reads("/tasks", Scope.TASKS_READ, summary="List what staff are asked to do")
def list_tasks(call: Call) -> Answer[TasksOut]:
    """What is still to do, the oldest first, in the language of the request."""
    found = open_tasks(call.session, clinic_id=call.key.clinic_id, language=call.language)
    return Answer(
        TasksOut(
            tasks=[
                TaskOut(
                    id=task.id,
                    kind=task.kind,
                    text=task.text,
                    phone=task.phone,
                    patient_id=task.patient_id,
                    appointment_id=task.appointment_id,
                    conversation_id=task.conversation_id,
                    created_at=shown(task.created_at, call.catalogue),
                )
                for task in found
            ]
        )
    )


@section.writes("/tasks/{task_id}/done", Scope.TASKS_WRITE, summary="Note that a task is done", status=204)
def finish_task(call: Call, task_id: str, body: NamedForm) -> Answer[None]:
    """Who did it first stays. Stuck work that the task is about is never tried again then."""
    if not task_exists(call.session, clinic_id=call.key.clinic_id, task_id=task_id):
        raise not_found("task")
    done_by, _ = who(call, StaffForm(actor=body.actor))
    close_with_work(call.work, clinic_id=call.key.clinic_id, task_id=task_id, now=call.now, done_by=done_by)
    return Answer(None)


@section.reads("/conversations", Scope.CONVERSATIONS_READ, summary="List conversations")
def list_conversations(call: Call, query: ConversationsQuery) -> Answer[ConversationsOut]:
    """The latest first."""
    if query.patient is not None:
        our_patient(call, query.patient)
    found, next_cursor = list_page(call.session, call.catalogue, query=query)
    return Answer(ConversationsOut(conversations=found, next_cursor=next_cursor))


@section.reads("/conversations/{conversation_id}", Scope.CONVERSATIONS_READ, summary="Read what was said")
def read_conversation(call: Call, conversation_id: str) -> Answer[TranscriptOut]:
    """The whole transcript. That it was read is logged, with the key."""
    transcript = read_transcript(call.session, call.catalogue, conversation_id=conversation_id)
    if transcript is None:
        raise not_found("conversation")
    get_logger().info(
        "api.transcript.read",
        clinic_id=call.key.clinic_id,
        conversation_id=conversation_id,
        api_key_id=call.key.id,
    )
    return Answer(transcript)


@section.reads(
    "/practitioners/{practitioner}/away/preview",
    Scope.APPOINTMENTS_READ,
    Scope.STAFF,
    summary="Say whom an absence would hit",
    method="POST",
)
def preview_absence(call: Call, practitioner: str, body: AwayForm) -> Answer[HitsOut]:
    """Nothing is changed. The best other times of each visit come with it."""
    hits = preview_away(
        call.session,
        call.catalogue,
        practitioner_id=named(call.catalogue.practitioners, practitioner, "practitioner").id,
        absence=_absence(call, body),
        now=call.now,
    )
    return Answer(
        HitsOut(
            hits=[
                HitOut(
                    appointment=_visit(call, hit.visit),
                    alternatives=[slot_out(call.catalogue, slot) for slot in hit.alternatives],
                )
                for hit in hits
            ]
        )
    )


@section.writes(
    "/practitioners/{practitioner}/away",
    Scope.APPOINTMENTS_WRITE,
    Scope.STAFF,
    summary="Note an absence and settle every visit it hits",
)
def note_absence(call: Call, practitioner: str, body: SettleForm) -> Answer[AwayOut]:
    """Time off is written, each visit is moved, asked about or cancelled, and everybody is told."""
    actor, _ = as_staff(call, body.actor)
    settled = apply_away(
        call.work,
        call.catalogue,
        practitioner_id=named(call.catalogue.practitioners, practitioner, "practitioner").id,
        absence=_absence(call, body),
        reason=body.reason,
        now=call.now,
        actor=actor,
        instead=body.instead,
    )
    return Answer(
        AwayOut(
            settled=[
                SettledOut(
                    appointment=_visit(call, one.visit),
                    outcome=one.outcome,
                    hold=None if one.hold is None else _visit(call, one.hold),
                )
                for one in settled
            ]
        )
    )


def _absence(call: Call, form: AwayForm) -> Absence:
    location = None if form.location is None else named(call.catalogue.locations, form.location, "location")
    days = DateSpan(form.from_, form.to, None if location is None else location.id)
    return Absence.between(days, form.from_time, form.until_time)


def _visit(call: Call, visit: BookedVisit) -> AppointmentOut:
    return appointment_out(call.catalogue, ledger.read(call.session, appointment_id=visit.id))
