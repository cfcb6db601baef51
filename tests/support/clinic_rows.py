"""Store a frozen Catalogue of a test as rows, with the very ids it has."""

from datetime import timedelta
from typing import Any

from booking.catalogue import stored_rules
from booking.model.clinic import Clinic, Closure, Location, OpeningHours
from booking.model.schedule import AvailabilityRule, Schedule, TimeOff
from booking.model.staff import HealthcareService, Practitioner, Resource, ServiceOffering
from booking.values import Catalogue, LocationInfo, PractitionerInfo, ServiceInfo
from kernel.work import UnitOfWork


def store_catalogue(work: UnitOfWork, catalogue: Catalogue) -> None:
    """Write the clinic of `catalogue` into an empty database. `load_catalogue` then gives an equal value."""
    work.session.add(_clinic(catalogue))
    work.session.flush()
    for position, location in enumerate(catalogue.locations):
        work.session.add(_location(catalogue, location, position))
    for position, service in enumerate(catalogue.services):
        work.session.add(_service(catalogue, service, position))
    for position, practitioner in enumerate(catalogue.practitioners):
        work.session.add(_practitioner(catalogue, practitioner, position))
    work.session.flush()
    for position, resource in enumerate(catalogue.resources):
        work.session.add(
            Resource(
                id=resource.id,
                clinic_id=catalogue.clinic_id,
                key=resource.key,
                position=position,
                kind=resource.kind,
                location_id=resource.location_id,
            )
        )
    work.session.flush()
    for practitioner in catalogue.practitioners:
        diary = Schedule(id=practitioner.schedule_id, clinic_id=catalogue.clinic_id, practitioner_id=practitioner.id)
        work.session.add(diary)
    for resource in catalogue.resources:
        work.session.add(Schedule(id=resource.schedule_id, clinic_id=catalogue.clinic_id, resource_id=resource.id))
    work.session.flush()
    for location in catalogue.locations:
        work.session.add_all(_parts_of_location(location))
    for practitioner in catalogue.practitioners:
        work.session.add_all(_parts_of_practitioner(practitioner))
    work.session.flush()


def _clinic(catalogue: Catalogue) -> Clinic:
    return Clinic(
        id=catalogue.clinic_id,
        key=catalogue.key,
        version=catalogue.version,
        name=catalogue.name,
        timezone=catalogue.zone.key,
        country=catalogue.country,
        languages=list(catalogue.languages),
        phone=catalogue.phone,
        transfer_to=catalogue.transfer_to,
        email=catalogue.email,
        rules=stored_rules(vars(catalogue.rules)),
        calendars=stored_rules(vars(catalogue.calendars)),
        answers=[{"topic": one.topic, "text": one.text, "phrases": list(one.phrases)} for one in catalogue.answers],
    )


def _location(catalogue: Catalogue, location: LocationInfo, position: int) -> Location:
    return Location(
        id=location.id,
        clinic_id=catalogue.clinic_id,
        key=location.key,
        position=position,
        name=location.name,
        aliases=list(location.aliases),
        address=location.address,
        timezone=location.zone.key,
        phone=location.phone,
        transfer_to=location.transfer_to,
        directions=location.directions,
        parking=location.parking,
    )


def _service(catalogue: Catalogue, service: ServiceInfo, position: int) -> HealthcareService:
    return HealthcareService(
        id=service.id,
        clinic_id=catalogue.clinic_id,
        key=service.key,
        position=position,
        name=service.name,
        aliases=list(service.aliases),
        reasons=list(service.reasons),
        description=service.description,
        category=service.category,
        duration_min=_minutes(service.duration),
        buffer_before_min=_minutes(service.buffer_before),
        buffer_after_min=_minutes(service.buffer_after),
        price=None if service.price is None else str(service.price),
        skills=sorted(service.skills),
        resource_kinds=list(service.resources),
        preparation=service.preparation,
        needs_confirmation=service.needs_confirmation,
        step_keys=[catalogue.service(step).key for step in service.steps],
        step_gap_min=_minutes(service.step_gap),
        group_minimum=service.group and service.group.minimum,
        group_maximum=service.group and service.group.maximum,
    )


def _practitioner(catalogue: Catalogue, practitioner: PractitionerInfo, position: int) -> Practitioner:
    return Practitioner(
        id=practitioner.id,
        clinic_id=catalogue.clinic_id,
        key=practitioner.key,
        position=position,
        name=practitioner.name,
        aliases=list(practitioner.aliases),
        gender=practitioner.gender,
        languages=list(practitioner.languages),
        skills=sorted(practitioner.skills),
        bio=practitioner.profile.bio,
    )


def _parts_of_location(location: LocationInfo) -> list[Any]:
    return [
        *(
            OpeningHours(
                location_id=location.id,
                weekday=hours.weekday,
                start_minute=_minutes(hours.start),
                end_minute=_minutes(hours.end),
            )
            for hours in location.hours
        ),
        *(Closure(location_id=location.id, starts_on=span.first, ends_on=span.end) for span in location.closures),
    ]


def _parts_of_practitioner(practitioner: PractitionerInfo) -> list[Any]:
    return [
        *(
            AvailabilityRule(
                schedule_id=practitioner.schedule_id,
                location_id=hours.location_id,
                weekday=hours.weekly.weekday,
                start_minute=_minutes(hours.weekly.start),
                end_minute=_minutes(hours.weekly.end),
                valid_from=hours.valid_from,
                valid_until=hours.valid_until,
            )
            for hours in practitioner.hours
        ),
        *(
            TimeOff(
                schedule_id=practitioner.schedule_id,
                location_id=span.location_id,
                starts_on=span.first,
                ends_on=span.end,
            )
            for span in practitioner.time_off
        ),
        *(
            ServiceOffering(practitioner_id=practitioner.id, service_id=service_id)
            for service_id in sorted(practitioner.service_ids)
        ),
    ]


def _minutes(length: timedelta) -> int:
    return round(length.total_seconds() / 60)
