"""Read a clinic's configuration as the one frozen value that everything else works on."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from booking.model.clinic import Clinic, Closure, Location, OpeningHours
from booking.model.schedule import AvailabilityRule, Schedule, TimeOff
from booking.model.staff import HealthcareService, Practitioner, Resource, ServiceOffering
from booking.values import (
    Answer,
    BookingRules,
    Catalogue,
    ClinicId,
    DateSpan,
    LocationInfo,
    PractitionerInfo,
    ResourceInfo,
    ServiceInfo,
    WeeklyHours,
    WorkingHours,
)
from kernel.errors import Refused
from kernel.money import Money

AnyRow = TypeVar("AnyRow")


class UnknownClinic(Refused):
    """There is no such clinic."""

    code = "unknown-clinic"


def load_catalogue(session: Session, *, clinic_id: str) -> Catalogue:
    """Read the whole catalogue, in a number of statements that does not depend on the clinic. Raises UnknownClinic."""
    clinic = session.get(Clinic, clinic_id)
    if clinic is None:
        raise UnknownClinic
    locations = session.scalars(_in_order(Location, clinic_id)).all()
    places = _locations(session, locations)
    services = session.scalars(_in_order(HealthcareService, clinic_id)).all()
    practitioners = session.scalars(_in_order(Practitioner, clinic_id)).all()
    resources = session.scalars(_in_order(Resource, clinic_id)).all()
    schedules = session.scalars(select(Schedule).where(Schedule.clinic_id == clinic_id)).all()
    diaries = {str(schedule.practitioner_id or schedule.resource_id): schedule.id for schedule in schedules}
    people = _practitioners(session, clinic_id, practitioners, diaries)
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
        services=tuple(_service(row) for row in services if not row.retired),
        practitioners=tuple(people[row.id] for row in practitioners if not row.retired),
        resources=tuple(_resource(row, diaries) for row in resources if not row.retired),
        answers=tuple(Answer(one["topic"], one["text"], tuple(one["phrases"])) for one in clinic.answers),
        retired=(
            *(places[row.id] for row in locations if row.retired),
            *(_service(row) for row in services if row.retired),
            *(people[row.id] for row in practitioners if row.retired),
        ),
    )


def find_clinic_by_number(session: Session, number: str) -> tuple[str, str | None] | None:
    """Return the clinic, and the Location if it has that number of its own, that patients reach at `number` (E.164)."""
    location = session.execute(
        select(Location.clinic_id, Location.id).where(Location.phone == number, Location.retired.is_(False)).limit(1)
    ).one_or_none()
    if location is not None:
        return location.clinic_id, location.id
    clinic_id = session.scalar(select(Clinic.id).where(Clinic.phone == number).limit(1))
    return None if clinic_id is None else (clinic_id, None)


class CatalogueCache:
    """Keeps the catalogue of each clinic until its version changes. Asking costs one small statement.

    Safe with threads: two that find it stale both read it, and both readings are right.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Catalogue] = {}

    def get(self, session: Session, *, clinic_id: str) -> Catalogue:
        """Return the catalogue as it stands in this transaction. Raises UnknownClinic."""
        version = session.scalar(select(Clinic.version).where(Clinic.id == clinic_id))
        kept = self._kept.get(clinic_id)
        if kept is None or kept.version != version:
            kept = load_catalogue(session, clinic_id=clinic_id)
            self._kept[clinic_id] = kept
        return kept


_DURATIONS = ("minimum_notice", "maximum_advance", "step", "hold", "cancel_notice")
_MAXIMA = ("max_per_patient_per_day", "max_per_practitioner_per_day")


def rules_of(stored: dict[str, Any]) -> BookingRules:
    """Return the rules as stored with the clinic: durations in seconds."""
    known: dict[str, Any] = {name: timedelta(seconds=stored[name]) for name in _DURATIONS if name in stored}
    return BookingRules(**known, **{name: stored[name] for name in _MAXIMA if name in stored})


def stored_rules(rules: BookingRules) -> dict[str, Any]:
    """Return the rules as they are stored with the clinic."""
    durations = {name: round(getattr(rules, name).total_seconds()) for name in _DURATIONS}
    return durations | {name: getattr(rules, name) for name in _MAXIMA}


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


def _locations(session: Session, rows: Sequence[Location]) -> dict[str, LocationInfo]:
    ids = [row.id for row in rows]
    order = (OpeningHours.weekday, OpeningHours.start_minute)
    opening = session.scalars(select(OpeningHours).where(OpeningHours.location_id.in_(ids)).order_by(*order))
    hours = _grouped(opening, "location_id")
    closures = _grouped(session.scalars(select(Closure).where(Closure.location_id.in_(ids))), "location_id")
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
        )
        for row in rows
    }


def _service(row: HealthcareService) -> ServiceInfo:
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
    )


def _practitioners(
    session: Session, clinic_id: str, rows: Sequence[Practitioner], diaries: dict[str, str]
) -> dict[str, PractitionerInfo]:
    ids = [row.id for row in rows]
    own = select(Schedule.id).where(Schedule.clinic_id == clinic_id)
    order = (AvailabilityRule.weekday, AvailabilityRule.start_minute, AvailabilityRule.location_id)
    rules = session.scalars(select(AvailabilityRule).where(AvailabilityRule.schedule_id.in_(own)).order_by(*order))
    hours = _grouped(rules, "schedule_id")
    away = _grouped(session.scalars(select(TimeOff).where(TimeOff.schedule_id.in_(own))), "schedule_id")
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
            schedule_id=diaries[row.id],
            hours=tuple(
                WorkingHours(one.location_id, _weekly(one), one.valid_from, one.valid_until)
                for one in hours.get(diaries[row.id], ())
            ),
            time_off=_time_off(away.get(diaries[row.id], [])),
            bio=row.bio,
        )
        for row in rows
    }


def _resource(row: Resource, diaries: dict[str, str]) -> ResourceInfo:
    return ResourceInfo(id=row.id, key=row.key, kind=row.kind, location_id=row.location_id, schedule_id=diaries[row.id])
