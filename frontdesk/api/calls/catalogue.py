"""The catalogue in one answer, which a client keeps until its ETag changes."""

from collections.abc import Sequence
from datetime import timedelta
from importlib.metadata import version
from typing import TypeVar

from booking.values import (
    BookingRules,
    Catalogue,
    LocationInfo,
    PractitionerInfo,
    ServiceInfo,
    WeeklyHours,
)
from frontdesk.api.endpoint import Answer, Call, Section
from frontdesk.api.forms.catalogue import (
    AnswerOut,
    CatalogueOut,
    ClinicOut,
    DatedHoursOut,
    DaysOut,
    GroupOut,
    HoursOut,
    LocationOut,
    PersonOut,
    PractitionerOut,
    PriceOut,
    RulesOut,
    ServiceOut,
)
from frontdesk.api.keys import Scope
from frontdesk.api.problems import not_found

Named = TypeVar("Named", LocationInfo, ServiceInfo, PractitionerInfo)

section = Section("catalogue")


@section.reads(
    "/catalogue", Scope.CATALOGUE_READ, summary="Read the clinic, its locations, services and people", is_cacheable=True
)
def read_catalogue(call: Call) -> Answer[CatalogueOut]:
    """Everything a client needs to show and filter what can be booked. Ask with If-None-Match: 304 says that nothing changed.

    People of hidden verticals are told to keys of staff only.
    """
    catalogue = call.catalogue
    view = "staff" if call.key.is_staff else "patients"
    return Answer(
        CatalogueOut(
            version=catalogue.version,
            clinic=ClinicOut(
                id=catalogue.clinic_id,
                key=catalogue.key,
                name=catalogue.name,
                country=catalogue.country,
                timezone=catalogue.zone.key,
                languages=list(catalogue.languages),
                phone=catalogue.phone,
            ),
            locations=[_location(catalogue, location) for location in catalogue.locations],
            services=[_service(catalogue, service) for service in catalogue.services],
            practitioners=[_practitioner(person) for person in catalogue.practitioners],
            answers=[AnswerOut(topic=one.topic, text=one.text) for one in catalogue.answers],
        ),
        etag=f"{catalogue.clinic_id}-{catalogue.version}-{view}-{version('frontdesk')}",
    )


def named(things: Sequence[Named], ref: str, what: str) -> Named:
    """Return the one of `things` that has this id or key. Raises Problem, also for another clinic's."""
    for thing in things:
        if ref in {thing.id, thing.key}:
            return thing
    raise not_found(what)


def person_out(person: PractitionerInfo) -> PersonOut:
    """Return the profile of a practitioner."""
    profile = person.profile
    return PersonOut(
        id=person.id,
        key=person.key,
        name=person.name,
        kind=person.kind,
        gender=person.gender,
        languages=list(person.languages),
        bio=profile.bio,
        specialties=list(profile.specialties),
        credentials=list(profile.credentials),
        publications=list(profile.publications),
        rating=profile.rating,
        reviews=profile.reviews,
    )


def _practitioner(person: PractitionerInfo) -> PractitionerOut:
    return PractitionerOut(
        **person_out(person).model_dump(),
        vertical=person.vertical,
        is_hidden=person.is_hidden,
        visible_when_unavailable=person.visible_when_unavailable,
        service_ids=sorted(person.service_ids),
        location_ids=sorted({hours.location_id for hours in person.hours}),
    )


def _location(catalogue: Catalogue, location: LocationInfo) -> LocationOut:
    return LocationOut(
        id=location.id,
        key=location.key,
        name=location.name,
        address=location.address,
        timezone=location.zone.key,
        phone=location.phone,
        directions=location.directions,
        parking=location.parking,
        latitude=location.place.latitude if location.place else None,
        longitude=location.place.longitude if location.place else None,
        hours=[_hours(hours) for hours in location.hours],
        dated_hours=[
            DatedHoursOut(
                day=one.day, start_minute=minutes(one.start), end_minute=minutes(one.end), is_open=one.is_open
            )
            for one in location.dated
        ],
        closures=[DaysOut(first=one.first, end=one.end) for one in location.closures],
        rules=_rules(catalogue.rules_at(location.id)),
    )


def _service(catalogue: Catalogue, service: ServiceInfo) -> ServiceOut:
    return ServiceOut(
        id=service.id,
        key=service.key,
        name=service.name,
        aliases=list(service.aliases),
        description=service.description,
        category=service.category,
        duration_minutes=minutes(service.duration),
        longest_minutes=None if service.longest is None else minutes(service.longest),
        duration_step_minutes=None if service.duration_step is None else minutes(service.duration_step),
        price=None
        if service.price is None
        else PriceOut(amount_minor=service.price.amount_minor, currency=service.price.currency),
        mode=service.mode.value,
        needs_confirmation=service.needs_confirmation,
        prior_visit=None if service.prior_visit is None else service.prior_visit.value,
        preparation=service.preparation,
        group=None if service.group is None else GroupOut(minimum=service.group.minimum, maximum=service.group.maximum),
        step_ids=list(service.steps),
        practitioner_ids=[person.id for person in catalogue.practitioners if catalogue.offers(person, service)],
    )


def _rules(rules: BookingRules) -> RulesOut:
    return RulesOut(
        minimum_notice_minutes=minutes(rules.minimum_notice),
        maximum_advance_minutes=minutes(rules.maximum_advance),
        step_minutes=minutes(rules.step),
        hold_minutes=minutes(rules.hold),
        cancel_notice_minutes=minutes(rules.cancel_notice),
        max_moves=rules.max_moves,
        max_per_patient_per_day=rules.max_per_patient_per_day,
    )


def _hours(hours: WeeklyHours) -> HoursOut:
    return HoursOut(weekday=hours.weekday, start_minute=minutes(hours.start), end_minute=minutes(hours.end))


def minutes(length: timedelta) -> int:
    """Return a length in whole minutes."""
    return int(length.total_seconds() // 60)
