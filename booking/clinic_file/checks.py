"""What must be true between the parts of a clinic file: faults refuse it, warnings are told."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from booking import message_wording
from booking.clinic_file.forms import read_hours
from booking.clinic_file.remarks import Place, Remark
from booking.clinic_file.schema import ClinicFile, DatedPart, PractitionerPart, SchedulePart, ServicePart
from booking.message_wording import WordedKind
from booking.values import WeeklyHours
from kernel.interval import exists, wall_text
from kernel.phone import to_e164

_KEYED = ("locations", "services", "practitioners", "resources", "patients")


def faults(file: ClinicFile) -> Iterator[Remark]:
    """Yield everything that makes the file unusable though each part of it is well formed."""
    yield from _twice(file)
    yield from _unknown_references(file)
    yield from _overlapping_hours(file)
    yield from _times_that_do_not_exist(file)
    yield from _impossible_services(file)
    yield from _impossible_dated_hours(file)
    if file.calendars.invitations and file.clinic.email is None:
        yield Remark("invitations-email", ("calendars", "invitations"))
    yield from _unfit_wording(file)


def _unfit_wording(file: ClinicFile) -> Iterator[Remark]:
    for language, texts in file.messages.wording.items():
        for kind, text in texts.items():
            for remark in remarks_on_wording(kind, text):
                yield replace(remark, place=("messages", "wording", language, kind.value))


def remarks_on_wording(kind: WordedKind, text: str) -> Iterator[Remark]:
    """Yield what keeps a clinic's own words from being sent as `kind`."""
    for fault in message_wording.faults(kind, text):
        yield Remark(f"wording-{fault.kind}", fields={"about": fault.about})


def warnings(file: ClinicFile) -> Iterator[Remark]:
    """Yield what is probably not meant: services nobody can give, and why."""
    for service in file.services:
        if service.steps:
            continue
        offering = [person for person in file.practitioners if service.key in person.services]
        if not offering:
            yield Remark("nobody-offers", fields={"name": service.name})
        elif not any(set(service.skills) <= set(person.skills) for person in offering):
            yield Remark("nobody-has-skills", fields={"name": service.name, "skills": service.skills})
        elif not any(_has_rooms(file, service, location.key) for location in file.locations):
            yield Remark("nowhere-has-rooms", fields={"name": service.name, "resources": service.resources})
    for person in file.practitioners:
        if not person.schedules:
            yield Remark("no-schedule", fields={"name": person.name})


def with_numbers(file: ClinicFile) -> tuple[ClinicFile, list[Remark]]:
    """Return the file with every telephone number in E.164 form, and those that can't be one."""
    bad: list[Remark] = []

    def changes(part: Any, place: Place) -> dict[str, str]:
        found = {}
        for name in ("phone", "transfer_to"):
            text = getattr(part, name, None)
            number = None if text is None else to_e164(text, country=file.clinic.country)
            if text is not None and number is None:
                bad.append(Remark("phone", (*place, name), {"text": text}))
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


def _twice(file: ClinicFile) -> Iterator[Remark]:
    for group in _KEYED:
        seen: set[str] = set()
        for position, part in enumerate(getattr(file, group)):
            if part.key in seen:
                yield Remark("twice", (group, position, "key"), {"key": part.key})
            seen.add(part.key)


def _unknown_references(file: ClinicFile) -> Iterator[Remark]:
    keys = {group: {part.key for part in getattr(file, group)} for group in _KEYED}

    def unknown(group: str, key: str, *place: int | str) -> Iterator[Remark]:
        if key not in keys[group]:
            yield Remark("unknown-reference", place, {"key": key, "group": group})

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


def _impossible_services(file: ClinicFile) -> Iterator[Remark]:
    services = {service.key: service for service in file.services}
    for number, service in enumerate(file.services):
        place = ("services", number)
        if service.duration is None and not service.steps:
            yield Remark("no-duration", (*place, "duration"))
        if service.steps:
            yield from _impossible_package(service, services, place)
        if service.duration and service.longest and service.longest <= service.duration:
            yield Remark("longest", (*place, "longest"))
        if service.duration_step is not None and service.longest is None:
            yield Remark("duration-step", (*place, "duration_step"))
        if service.group and service.group.min > service.group.max:
            yield Remark("group-min", (*place, "group", "min"))


def _impossible_package(service: ServicePart, services: Mapping[str, ServicePart], place: Place) -> Iterator[Remark]:
    for name in ("duration", "longest", "group"):
        if getattr(service, name) is not None:
            yield Remark("package-time", (*place, name))
    for name in ("skills", "resources"):
        if getattr(service, name):
            yield Remark("package-needs", (*place, name))
    for position, key in enumerate(service.steps):
        step = services.get(key)
        if step is None:
            yield Remark("unknown-reference", (*place, "steps", position), {"key": key, "group": "services"})
        elif step.steps or step.group or step.longest:
            yield Remark("package-step", (*place, "steps", position), {"key": key})


def _impossible_dated_hours(file: ClinicFile) -> Iterator[Remark]:
    for number, location in enumerate(file.locations):
        yield from _dated_faults(location.dated, ("locations", number, "dated"))
    for number, person in enumerate(file.practitioners):
        for position, schedule in enumerate(person.schedules):
            yield from _dated_faults(schedule.dated, ("practitioners", number, "schedules", position, "dated"))
            if not schedule.hours and not schedule.dated:
                yield Remark("no-hours", ("practitioners", number, "schedules", position))


def _dated_faults(parts: Sequence[DatedPart], place: Place) -> Iterator[Remark]:
    days = set()
    for number, part in enumerate(parts):
        if part.day in days:
            yield Remark("day-twice", (*place, number, "day"), {"date": part.day})
        days.add(part.day)
        if not part.open and not part.closed:
            yield Remark("neither-open-nor-closed", (*place, number))


def _overlapping_hours(file: ClinicFile) -> Iterator[Remark]:
    for number, location in enumerate(file.locations):
        day = _first_overlap(read_hours(location.hours))
        if day is not None:
            yield Remark("hours-overlap", ("locations", number, "hours"), {"weekday": day})
    for number, person in enumerate(file.practitioners):
        yield from _overlapping_schedules(person, number)
    for number, resource in enumerate(file.resources):
        day = _first_overlap(read_hours(resource.hours))
        if day is not None:
            yield Remark("hours-overlap", ("resources", number, "hours"), {"weekday": day})


def _overlapping_schedules(person: PractitionerPart, number: int) -> Iterator[Remark]:
    for position, schedule in enumerate(person.schedules):
        place = ("practitioners", number, "schedules", position)
        if schedule.valid_from and schedule.valid_until and schedule.valid_until < schedule.valid_from:
            yield Remark("ends-before", (*place, "valid_until"))
        day = _first_overlap(read_hours(schedule.hours))
        if day is not None:
            yield Remark("hours-overlap", (*place, "hours"), {"weekday": day})
    for (_, one), (position, other) in itertools.combinations(enumerate(person.schedules), 2):
        if not _hold_together(one, other):
            continue
        both = sorted(
            (*read_hours(one.hours), *read_hours(other.hours)), key=lambda hours: (hours.weekday, hours.start)
        )
        day = _first_overlap(both)
        if day is not None:
            where = ("practitioners", number, "schedules", position, "hours")
            yield Remark("two-places", where, {"weekday": day})


def _first_overlap(hours: Sequence[WeeklyHours]) -> int | None:
    for one, other in itertools.pairwise(hours):
        if one.weekday == other.weekday and other.start < one.end:
            return one.weekday
    return None


def _hold_together(one: SchedulePart, other: SchedulePart) -> bool:
    starts = max(one.valid_from or date.min, other.valid_from or date.min)
    ends = min(one.valid_until or date.max, other.valid_until or date.max)
    return starts <= ends


def _times_that_do_not_exist(file: ClinicFile) -> Iterator[Remark]:
    zones = {location.key: ZoneInfo(location.timezone or file.clinic.timezone) for location in file.locations}
    for number, appointment in enumerate(file.appointments):
        zone, start, place = zones.get(appointment.location), appointment.start, ("appointments", number, "start")
        if zone is None:
            continue
        if start.tzinfo is not None:
            # It says which of two that clocks show alike is meant, and nothing else.
            if wall_text(start.astimezone(zone)) != start.isoformat(timespec="minutes"):
                yield Remark("wall-time-zone", place)
        elif not exists(start, zone):
            yield Remark("skipped-time", place, {"zone": zone.key})


def _has_rooms(file: ClinicFile, service: ServicePart, location: str) -> bool:
    there = [part.kind for part in file.resources if part.location == location for _ in range(part.capacity)]
    return all(there.count(kind) >= service.resources.count(kind) for kind in service.resources)
