"""The waiting list, and the answers to what it offers."""

from collections.abc import Sequence

from booking.waiting_list.offers import accept_offer, decline_offer, offer_made
from booking.waiting_list.waiting import Offered, Waiting
from booking.waiting_list.waitlist import (
    entries_of_patient,
    join_waitlist,
    leave_waitlist,
    offers_of_entries,
    span_asked,
    waiting_at,
)
from frontdesk.api.calls.appointments import shown_again, who
from frontdesk.api.calls.catalogue import named
from frontdesk.api.endpoint import Answer, Call, Section
from frontdesk.api.forms.appointments import AppointmentOut, NamedForm, StaffForm
from frontdesk.api.forms.waitlist import OfferOut, SpanOut, WaitForm, WaitingOut, WaitlistOut, WaitlistQuery
from frontdesk.api.keys import Scope
from frontdesk.api.ours import our_appointment, our_patient
from frontdesk.api.times import shown

section = Section("waiting list")


@section.writes("/waitlist", Scope.APPOINTMENTS_WRITE, summary="Put a patient on the waiting list", status=201)
def join(call: Call, body: WaitForm) -> Answer[WaitingOut]:
    """When time that suits comes free the patient is offered it. The same wish again is the same entry."""
    catalogue = call.catalogue
    _, source = who(call, StaffForm(actor=body.actor))
    our_patient(call, body.patient_id)
    if body.replaces is not None:
        our_appointment(call, body.replaces)
    entry_id = join_waitlist(
        call.work,
        catalogue,
        patient_id=body.patient_id,
        service_id=named(catalogue.services, body.service, "service").id,
        practitioner_ids=tuple(named(catalogue.practitioners, ref, "practitioner").id for ref in body.practitioners),
        location_ids=tuple(named(catalogue.locations, ref, "location").id for ref in body.locations),
        spans=tuple(span_asked(one.from_, one.to, now=call.now) for one in body.spans),
        replaces_id=body.replaces,
        conversation_id=None,
        source=source,
        now=call.now,
    )
    of_patient = entries_of_patient(
        call.session, clinic_id=call.key.clinic_id, patient_id=body.patient_id, now=call.now
    )
    made = [entry for entry in of_patient if entry.id == entry_id]
    return Answer(_shown(call, made)[0], location=f"/waitlist?patient={body.patient_id}")


@section.reads("/waitlist", Scope.APPOINTMENTS_READ, summary="List who waits")
def list_waiting(call: Call, query: WaitlistQuery) -> Answer[WaitlistOut]:
    """The clinic's waiting list or one patient's, the oldest first, with what was offered."""
    clinic_id = call.key.clinic_id
    if query.patient is None:
        entries = waiting_at(call.session, clinic_id=clinic_id, now=call.now)
    else:
        our_patient(call, query.patient)
        entries = entries_of_patient(call.session, clinic_id=clinic_id, patient_id=query.patient, now=call.now)
    return Answer(WaitlistOut(entries=_shown(call, entries)))


@section.writes(
    "/waitlist/{entry_id}", Scope.APPOINTMENTS_WRITE, summary="Take an entry off the list", method="DELETE", status=204
)
def leave(call: Call, entry_id: str) -> Answer[None]:
    """What was offered to it is let go. Nothing happens if it does not wait any more."""
    leave_waitlist(call.work, clinic_id=call.key.clinic_id, entry_id=entry_id, now=call.now)
    return Answer(None)


@section.reads("/offers/{offer_id}", Scope.APPOINTMENTS_READ, summary="Read an offer")
def read_offer(call: Call, offer_id: str) -> Answer[OfferOut]:
    """A time that came free and is kept for one who waits."""
    return Answer(_offer(call, offer_made(call.session, offer_id=offer_id, clinic_id=call.key.clinic_id)[0]))


@section.writes("/offers/{offer_id}/accept", Scope.APPOINTMENTS_WRITE, summary="Take the time that is offered")
def accept_what_is_offered(call: Call, offer_id: str, body: NamedForm) -> Answer[AppointmentOut]:
    """The first yes gets it: 409 offer-gone for who was later."""
    actor, _ = who(call, StaffForm(actor=body.actor))
    visit = accept_offer(call.work, call.catalogue, offer_id=offer_id, now=call.now, actor=actor)
    return shown_again(call, visit.id)


@section.writes(
    "/offers/{offer_id}/decline", Scope.APPOINTMENTS_WRITE, summary="Leave the time that is offered", status=204
)
def decline(call: Call, offer_id: str) -> Answer[None]:
    """The patient goes on waiting."""
    decline_offer(call.work, call.catalogue, offer_id=offer_id, now=call.now)
    return Answer(None)


def _shown(call: Call, entries: Sequence[Waiting]) -> list[WaitingOut]:
    offers = offers_of_entries(call.session, entry_ids=[entry.id for entry in entries])
    return [
        WaitingOut(
            id=entry.id,
            patient_id=entry.patient_id,
            service_id=entry.service_id,
            practitioner_ids=list(entry.practitioner_ids),
            location_ids=list(entry.location_ids),
            spans=[
                SpanOut(starts_at=shown(span.start, call.catalogue), ends_at=shown(span.end, call.catalogue))
                for span in entry.spans
            ],
            replaces_id=entry.replaces_id,
            source=entry.source,
            status=entry.status,
            created_at=shown(entry.created_at, call.catalogue),
            expires_at=shown(entry.expires_at, call.catalogue),
            offers=[_offer(call, offer) for offer in offers.get(entry.id, [])],
        )
        for entry in entries
    ]


def _offer(call: Call, offer: Offered) -> OfferOut:
    answered_at = offer.answered_at
    return OfferOut(
        id=offer.id,
        entry_id=offer.entry_id,
        hold_id=offer.hold_id,
        status=offer.status,
        offered_at=shown(offer.offered_at, call.catalogue),
        expires_at=shown(offer.expires_at, call.catalogue),
        answered_at=None if answered_at is None else shown(answered_at, call.catalogue),
    )
