"""Visits that staff confirm or reject, and wishes for which staff find a time."""

from booking import ledger
from booking.desk.requests import accept_request, grant_proposal, open_requests, propose, reject_request
from frontdesk.api.calls.appointments import appointment_out, as_staff, shown_again, who
from frontdesk.api.calls.catalogue import named
from frontdesk.api.calls.slots import LONGEST_DAYS, slot_out
from frontdesk.api.endpoint import Answer, Call, Section
from frontdesk.api.forms.appointments import AppointmentOut, StaffForm
from frontdesk.api.forms.requests import (
    AnswerForm,
    GrantForm,
    ProposalForm,
    RejectedOut,
    RejectForm,
    RequestOut,
    RequestsOut,
)
from frontdesk.api.keys import Scope
from frontdesk.api.ours import our_appointment, our_patient, read_matching
from frontdesk.api.times import shown, span_of, start_at

section = Section("requests")


@section.reads("/requests", Scope.APPOINTMENTS_READ, Scope.STAFF, summary="List what waits for a yes of staff")
def list_requests(call: Call) -> Answer[RequestsOut]:
    """Visits to confirm and wishes without a time, the oldest first."""
    found = open_requests(call.session, call.catalogue)
    return Answer(
        RequestsOut(
            requests=[
                RequestOut(
                    appointment=appointment_out(call.catalogue, our_appointment(call, one.visit.id)),
                    asked_at=shown(one.asked_at, call.catalogue),
                    answer_by=shown(one.answer_by_at, call.catalogue),
                    is_overdue=one.is_overdue(call.now),
                    practitioner_ids=list(one.practitioner_ids),
                )
                for one in found
            ]
        )
    )


@section.writes(
    "/proposals", Scope.APPOINTMENTS_WRITE, summary="Ask for a visit without a time", status=201, gives_etag=True
)
def make_proposal(call: Call, body: ProposalForm) -> Answer[AppointmentOut]:
    """Nothing is held: staff get a task and find a time. The answer's times bound the wish."""
    catalogue = call.catalogue
    location = named(catalogue.locations, body.location, "location")
    our_patient(call, body.patient_id)
    actor, source = who(call, StaffForm(actor=body.actor))
    made = propose(
        call.work,
        catalogue,
        service_id=named(catalogue.services, body.service, "service").id,
        location_id=location.id,
        patient_id=body.patient_id,
        span=span_of(body.from_, body.to, zone=location.zone, longest_days=LONGEST_DAYS),
        practitioner_ids=tuple(named(catalogue.practitioners, ref, "practitioner").id for ref in body.practitioners),
        text=body.text,
        conversation_id=None,
        source=source,
        now=call.now,
        actor=actor,
    )
    return shown_again(call, made, location=f"/appointments/{made}")


@section.writes(
    "/appointments/{appointment_id}/grant",
    Scope.APPOINTMENTS_WRITE,
    Scope.STAFF,
    summary="Give a proposal its time",
    needs_match=True,
    gives_etag=True,
)
def grant(call: Call, appointment_id: str, body: GrantForm) -> Answer[AppointmentOut]:
    """The same appointment is then booked."""
    actor, _ = as_staff(call, body.actor)
    visit = read_matching(call, appointment_id).visit
    grant_proposal(
        call.work,
        call.catalogue,
        appointment_id=appointment_id,
        starts_at=start_at(body.starts_at, call.catalogue.location(visit.location_id)),
        practitioner_id=named(call.catalogue.practitioners, body.practitioner, "practitioner").id,
        now=call.now,
        actor=actor,
        override_reason=body.override_reason,
    )
    return shown_again(call, appointment_id)


@section.writes(
    "/appointments/{appointment_id}/accept",
    Scope.APPOINTMENTS_WRITE,
    Scope.STAFF,
    summary="Say yes to a visit that staff confirm",
    needs_match=True,
    gives_etag=True,
)
def accept(call: Call, appointment_id: str, body: AnswerForm) -> Answer[AppointmentOut]:
    """The patient is told. 409 visit-closed for what does not wait for a yes."""
    actor, _ = as_staff(call, body.actor)
    read_matching(call, appointment_id)
    accept_request(call.work, call.catalogue, appointment_id=appointment_id, now=call.now, actor=actor)
    return shown_again(call, appointment_id)


@section.writes(
    "/appointments/{appointment_id}/reject",
    Scope.APPOINTMENTS_WRITE,
    Scope.STAFF,
    summary="Say no to a visit that staff confirm, or to a proposal",
    needs_match=True,
)
def reject(call: Call, appointment_id: str, body: RejectForm) -> Answer[RejectedOut]:
    """The time is free again, and the patient is offered what is nearest."""
    actor, _ = as_staff(call, body.actor)
    read_matching(call, appointment_id)
    instead = reject_request(
        call.work, call.catalogue, appointment_id=appointment_id, reason=body.reason, now=call.now, actor=actor
    )
    entry = ledger.read(call.session, appointment_id=appointment_id)
    return Answer(
        RejectedOut(
            appointment=appointment_out(call.catalogue, entry),
            alternatives=[slot_out(call.catalogue, slot) for slot in instead],
        )
    )
