"""Groups: sessions that several patients share, and the seats in them."""

from booking.sessions import Seat, participants
from booking.several.groups import (
    cancel_session,
    confirm_seat,
    join_session,
    leave_session,
    open_session,
    release_seat,
)
from frontdesk.api.calls.appointments import as_staff, length, shown_again, who
from frontdesk.api.calls.catalogue import named
from frontdesk.api.endpoint import Answer, Call, Section
from frontdesk.api.forms.appointments import AppointmentOut, CancelForm
from frontdesk.api.forms.bundles import SeatConfirmForm, SeatForm, SeatOut, SeatsOut, SessionForm
from frontdesk.api.keys import Scope
from frontdesk.api.ours import our_appointment, our_patient, read_matching
from frontdesk.api.times import shown, start_at

section = Section("groups")


@section.writes(
    "/sessions", Scope.APPOINTMENTS_WRITE, Scope.STAFF, summary="Open a group's session", status=201, gives_etag=True
)
def open_group(call: Call, body: SessionForm) -> Answer[AppointmentOut]:
    """Nobody is in it yet. Its Slots then carry its `session_id`."""
    catalogue = call.catalogue
    location = named(catalogue.locations, body.location, "location")
    actor, source = as_staff(call, body.actor)
    session = open_session(
        call.work,
        catalogue,
        service_id=named(catalogue.services, body.service, "service").id,
        location_id=location.id,
        starts_at=start_at(body.starts_at, location),
        practitioner_ids=tuple(named(catalogue.practitioners, ref, "practitioner").id for ref in body.practitioners),
        duration=length(body.duration_minutes),
        source=source,
        now=call.now,
        actor=actor,
        override_reason=body.override_reason,
    )
    return shown_again(call, session.id, location=f"/appointments/{session.id}")


@section.reads("/sessions/{session_id}/seats", Scope.APPOINTMENTS_READ, summary="List who takes part")
def list_seats(call: Call, session_id: str) -> Answer[SeatsOut]:
    """Who takes part or holds a seat, first come first."""
    our_appointment(call, session_id)
    found = participants(call.session, call.catalogue, session_id=session_id, now=call.now)
    return Answer(SeatsOut(seats=[_seat(call, seat) for seat in found]))


@section.writes("/sessions/{session_id}/seats", Scope.APPOINTMENTS_WRITE, summary="Keep a seat", status=201)
def hold_seat(call: Call, session_id: str, body: SeatForm) -> Answer[SeatOut]:
    """Who has a seat already gets that one. 409 session-full: there is no room, whoever asks."""
    actor, source = who(call, body)
    our_appointment(call, session_id)
    if body.patient_id is not None:
        our_patient(call, body.patient_id)
    seat = join_session(
        call.work,
        call.catalogue,
        session_id=session_id,
        patient_id=body.patient_id,
        conversation_id=None,
        source=source,
        now=call.now,
        actor=actor,
        override_reason=body.override_reason,
    )
    return Answer(_seat(call, seat), location=f"/sessions/{session_id}/seats")


@section.writes("/seats/{seat_id}/confirm", Scope.APPOINTMENTS_WRITE, summary="Book a seat that is kept")
def book_seat(call: Call, seat_id: str, body: SeatConfirmForm) -> Answer[SeatOut]:
    """A seat whose time has run out is booked if there is still room."""
    actor, _ = who(call, body)
    our_patient(call, body.patient_id)
    seat = confirm_seat(
        call.work,
        call.catalogue,
        seat_id=seat_id,
        patient_id=body.patient_id,
        now=call.now,
        actor=actor,
        override_reason=body.override_reason,
    )
    return Answer(_seat(call, seat))


@section.writes(
    "/seats/{seat_id}", Scope.APPOINTMENTS_WRITE, summary="Give a kept seat back", method="DELETE", status=204
)
def end_seat(call: Call, seat_id: str) -> Answer[None]:
    """Nothing happens if it is not kept any more."""
    release_seat(call.work, call.catalogue, seat_id=seat_id, now=call.now)
    return Answer(None)


@section.writes("/sessions/{session_id}/leave", Scope.APPOINTMENTS_WRITE, summary="Give a patient's seat back")
def leave_group(call: Call, session_id: str, body: SeatConfirmForm) -> Answer[SeatOut]:
    """The session goes on without them."""
    actor, _ = who(call, body)
    our_appointment(call, session_id)
    our_patient(call, body.patient_id)
    seat = leave_session(
        call.work, call.catalogue, session_id=session_id, patient_id=body.patient_id, now=call.now, actor=actor
    )
    return Answer(_seat(call, seat))


@section.writes(
    "/sessions/{session_id}/cancel",
    Scope.APPOINTMENTS_WRITE,
    Scope.STAFF,
    summary="Cancel a group's session",
    needs_match=True,
    gives_etag=True,
)
def cancel_group(call: Call, session_id: str, body: CancelForm) -> Answer[AppointmentOut]:
    """Every participant is told."""
    actor, source = as_staff(call, body.actor)
    read_matching(call, session_id)
    cancel_session(
        call.work, call.catalogue, session_id=session_id, reason=body.reason, now=call.now, actor=actor, source=source
    )
    return shown_again(call, session_id)


def _seat(call: Call, seat: Seat) -> SeatOut:
    expires_at = seat.hold_expires_at if seat.is_hold else None
    return SeatOut(
        id=seat.id,
        session_id=seat.session_id,
        patient_id=seat.patient_id,
        status=seat.status,
        hold_expires_at=None if expires_at is None else shown(expires_at, call.catalogue),
        source=seat.source,
    )
