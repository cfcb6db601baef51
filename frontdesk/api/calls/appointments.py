"""Holds and appointments: kept, booked, moved, called off, looked up."""

from datetime import timedelta
from typing import Literal

from booking import ledger
from booking.cancel import cancel_appointment
from booking.confirm import confirm_hold
from booking.desk.attendance import mark_arrived, mark_noshow, undo_attendance
from booking.hold import place_hold, release_one
from booking.queries import history
from booking.reschedule import reschedule
from booking.values import Catalogue, Place, ServiceInfo, Source
from frontdesk.api.calls.catalogue import named
from frontdesk.api.endpoint import Answer, Call, Section
from frontdesk.api.forms.appointments import (
    AppointmentOut,
    AppointmentsOut,
    AppointmentsQuery,
    AttendanceForm,
    BookingForm,
    CancelForm,
    ChangeOut,
    HistoryOut,
    HoldForm,
    MoveForm,
    StaffForm,
)
from frontdesk.api.keys import Scope
from frontdesk.api.ours import our_appointment, our_patient, read_matching
from frontdesk.api.problems import Problem, not_found
from frontdesk.api.reads.appointments import list_page
from frontdesk.api.times import shown, start_at

section = Section("appointments")


@section.writes("/holds", Scope.APPOINTMENTS_WRITE, summary="Keep a time", status=201, gives_etag=True)
def make_hold(call: Call, body: HoldForm) -> Answer[AppointmentOut]:
    """Keep a time for as long as the clinic keeps times, for one of `practitioners` or the best of all who are free.

    409 slot-taken: somebody else has it. 422: the rules say no; `also` tells every other rule that does.
    """
    catalogue = call.catalogue
    location = named(catalogue.locations, body.location, "location")
    actor, source = who(call, body)
    if body.patient_id is not None:
        our_patient(call, body.patient_id)
    if body.replaces is not None:
        our_appointment(call, body.replaces)
    held = place_hold(
        call.work,
        catalogue,
        service_id=named(catalogue.services, body.service, "service").id,
        location_id=location.id,
        starts_at=start_at(body.starts_at, location),
        practitioner_ids=tuple(named(catalogue.practitioners, ref, "practitioner").id for ref in body.practitioners),
        conversation_id=None,
        patient_id=body.patient_id,
        source=source,
        now=call.now,
        replaces_appointment_id=body.replaces,
        duration=length(body.duration_minutes),
        place=None if body.place is None else Place(body.place.latitude, body.place.longitude),
        actor=actor,
        override_reason=body.override_reason,
    )
    return shown_again(call, held.id, location=f"/appointments/{held.id}")


@section.writes(
    "/holds/{hold_id}", Scope.APPOINTMENTS_WRITE, summary="Give a kept time back", method="DELETE", status=204
)
def end_hold(call: Call, hold_id: str) -> Answer[None]:
    """Give the time back at once. A Hold that ends by itself need not be given back."""
    entry = our_appointment(call, hold_id)
    if not entry.visit.is_hold:
        raise not_found("hold")
    release_one(call.work, appointment_id=hold_id, now=call.now)
    return Answer(None)


@section.writes(
    "/appointments", Scope.APPOINTMENTS_WRITE, summary="Book a time that is kept", status=201, gives_etag=True
)
def book_hold(call: Call, body: BookingForm) -> Answer[AppointmentOut]:
    """Make the Hold an appointment of the patient. One that has run out is booked if its time is still free.

    The answer is `pending` where staff say yes first.
    """
    actor, _ = who(call, body)
    our_appointment(call, body.hold_id)
    our_patient(call, body.patient_id)
    visit = confirm_hold(
        call.work,
        call.catalogue,
        appointment_id=body.hold_id,
        patient_id=body.patient_id,
        now=call.now,
        actor=actor,
        override_reason=body.override_reason,
    )
    return shown_again(call, visit.id, location=f"/appointments/{visit.id}")


@section.reads("/appointments", Scope.APPOINTMENTS_READ, summary="List appointments")
def list_appointments(call: Call, query: AppointmentsQuery) -> Answer[AppointmentsOut]:
    """Appointments by patient, practitioner, location, type, status and day. Cancelled ones are listed too."""
    if query.patient is not None:
        our_patient(call, query.patient)
    entries, next_cursor = list_page(call.session, call.catalogue, query=query)
    return Answer(
        AppointmentsOut(
            appointments=[appointment_out(call.catalogue, entry) for entry in entries], next_cursor=next_cursor
        )
    )


@section.reads(
    "/appointments/{appointment_id}", Scope.APPOINTMENTS_READ, summary="Read an appointment or a hold", gives_etag=True
)
def read_appointment(call: Call, appointment_id: str) -> Answer[AppointmentOut]:
    """The appointment as it stands. Its ETag is what If-Match asks for when it is changed."""
    return as_answer(call, our_appointment(call, appointment_id))


@section.reads("/appointments/{appointment_id}/history", Scope.APPOINTMENTS_READ, summary="Read who changed what")
def read_history(call: Call, appointment_id: str) -> Answer[HistoryOut]:
    """Every change in order: who, when, from where, before and after."""
    our_appointment(call, appointment_id)
    lines = history(call.session, appointment_id=appointment_id)
    return Answer(
        HistoryOut(
            changes=[
                ChangeOut(
                    changed_at=shown(line.changed_at, call.catalogue),
                    what=line.what,
                    actor=line.actor,
                    source=line.source,
                    before=line.before,
                    after=line.after,
                )
                for line in lines
            ]
        )
    )


@section.writes(
    "/appointments/{appointment_id}/move",
    Scope.APPOINTMENTS_WRITE,
    summary="Move an appointment",
    needs_match=True,
    gives_etag=True,
)
def move_appointment(call: Call, appointment_id: str, body: MoveForm) -> Answer[AppointmentOut]:
    """The same appointment at another time, place or person. If it can't be moved it stays as it was."""
    actor, source = who(call, body)
    entry = our_appointment(call, appointment_id)
    if body.hold_id is not None:
        our_appointment(call, body.hold_id)
    also = () if body.hold_id is None else (body.hold_id,)
    entry = read_matching(call, appointment_id, also=also)
    hold_id = body.hold_id or _hold_to_move(call, entry, body, actor=actor, source=source)
    reschedule(
        call.work,
        call.catalogue,
        appointment_id=appointment_id,
        hold_id=hold_id,
        now=call.now,
        actor=actor,
        source=source,
        override_reason=body.override_reason,
    )
    return shown_again(call, appointment_id)


@section.writes(
    "/appointments/{appointment_id}/cancel",
    Scope.APPOINTMENTS_WRITE,
    summary="Cancel an appointment",
    needs_match=True,
    gives_etag=True,
)
def cancel(call: Call, appointment_id: str, body: CancelForm) -> Answer[AppointmentOut]:
    """Call the appointment off and give its time back. A reason is kept."""
    actor, source = who(call, body)
    entry = read_matching(call, appointment_id)
    if entry.visit.is_hold:
        raise not_found("appointment")
    cancel_appointment(
        call.work,
        call.catalogue,
        appointment_id=appointment_id,
        reason=body.reason,
        now=call.now,
        actor=actor,
        source=source,
    )
    return shown_again(call, appointment_id)


@section.writes(
    "/appointments/{appointment_id}/attendance",
    Scope.APPOINTMENTS_WRITE,
    Scope.STAFF,
    summary="Note whether the patient came",
    needs_match=True,
    gives_etag=True,
)
def note_attendance(call: Call, appointment_id: str, body: AttendanceForm) -> Answer[AppointmentOut]:
    """Mark the patient as arrived or as a no-show, or take that back."""
    actor, source = as_staff(call, body.actor)
    read_matching(call, appointment_id)
    if body.attendance == "unknown":
        undo_attendance(call.work, appointment_id=appointment_id, now=call.now, actor=actor, source=source)
    else:
        mark = mark_arrived if body.attendance == "arrived" else mark_noshow
        mark(call.work, call.catalogue, appointment_id=appointment_id, now=call.now, actor=actor, source=source)
    return shown_again(call, appointment_id)


def who(call: Call, form: StaffForm) -> tuple[str, Source]:
    """Return who acts, as histories tell it, and where from. Raises Problem if a key that is not of staff names somebody."""
    if form.actor is None:
        return call.actor, call.source
    if not call.key.is_staff:
        raise Problem("forbidden", "Only keys with the scope staff act for somebody of the staff.")
    return f"staff:{form.actor}", Source.STAFF


def as_staff(call: Call, actor: str | None) -> tuple[str, Source]:
    """Return who of the staff acts: whoever is named, or the key, which has their scope."""
    return f"staff:{actor or call.key.name}", Source.STAFF


def length(duration_minutes: int | None) -> timedelta | None:
    """Return a length as it was asked for."""
    return None if duration_minutes is None else timedelta(minutes=duration_minutes)


def shown_again(call: Call, appointment_id: str, *, location: str | None = None) -> Answer[AppointmentOut]:
    """Return the Appointment as it stands after what was done to it."""
    return as_answer(call, ledger.read(call.session, appointment_id=appointment_id), location=location)


def as_answer(call: Call, entry: ledger.Entry, *, location: str | None = None) -> Answer[AppointmentOut]:
    """Return the Appointment with its ETag."""
    return Answer(appointment_out(call.catalogue, entry), etag=str(entry.revision), location=location)


def appointment_out(catalogue: Catalogue, entry: ledger.Entry) -> AppointmentOut:
    """Return an Appointment in the time of its Location."""
    visit = entry.visit
    expires_at = visit.hold_expires_at if visit.is_hold else None
    return AppointmentOut(
        id=visit.id,
        uid=visit.uid,
        revision=entry.revision,
        status=visit.status,
        is_hold=visit.is_hold,
        hold_expires_at=None if expires_at is None else shown(expires_at, catalogue, visit.location_id),
        service_id=visit.service_id,
        practitioner_id=visit.practitioner_id or None,
        location_id=visit.location_id,
        patient_id=visit.patient_id,
        patient_status=_patient_status(entry),
        bundle_id=visit.bundle_id,
        starts_at=shown(visit.starts_at, catalogue, visit.location_id),
        ends_at=shown(visit.ends_at, catalogue, visit.location_id),
        source=visit.source,
        reason=visit.reason,
        times_moved=visit.times_moved,
        meeting_url=visit.meeting_url,
        overridden=list(visit.overridden),
    )


def _patient_status(entry: ledger.Entry) -> Literal["accepted", "needs-action"] | None:
    if entry.visit.patient_id is None:
        return None
    return "needs-action" if entry.patient_confirmed_at is None else "accepted"


def _hold_to_move(call: Call, entry: ledger.Entry, body: MoveForm, *, actor: str, source: Source) -> str:
    if body.starts_at is None:
        raise RuntimeError("the form asks for a Hold or a time")
    catalogue, visit = call.catalogue, entry.visit
    location = catalogue.location(visit.location_id)
    if body.location is not None:
        location = named(catalogue.locations, body.location, "location")
    people = tuple(named(catalogue.practitioners, ref, "practitioner").id for ref in body.practitioners)
    hold = place_hold(
        call.work,
        catalogue,
        service_id=visit.service_id,
        location_id=location.id,
        starts_at=start_at(body.starts_at, location),
        practitioner_ids=people or (visit.practitioner_id,),
        conversation_id=None,
        patient_id=visit.patient_id,
        source=source,
        now=call.now,
        replaces_appointment_id=visit.id,
        duration=length(body.duration_minutes) or _own_length(catalogue.service(visit.service_id), entry),
        place=visit.place,
        actor=actor,
        override_reason=body.override_reason,
    )
    return hold.id


def _own_length(service: ServiceInfo, entry: ledger.Entry) -> timedelta | None:
    return None if service.longest is None else entry.visit.ends_at - entry.visit.starts_at
