"""Several appointments at once, all or nothing: households, packages, series."""

from collections.abc import Iterable
from datetime import timedelta

from booking import ledger
from booking.sentences import sentence
from booking.several.bundles import (
    PartWish,
    cancel_bundle,
    confirm_bundle,
    place_bundle,
    place_package,
    release_bundle,
    visits_of_bundle,
)
from booking.several.household import find_household_slots
from booking.several.series import place_series
from booking.values import BookedVisit, BundleKind, Place, SlotQuery
from frontdesk.api.calls.appointments import appointment_out, length, who
from frontdesk.api.calls.catalogue import named
from frontdesk.api.calls.slots import slot_out
from frontdesk.api.endpoint import Answer, Call, Section
from frontdesk.api.forms.bundles import (
    BundleOut,
    CancelBundleForm,
    ConfirmBundleForm,
    HouseholdForm,
    HouseholdSlotsForm,
    HouseholdSlotsOut,
    PackageForm,
    PartForm,
    SeriesForm,
    SeriesOut,
    SkippedOut,
)
from frontdesk.api.forms.problem import AlsoOut
from frontdesk.api.keys import Scope
from frontdesk.api.ours import our_patient
from frontdesk.api.times import shown, span_of, start_at

LONGEST_DAYS_TOGETHER = 14  # the ways in which several can come together are many more than the times of one

section = Section("bundles")


@section.reads("/slots/household", Scope.SLOTS_READ, summary="List when several people could come", method="POST")
def list_household_slots(call: Call, body: HouseholdSlotsForm) -> Answer[HouseholdSlotsOut]:
    """One after the other or at once, with nobody and no room needed twice. At most one time for each start and location."""
    catalogue = call.catalogue
    span = span_of(body.from_, body.to, zone=catalogue.zone, longest_days=LONGEST_DAYS_TOGETHER)
    found = find_household_slots(
        call.session,
        catalogue,
        wishes=[
            SlotQuery(
                service_id=named(catalogue.services, wish.service, "service").id,
                span=span,
                practitioner_ids=tuple(
                    named(catalogue.practitioners, ref, "practitioner").id for ref in wish.practitioners
                ),
                location_ids=tuple(named(catalogue.locations, ref, "location").id for ref in wish.locations),
                duration=length(wish.duration_minutes),
            )
            for wish in body.wishes
        ],
        together=body.together,
        now=call.now,
    )
    return Answer(HouseholdSlotsOut(slots=[slot_out(catalogue, slot) for slot in found]))


@section.writes("/households", Scope.APPOINTMENTS_WRITE, summary="Keep the times of several people", status=201)
def hold_household(call: Call, body: HouseholdForm) -> Answer[BundleOut]:
    """All of them or none. Two people may come at the same time."""
    actor, source = who(call, body)
    held = place_bundle(
        call.work,
        call.catalogue,
        kind=BundleKind.HOUSEHOLD,
        parts=[_part(call, part) for part in body.parts],
        conversation_id=None,
        source=source,
        now=call.now,
        actor=actor,
        override_reason=body.override_reason,
    )
    return _made(call, held)


@section.writes("/packages", Scope.APPOINTMENTS_WRITE, summary="Keep the times of a package", status=201)
def hold_package(call: Call, body: PackageForm) -> Answer[BundleOut]:
    """All steps or none, as the `parts` of one of the package's Slots say."""
    actor, source = who(call, body)
    held = place_package(
        call.work,
        call.catalogue,
        service_id=named(call.catalogue.services, body.service, "service").id,
        parts=[_part(call, part) for part in body.parts],
        conversation_id=None,
        source=source,
        now=call.now,
        actor=actor,
        override_reason=body.override_reason,
    )
    return _made(call, held)


@section.writes("/series", Scope.APPOINTMENTS_WRITE, summary="Keep the times of a series", status=201)
def hold_series(call: Call, body: SeriesForm) -> Answer[SeriesOut]:
    """Every date of the rule that can be had, all with the same practitioner. The others are told, each with the reason."""
    actor, source = who(call, body)
    series = place_series(
        call.work,
        call.catalogue,
        rule=body.rule,
        first=_part(call, body.first),
        conversation_id=None,
        source=source,
        now=call.now,
        actor=actor,
        override_reason=body.override_reason,
    )
    location_id = series.visits[0].location_id
    return Answer(
        SeriesOut(
            id=series.bundle_id,
            appointments=_appointments(call, series.visits).appointments,
            skipped=[
                SkippedOut(
                    starts_at=shown(starts_at, call.catalogue, location_id),
                    why=AlsoOut(
                        code=why.code,
                        detail=sentence(why, catalogue=call.catalogue, language=call.language),
                        fields=why.fields,
                    ),
                )
                for starts_at, why in series.skipped
            ],
            ends_early=series.ends_early,
        ),
        location=f"/bundles/{series.bundle_id}",
    )


@section.reads("/bundles/{bundle_id}", Scope.APPOINTMENTS_READ, summary="Read a bundle")
def read_bundle(call: Call, bundle_id: str) -> Answer[BundleOut]:
    """Its appointments by start. Each has a life of its own among the appointments, too."""
    return Answer(_bundle(call, bundle_id))


@section.writes("/bundles/{bundle_id}/confirm", Scope.APPOINTMENTS_WRITE, summary="Book a bundle that is kept")
def book_bundle(call: Call, bundle_id: str, body: ConfirmBundleForm) -> Answer[BundleOut]:
    """All of it or nothing."""
    actor, _ = who(call, body)
    for patient_id in {body.patient_id, *(one.patient_id for one in body.patients)} - {None}:
        our_patient(call, str(patient_id))
    confirm_bundle(
        call.work,
        call.catalogue,
        bundle_id=bundle_id,
        patient_ids=body.patient_id or {one.appointment_id: one.patient_id for one in body.patients},
        now=call.now,
        actor=actor,
        override_reason=body.override_reason,
    )
    return Answer(_bundle(call, bundle_id))


@section.writes("/bundles/{bundle_id}/cancel", Scope.APPOINTMENTS_WRITE, summary="Cancel what is ahead of a bundle")
def call_off_bundle(call: Call, bundle_id: str, body: CancelBundleForm) -> Answer[BundleOut]:
    """All that is ahead, or nothing where one of them can't be cancelled any more."""
    actor, source = who(call, body)
    cancel_bundle(
        call.work,
        call.catalogue,
        bundle_id=bundle_id,
        reason=body.reason,
        now=call.now,
        actor=actor,
        source=source,
        from_at=body.from_,
    )
    return Answer(_bundle(call, bundle_id))


@section.writes(
    "/bundles/{bundle_id}", Scope.APPOINTMENTS_WRITE, summary="Give a kept bundle back", method="DELETE", status=204
)
def end_bundle(call: Call, bundle_id: str) -> Answer[None]:
    """Its Holds end. What is booked stays."""
    release_bundle(call.work, call.catalogue, bundle_id=bundle_id, now=call.now)
    return Answer(None)


def _part(call: Call, part: PartForm) -> PartWish:
    catalogue = call.catalogue
    location = named(catalogue.locations, part.location, "location")
    if part.patient_id is not None:
        our_patient(call, part.patient_id)
    duration: timedelta | None = length(part.duration_minutes)
    return PartWish(
        service_id=named(catalogue.services, part.service, "service").id,
        location_id=location.id,
        starts_at=start_at(part.starts_at, location),
        practitioner_ids=tuple(named(catalogue.practitioners, ref, "practitioner").id for ref in part.practitioners),
        patient_id=part.patient_id,
        duration=duration,
        place=None if part.place is None else Place(part.place.latitude, part.place.longitude),
    )


def _made(call: Call, visits: tuple[BookedVisit, ...]) -> Answer[BundleOut]:
    made = _appointments(call, visits)
    return Answer(made, location=f"/bundles/{made.id}")


def _bundle(call: Call, bundle_id: str) -> BundleOut:
    return _appointments(call, visits_of_bundle(call.session, call.catalogue, bundle_id=bundle_id))


def _appointments(call: Call, visits: Iterable[BookedVisit]) -> BundleOut:
    entries = [ledger.read(call.session, appointment_id=visit.id) for visit in visits]
    return BundleOut(
        id=str(entries[0].visit.bundle_id), appointments=[appointment_out(call.catalogue, entry) for entry in entries]
    )
