"""What must be true between the parts of a clinic file: faults refuse it, warnings are told."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from booking import message_wording
from booking.clinic_file.forms import DAYS, read_hours
from booking.clinic_file.schema import ClinicFile, DatedPart, PractitionerPart, SchedulePart, ServicePart
from booking.values import WeeklyHours
from kernel.interval import exists
from kernel.phone import to_e164


@dataclass(frozen=True)
class Fault:
    place: tuple[int | str, ...]
    message: str


_KEYED = ("locations", "services", "practitioners", "resources", "patients")


def faults(file: ClinicFile) -> Iterator[Fault]:
    """Yield everything that makes the file unusable though each part of it is well formed."""
    yield from _twice(file)
    yield from _unknown_references(file)
    yield from _overlapping_hours(file)
    yield from _times_that_do_not_exist(file)
    yield from _impossible_services(file)
    yield from _impossible_dated_hours(file)
    if file.calendars.invitations and file.clinic.email is None:
        yield Fault(("calendars", "invitations"), "give the clinic an email, which the invitations come from")
    yield from _unfit_wording(file)


def _unfit_wording(file: ClinicFile) -> Iterator[Fault]:
    for language, texts in file.messages.wording.items():
        for kind, text in texts.items():
            for fault in message_wording.faults(kind, text):
                about = f": {fault.about}" if fault.about else ""
                yield Fault(("messages", "wording", language, kind.value), f"{fault.kind.replace('-', ' ')}{about}")


def warnings(file: ClinicFile) -> Iterator[str]:
    """Yield what is probably not meant: services nobody can give, and why."""
    for service in file.services:
        if service.steps:
            continue
        offering = [person for person in file.practitioners if service.key in person.services]
        if not offering:
            yield f"{service.name}: no practitioner offers it, so it can't be booked"
        elif not any(set(service.skills) <= set(person.skills) for person in offering):
            skills = ", ".join(service.skills)
            yield f"{service.name}: nobody who offers it has the skills it needs ({skills}), so it can't be booked"
        elif not any(_has_rooms(file, service, location.key) for location in file.locations):
            yield f"{service.name}: no location has all it needs ({', '.join(service.resources)}), so it can't be booked"
    for person in file.practitioners:
        if not person.schedules:
            yield f"{person.name}: has no schedule, so nothing can be booked with them"


def with_numbers(file: ClinicFile) -> tuple[ClinicFile, list[Fault]]:
    """Return the file with every telephone number in E.164 form, and those that can't be one."""
    bad: list[Fault] = []

    def changes(part: Any, place: tuple[int | str, ...]) -> dict[str, str]:
        found = {}
        for name in ("phone", "transfer_to"):
            text = getattr(part, name, None)
            number = None if text is None else to_e164(text, country=file.clinic.country)
            if text is not None and number is None:
                bad.append(Fault((*place, name), f"not a telephone number: {text}"))
            elif number is not None:
                found[name] = number
        return found

    updated: dict[str, Any] = {"clinic": file.clinic.model_copy(update=changes(file.clinic, ("clinic",)))}
    for group in ("locations", "patients"):
        updated[group] = [
            part.model_copy(update=changes(part, (group, position)))
            for position, part in enumerate(getattr(file, group))
        ]
    return file.model_copy(update=updated), bad


def _twice(file: ClinicFile) -> Iterator[Fault]:
    for group in _KEYED:
        seen: set[str] = set()
        for position, part in enumerate(getattr(file, group)):
            if part.key in seen:
                yield Fault((group, position, "key"), f"{part.key} is there twice")
            seen.add(part.key)


def _unknown_references(file: ClinicFile) -> Iterator[Fault]:
    keys = {group: {part.key for part in getattr(file, group)} for group in _KEYED}

    def unknown(group: str, key: str, *place: int | str) -> Iterator[Fault]:
        if key not in keys[group]:
            yield Fault(place, f"there is no {key} under {group}")

    for number, person in enumerate(file.practitioners):
        for position, service in enumerate(person.services):
            yield from unknown("services", service, "practitioners", number, "services", position)
        for position, schedule in enumerate(person.schedules):
            yield from unknown(
                "locations", schedule.location, "practitioners", number, "schedules", position, "location"
            )
    for number, resource in enumerate(file.resources):
        yield from unknown("locations", resource.location, "resources", number, "location")
    for number, appointment in enumerate(file.appointments):
        for name in ("service", "practitioner", "location", "patient"):
            yield from unknown(f"{name}s", getattr(appointment, name), "appointments", number, name)


def _impossible_services(file: ClinicFile) -> Iterator[Fault]:
    services = {service.key: service for service in file.services}
    for number, service in enumerate(file.services):
        place = ("services", number)
        if service.duration is None and not service.steps:
            yield Fault((*place, "duration"), "say how long it takes, or which steps it has")
        if service.steps:
            yield from _impossible_package(service, services, place)
        if service.duration and service.longest and service.longest <= service.duration:
            yield Fault((*place, "longest"), "must be longer than the duration")
        if service.duration_step is not None and service.longest is None:
            yield Fault((*place, "duration_step"), "only a service with a longest duration has steps of it")
        if service.group and service.group.min > service.group.max:
            yield Fault((*place, "group", "min"), "is more than max")


def _impossible_package(
    service: ServicePart, services: Mapping[str, ServicePart], place: tuple[int | str, ...]
) -> Iterator[Fault]:
    for name in ("duration", "longest", "group"):
        if getattr(service, name) is not None:
            yield Fault((*place, name), "a package takes the time of its steps")
    for name in ("skills", "resources"):
        if getattr(service, name):
            yield Fault((*place, name), "a package needs what its steps need")
    for position, key in enumerate(service.steps):
        step = services.get(key)
        if step is None:
            yield Fault((*place, "steps", position), f"there is no {key} under services")
        elif step.steps or step.group or step.longest:
            yield Fault(
                (*place, "steps", position), f"{key} is a package, a group or of open length: no step of a package"
            )


def _impossible_dated_hours(file: ClinicFile) -> Iterator[Fault]:
    for number, location in enumerate(file.locations):
        yield from _dated_faults(location.dated, ("locations", number, "dated"))
    for number, person in enumerate(file.practitioners):
        for position, schedule in enumerate(person.schedules):
            yield from _dated_faults(schedule.dated, ("practitioners", number, "schedules", position, "dated"))
            if not schedule.hours and not schedule.dated:
                yield Fault(("practitioners", number, "schedules", position), "has neither hours nor dated hours")


def _dated_faults(parts: Sequence[DatedPart], place: tuple[int | str, ...]) -> Iterator[Fault]:
    days = set()
    for number, part in enumerate(parts):
        if part.day in days:
            yield Fault((*place, number, "day"), f"{part.day} is there twice")
        days.add(part.day)
        if not part.open and not part.closed:
            yield Fault((*place, number), "says neither open nor closed")


def _overlapping_hours(file: ClinicFile) -> Iterator[Fault]:
    for number, location in enumerate(file.locations):
        day = _first_overlap(read_hours(location.hours))
        if day is not None:
            yield Fault(("locations", number, "hours"), f"hours overlap on {DAYS[day]}")
    for number, person in enumerate(file.practitioners):
        yield from _overlapping_schedules(person, number)
    for number, resource in enumerate(file.resources):
        day = _first_overlap(read_hours(resource.hours))
        if day is not None:
            yield Fault(("resources", number, "hours"), f"hours overlap on {DAYS[day]}")


def _overlapping_schedules(person: PractitionerPart, number: int) -> Iterator[Fault]:
    for position, schedule in enumerate(person.schedules):
        place = ("practitioners", number, "schedules", position)
        if schedule.valid_from and schedule.valid_until and schedule.valid_until < schedule.valid_from:
            yield Fault((*place, "valid_until"), "it ends before it begins")
        day = _first_overlap(read_hours(schedule.hours))
        if day is not None:
            yield Fault((*place, "hours"), f"hours overlap on {DAYS[day]}")
    for (_, one), (position, other) in itertools.combinations(enumerate(person.schedules), 2):
        if not _hold_together(one, other):
            continue
        both = sorted(
            (*read_hours(one.hours), *read_hours(other.hours)), key=lambda hours: (hours.weekday, hours.start)
        )
        day = _first_overlap(both)
        if day is not None:
            where = ("practitioners", number, "schedules", position, "hours")
            yield Fault(where, f"on {DAYS[day]} at two places at the same time")


def _first_overlap(hours: Sequence[WeeklyHours]) -> int | None:
    for one, other in itertools.pairwise(hours):
        if one.weekday == other.weekday and other.start < one.end:
            return one.weekday
    return None


def _hold_together(one: SchedulePart, other: SchedulePart) -> bool:
    starts = max(one.valid_from or date.min, other.valid_from or date.min)
    ends = min(one.valid_until or date.max, other.valid_until or date.max)
    return starts <= ends


def _times_that_do_not_exist(file: ClinicFile) -> Iterator[Fault]:
    zones = {location.key: ZoneInfo(location.timezone or file.clinic.timezone) for location in file.locations}
    for number, appointment in enumerate(file.appointments):
        zone = zones.get(appointment.location)
        if zone is not None and not exists(appointment.start, zone):
            yield Fault(("appointments", number, "start"), f"clocks in {zone.key} skip this time")


def _has_rooms(file: ClinicFile, service: ServicePart, location: str) -> bool:
    there = [part.kind for part in file.resources if part.location == location for _ in range(part.capacity)]
    return all(there.count(kind) >= service.resources.count(kind) for kind in service.resources)
