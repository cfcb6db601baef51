"""Read a clinic's configuration as the one frozen value that everything else works on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import Field, fields
from datetime import time, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, literal_column, null, select, union_all
from sqlalchemy.orm import Session

from booking.model.clinic import Clinic, Closure, DatedOpening, Location, OpeningHours
from booking.model.schedule import AvailabilityRule, DatedWork, Schedule, TimeOff
from booking.model.staff import HealthcareService, Practitioner, Resource, ServiceOffering
from booking.values import (
    DAYTIME,
    Answer,
    BookingRules,
    CalendarPolicy,
    Catalogue,
    ClinicId,
    DatedHours,
    DateSpan,
    GroupSize,
    LocationInfo,
    MailUse,
    MessagePolicy,
    Mode,
    Place,
    PractitionerInfo,
    PriorVisit,
    Profile,
    ResourceInfo,
    SendHours,
    ServiceInfo,
    WeeklyHours,
    Wording,
    WorkingHours,
)
from kernel.db import Ready, table_of
from kernel.errors import Refused
from kernel.money import Money

AnyRow = TypeVar("AnyRow")


# Every request asks both.
_CLINIC, _LOCATION = table_of(Clinic), table_of(Location)
VERSION = select(_CLINIC.c.version).where(_CLINIC.c.id == bindparam("clinic_id"))
"""By which `CatalogueCache` knows whether what it keeps is old, for those who read more at once."""
_VERSION = Ready(VERSION)
REACHED_AT = (
    union_all(
        select(_LOCATION.c.clinic_id, _LOCATION.c.id.label("location_id"), literal_column("0").label("turn")).where(
            _LOCATION.c.phone == bindparam("number"), _LOCATION.c.retired.is_(False)
        ),
        select(_CLINIC.c.id, null(), literal_column("1")).where(_CLINIC.c.phone == bindparam("number")),
    )
    .order_by("turn")
    .limit(1)
)
"""Which clinic and Location are reached at `number`, for those who read more at once."""
_REACHED_AT = Ready(REACHED_AT)


class UnknownClinic(Refused):
    """There is no such clinic."""

    code = "unknown-clinic"


def load_catalogue(session: Session, *, clinic_id: str) -> Catalogue:
    """Read the whole catalogue, in a number of statements that does not depend on the clinic. Raises UnknownClinic."""
    clinic = session.get(Clinic, clinic_id)
    if clinic is None:
        raise UnknownClinic
    locations = session.scalars(_in_order(Location, clinic_id)).all()
    places = _locations(session, locations, rules=clinic.rules)
    services = session.scalars(_in_order(HealthcareService, clinic_id)).all()
    practitioners = session.scalars(_in_order(Practitioner, clinic_id)).all()
    resources = session.scalars(_in_order(Resource, clinic_id)).all()
    schedules = session.scalars(select(Schedule).where(Schedule.clinic_id == clinic_id)).all()
    times = _Times(session, clinic_id, schedules)
    people = _practitioners(session, practitioners, times, hidden=set(clinic.hidden_verticals))
    service_ids = {row.key: row.id for row in services}
    return Catalogue(
        clinic_id=ClinicId(clinic.id),
        key=clinic.key,
        version=clinic.version,
        name=clinic.name,
        country=clinic.country,
        zone=ZoneInfo(clinic.timezone),
        languages=tuple(clinic.languages),
        phone=clinic.phone,
        transfer_to=clinic.transfer_to,
        rules=rules_of(clinic.rules),
        locations=tuple(places[row.id] for row in locations if not row.retired),
        services=tuple(_service(row, service_ids) for row in services if not row.retired),
        practitioners=tuple(people[row.id] for row in practitioners if not row.retired),
        resources=tuple(seat for row in resources if not row.retired for seat in _seats(row, times)),
        answers=tuple(Answer(one["topic"], one["text"], tuple(one["phrases"])) for one in clinic.answers),
        retired=(
            *(places[row.id] for row in locations if row.retired),
            *(_service(row, service_ids) for row in services if row.retired),
            *(people[row.id] for row in practitioners if row.retired),
        ),
        hidden_verticals=tuple(clinic.hidden_verticals),
        calendars=policy_of(clinic.calendars),
        messages=messages_of(clinic.messages),
        email=clinic.email,
        records_calls=clinic.records_calls,
    )


def find_clinic_by_number(session: Session, number: str) -> tuple[str, str | None] | None:
    """Return the clinic, and the Location if it has that number of its own, that patients reach at `number` (E.164)."""
    found = _REACHED_AT.rows(session, {"number": number})
    return (found[0][0], found[0][1]) if found else None


class CatalogueCache:
    """Keeps the catalogue of each clinic until its version changes. Asking costs one small statement.

    Safe with threads: two that find it stale both read it, and both readings are right.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Catalogue] = {}

    def get(self, session: Session, *, clinic_id: str) -> Catalogue:
        """Return the catalogue as it stands in this transaction. Raises UnknownClinic."""
        found = _VERSION.rows(session, {"clinic_id": clinic_id})
        return self.at(session, clinic_id=clinic_id, version=found[0][0] if found else None)

    def at(self, session: Session, *, clinic_id: str, version: int | None) -> Catalogue:
        """As `get`, for who has just read the version. Raises UnknownClinic."""
        kept = self._kept.get(clinic_id)
        if kept is None or kept.version != version:
            kept = load_catalogue(session, clinic_id=clinic_id)
            self._kept[clinic_id] = kept
        return kept


def rules_of(stored: Mapping[str, Any]) -> BookingRules:
    """Return the rules as stored with the clinic, or with it and a Location: durations in seconds."""
    return BookingRules(**_values_of(_RULES, stored))


def policy_of(stored: Mapping[str, Any]) -> CalendarPolicy:
    """Return the policy for calendars as stored with the clinic: durations in seconds, what is not there as it is by default."""
    return CalendarPolicy(**_values_of(_POLICY, stored))


def messages_of(stored: Mapping[str, Any]) -> MessagePolicy:
    """Return what the clinic writes to patients, as `stored_messages` wrote it; what is not there as it is by default."""
    given: dict[str, Any] = {}
    if "reminders" in stored:
        given["reminders"] = tuple(timedelta(seconds=seconds) for seconds in stored["reminders"])
    if "mail" in stored:
        given["mail"] = MailUse(stored["mail"])
    if "sent_between" in stored:
        given["sent_between"] = SendHours(*map(time.fromisoformat, stored["sent_between"]))
    worded = (
        Wording(language, kind, text)
        for language, texts in sorted(stored.get("wording", {}).items())
        for kind, text in sorted(texts.items())
    )
    return MessagePolicy(**given, part_price=stored.get("part_price"), wording=tuple(worded))


def stored_messages(policy: MessagePolicy) -> dict[str, Any]:
    """Return the policy as it is stored with the clinic."""
    stored: dict[str, Any] = {
        "reminders": [round(lead.total_seconds()) for lead in policy.reminders],
        "mail": policy.mail.value,
        "part_price": policy.part_price,
        "wording": stored_wording(policy.wording),
    }
    if policy.sent_between != DAYTIME:
        hours = policy.sent_between
        stored["sent_between"] = [one.isoformat(timespec="minutes") for one in (hours.opens, hours.closes)]
    return stored


def stored_wording(wording: Iterable[Wording]) -> dict[str, dict[str, str]]:
    """Return a clinic's own words as they are stored with the policy: by language, then by kind of message."""
    worded: dict[str, dict[str, str]] = {}
    for one in wording:
        worded.setdefault(one.language, {})[one.kind] = one.text
    return worded


def send_hours_of(session: Session, *, clinic_id: str) -> SendHours:
    """Return when the clinic writes to patients who have not asked for it, for who has no catalogue at hand."""
    stored = session.scalars(select(Clinic.messages).where(Clinic.id == clinic_id)).one()
    return messages_of(stored).sent_between


def stored_rules(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Return rules or a policy by name, all or some, as they are stored."""
    return {
        name: round(value.total_seconds()) if isinstance(value, timedelta) else value for name, value in rules.items()
    }


_RULES, _POLICY = fields(BookingRules), fields(CalendarPolicy)


def _values_of(known: Iterable[Field[Any]], stored: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: _value_of(field, stored[field.name]) for field in known if field.name in stored}


def _value_of(field: Field[Any], stored: Any) -> Any:
    if isinstance(field.default, timedelta):
        return timedelta(seconds=stored)
    return type(field.default)(stored) if isinstance(field.default, StrEnum) else stored


def _in_order(kind: type[AnyRow], clinic_id: str) -> Select[AnyRow]:
    columns: Any = kind
    return select(kind).where(columns.clinic_id == clinic_id).order_by(columns.position, columns.key)


def _grouped(rows: Iterable[AnyRow], key: str) -> dict[str, list[AnyRow]]:
    groups: dict[str, list[AnyRow]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, key)].append(row)
    return groups


def _weekly(row: OpeningHours | AvailabilityRule) -> WeeklyHours:
    return WeeklyHours(row.weekday, timedelta(minutes=row.start_minute), timedelta(minutes=row.end_minute))


def _closures(rows: Iterable[Closure]) -> tuple[DateSpan, ...]:
    return tuple(sorted((DateSpan(row.starts_on, row.ends_on) for row in rows), key=lambda span: span.first))


def _time_off(rows: Iterable[TimeOff]) -> tuple[DateSpan, ...]:
    spans = (DateSpan(row.starts_on, row.ends_on, row.location_id) for row in rows)
    return tuple(sorted(spans, key=lambda span: (span.first, span.end, span.location_id or "")))


def _dated(rows: Iterable[DatedOpening | DatedWork]) -> tuple[DatedHours, ...]:
    found = (
        DatedHours(
            row.day,
            timedelta(minutes=row.start_minute),
            timedelta(minutes=row.end_minute),
            row.is_open,
            row.location_id if isinstance(row, DatedWork) else None,
        )
        for row in rows
    )
    return tuple(sorted(found, key=lambda one: (one.day, one.start, one.end, one.is_open, one.location_id or "")))


def _place(latitude: float | None, longitude: float | None) -> Place | None:
    return None if latitude is None or longitude is None else Place(latitude, longitude)


def _locations(session: Session, rows: Sequence[Location], *, rules: Mapping[str, Any]) -> dict[str, LocationInfo]:
    ids = [row.id for row in rows]
    order = (OpeningHours.weekday, OpeningHours.start_minute)
    opening = session.scalars(select(OpeningHours).where(OpeningHours.location_id.in_(ids)).order_by(*order))
    hours = _grouped(opening, "location_id")
    closures = _grouped(session.scalars(select(Closure).where(Closure.location_id.in_(ids))), "location_id")
    dated = _grouped(session.scalars(select(DatedOpening).where(DatedOpening.location_id.in_(ids))), "location_id")
    return {
        row.id: LocationInfo(
            id=row.id,
            key=row.key,
            name=row.name,
            address=row.address,
            zone=ZoneInfo(row.timezone),
            phone=row.phone,
            transfer_to=row.transfer_to,
            hours=tuple(_weekly(one) for one in hours.get(row.id, ())),
            closures=_closures(closures.get(row.id, [])),
            directions=row.directions,
            parking=row.parking,
            aliases=tuple(row.aliases),
            dated=_dated(dated.get(row.id, ())),
            rules=rules_of({**rules, **row.rules}) if row.rules else None,
            place=_place(row.latitude, row.longitude),
        )
        for row in rows
    }


def _minutes(length: int | None) -> timedelta | None:
    return None if length is None else timedelta(minutes=length)


def _service(row: HealthcareService, service_ids: Mapping[str, str]) -> ServiceInfo:
    return ServiceInfo(
        id=row.id,
        key=row.key,
        name=row.name,
        aliases=tuple(row.aliases),
        description=row.description,
        category=row.category,
        duration=timedelta(minutes=row.duration_min),
        buffer_before=timedelta(minutes=row.buffer_before_min),
        buffer_after=timedelta(minutes=row.buffer_after_min),
        price=None if row.price is None else Money.parse(row.price),
        skills=frozenset(row.skills),
        resources=tuple(row.resource_kinds),
        preparation=row.preparation,
        reasons=tuple(row.reasons),
        needs_confirmation=row.needs_confirmation,
        longest=_minutes(row.longest_min),
        duration_step=_minutes(row.duration_step_min),
        steps=tuple(service_ids[key] for key in row.step_keys if key in service_ids),
        step_gap=timedelta(minutes=row.step_gap_min),
        group=GroupSize(row.group_minimum or 1, row.group_maximum) if row.group_maximum is not None else None,
        mode=Mode(row.mode),
        prior_visit=None if row.prior_visit is None else PriorVisit(row.prior_visit),
    )


class _Times:
    """The diaries of a clinic and the times they are open, by whose they are: read at once, whatever their number."""

    def __init__(self, session: Session, clinic_id: str, schedules: Sequence[Schedule]) -> None:
        self._diaries = _grouped(sorted(schedules, key=lambda one: one.seat), "resource_id")
        self._own = {one.practitioner_id: one.id for one in schedules if one.practitioner_id is not None}
        own = select(Schedule.id).where(Schedule.clinic_id == clinic_id)
        order = (AvailabilityRule.weekday, AvailabilityRule.start_minute, AvailabilityRule.location_id)
        rules = session.scalars(select(AvailabilityRule).where(AvailabilityRule.schedule_id.in_(own)).order_by(*order))
        self._rules = _grouped(rules, "schedule_id")
        self._away = _grouped(session.scalars(select(TimeOff).where(TimeOff.schedule_id.in_(own))), "schedule_id")
        self._dated = _grouped(session.scalars(select(DatedWork).where(DatedWork.schedule_id.in_(own))), "schedule_id")

    def diary(self, practitioner_id: str) -> str:
        return self._own[practitioner_id]

    def seats(self, resource: Resource) -> list[str]:
        """Return the Schedules of a Resource, as many as it has capacity. One that shrank may have more."""
        return [one.id for one in self._diaries.get(resource.id, [])][: resource.capacity]

    def rules(self, schedule_id: str) -> Sequence[AvailabilityRule]:
        return self._rules.get(schedule_id, ())

    def time_off(self, schedule_id: str) -> tuple[DateSpan, ...]:
        return _time_off(self._away.get(schedule_id, ()))

    def dated(self, schedule_id: str) -> tuple[DatedHours, ...]:
        return _dated(self._dated.get(schedule_id, ()))


def _practitioners(
    session: Session, rows: Sequence[Practitioner], times: _Times, *, hidden: set[str]
) -> dict[str, PractitionerInfo]:
    ids = [row.id for row in rows]
    offerings = _grouped(
        session.scalars(select(ServiceOffering).where(ServiceOffering.practitioner_id.in_(ids))), "practitioner_id"
    )
    return {
        row.id: PractitionerInfo(
            id=row.id,
            key=row.key,
            name=row.name,
            aliases=tuple(row.aliases),
            gender=row.gender,
            languages=tuple(row.languages),
            skills=frozenset(row.skills),
            service_ids=frozenset(offering.service_id for offering in offerings.get(row.id, ())),
            schedule_id=times.diary(row.id),
            hours=tuple(
                WorkingHours(one.location_id, _weekly(one), one.valid_from, one.valid_until, one.is_contingent)
                for one in times.rules(times.diary(row.id))
            ),
            time_off=times.time_off(times.diary(row.id)),
            dated=times.dated(times.diary(row.id)),
            profile=_profile(row),
            kind=row.kind,
            vertical=row.vertical,
            is_hidden=row.vertical in hidden,
            visible_when_unavailable=row.visible_when_unavailable,
            meeting_url=row.meeting_url,
            since=row.since,
            is_looked_up=row.is_looked_up,
        )
        for row in rows
    }


def _profile(row: Practitioner) -> Profile:
    return Profile(
        bio=row.bio,
        specialties=tuple(row.specialties),
        credentials=tuple(row.credentials),
        publications=tuple(row.publications),
        rating=row.rating,
        reviews=row.reviews,
    )


def _seats(row: Resource, times: _Times) -> Iterator[ResourceInfo]:
    # The times are kept with the first seat: they are the Resource's.
    seats = times.seats(row)
    for schedule_id in seats:
        yield ResourceInfo(
            id=row.id,
            key=row.key,
            kind=row.kind,
            location_id=row.location_id,
            schedule_id=schedule_id,
            hours=tuple(_weekly(one) for one in times.rules(seats[0])),
            time_off=times.time_off(seats[0]),
        )
