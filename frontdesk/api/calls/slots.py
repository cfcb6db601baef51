"""What is free: of one practitioner or of many, for one service or several."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from booking.explain import Asker, explain
from booking.next_available import next_available
from booking.queries import find_slots_many
from booking.sentences import sentence
from booking.values import Catalogue, Place, Slot, SlotQuery
from frontdesk.api.calls.catalogue import named, person_out
from frontdesk.api.endpoint import Answer, Call, Section
from frontdesk.api.forms.explain import ExplainForm, ExplanationOut, NearestOut
from frontdesk.api.forms.problem import AlsoOut
from frontdesk.api.forms.slots import NextAvailableOut, NextAvailableQuery, NextOut, SlotOut, SlotsOut, SlotsQuery
from frontdesk.api.keys import Scope
from frontdesk.api.ours import our_appointment, our_patient
from frontdesk.api.times import shown, span_of

LONGEST_DAYS = 92

section = Section("slots")


@section.reads("/slots", Scope.SLOTS_READ, summary="List the times that could be booked")
def list_slots(call: Call, query: SlotsQuery) -> Answer[SlotsOut]:
    """The times of one practitioner's service or of any number of services, practitioners and locations together.

    Who is free comes with a profile, so that a patient can choose. A time that is listed may be gone when it is held.
    """
    if query.replaces is not None:
        our_appointment(call, query.replaces)
    found = _found(call, query)
    kept, next_from = _cut(found, query.limit)
    free = {slot.practitioner_id for slot in kept}
    return Answer(
        SlotsOut(
            slots=[slot_out(call.catalogue, slot) for slot in kept],
            practitioners=[person_out(person) for person in call.catalogue.practitioners if person.id in free],
            next_from=None if next_from is None else shown(next_from, call.catalogue),
        )
    )


@section.reads("/next-available", Scope.SLOTS_READ, summary="Say when each practitioner is next free")
def list_next_available(call: Call, query: NextAvailableQuery) -> Answer[NextAvailableOut]:
    """For each practitioner, service and location, as it was last reckoned: for showing, not for booking."""
    catalogue = call.catalogue
    found = next_available(
        call.session,
        catalogue,
        practitioner_ids=tuple(named(catalogue.practitioners, ref, "practitioner").id for ref in query.practitioner),
        service_ids=tuple(named(catalogue.services, ref, "service").id for ref in query.service),
        location_ids=tuple(named(catalogue.locations, ref, "location").id for ref in query.location),
    )
    seen = {person.id for person in catalogue.practitioners}
    return Answer(
        NextAvailableOut(
            next=[
                NextOut(
                    practitioner_id=practitioner_id,
                    service_id=service_id,
                    location_id=location_id,
                    starts_at=None if starts_at is None else shown(starts_at, catalogue, location_id),
                )
                for (practitioner_id, service_id, location_id), starts_at in sorted(
                    found.items(), key=lambda item: item[0]
                )
                if practitioner_id in seen
            ]
        )
    )


@section.reads("/slots/explain", Scope.SLOTS_READ, summary="Say why not, and what is nearest", method="POST")
def explain_wish(call: Call, body: ExplainForm) -> Answer[ExplanationOut]:
    """The rules that stand against the wish, and for each smallest change of it the nearest time, fewest changes first."""
    catalogue = call.catalogue
    if body.patient_id is not None:
        our_patient(call, body.patient_id)
    told = explain(
        call.session,
        catalogue,
        query=SlotQuery(
            service_id=named(catalogue.services, body.service, "service").id,
            span=span_of(body.from_, body.to, zone=catalogue.zone, longest_days=LONGEST_DAYS),
            practitioner_ids=tuple(
                named(catalogue.practitioners, ref, "practitioner").id for ref in body.practitioners
            ),
            location_ids=tuple(named(catalogue.locations, ref, "location").id for ref in body.locations),
            duration=None if body.duration_minutes is None else timedelta(minutes=body.duration_minutes),
        ),
        now=call.now,
        asker=Asker(patient_id=body.patient_id),
    )
    return Answer(
        ExplanationOut(
            reasons=[
                AlsoOut(
                    code=reason.code,
                    detail=sentence(reason, catalogue=catalogue, language=call.language),
                    fields=reason.fields,
                )
                for reason in told.reasons
            ],
            nearest=[
                NearestOut(changes=list(near.changes), slot=slot_out(catalogue, near.slot)) for near in told.nearest
            ],
        )
    )


def queries_of(call: Call, query: SlotsQuery) -> list[SlotQuery]:
    """Return one search for each service. Raises Problem for what the clinic does not have."""
    catalogue = call.catalogue
    services = [named(catalogue.services, ref, "service") for ref in dict.fromkeys(query.service)]
    span = span_of(query.from_, query.to, zone=catalogue.zone, longest_days=LONGEST_DAYS)
    place = None if query.latitude is None or query.longitude is None else Place(query.latitude, query.longitude)
    return [
        SlotQuery(
            service_id=service.id,
            span=span,
            practitioner_ids=tuple(
                named(catalogue.practitioners, ref, "practitioner").id for ref in query.practitioner
            ),
            location_ids=tuple(named(catalogue.locations, ref, "location").id for ref in query.location),
            duration=None if query.duration_minutes is None else timedelta(minutes=query.duration_minutes),
            place=place,
        )
        for service in services
    ]


def slot_out(catalogue: Catalogue, slot: Slot) -> SlotOut:
    """Return a Slot in the time of its Location."""
    return SlotOut(
        starts_at=shown(slot.starts_at, catalogue, slot.location_id),
        ends_at=shown(slot.ends_at, catalogue, slot.location_id),
        service_id=slot.service_id,
        practitioner_id=slot.practitioner_id,
        location_id=slot.location_id,
        is_contingent=slot.is_contingent,
        session_id=slot.session_id,
        parts=[slot_out(catalogue, part) for part in slot.parts],
    )


def _found(call: Call, query: SlotsQuery) -> list[Slot]:
    queries = queries_of(call, query)
    if query.replaces is None:
        found = call.shown.find_slots_many(call.session, call.catalogue, queries=queries, now=call.now)
    else:
        found = find_slots_many(
            call.session, call.catalogue, queries=queries, now=call.now, replaces_appointment_id=query.replaces
        )
    # Stable: within a start, as each search has them.
    return sorted((slot for some in found for slot in some), key=lambda slot: slot.starts_at)


def _cut(found: Sequence[Slot], limit: int) -> tuple[list[Slot], datetime | None]:
    """Return about `limit` Slots, and the start of the first left out: times that start together stay together."""
    if len(found) <= limit:
        return list(found), None
    edge = found[limit].starts_at
    kept = [slot for slot in found[:limit] if slot.starts_at < edge]
    if kept:
        return kept, edge
    together = [slot for slot in found if slot.starts_at == edge]
    later = [slot.starts_at for slot in found if slot.starts_at > edge]
    return together, later[0] if later else None
