"""Write a stored clinic as a clinic file. Patients and appointments stay out: they are nobody's configuration."""

import io
from datetime import date, timedelta
from typing import Any

from ruamel.yaml import YAML
from sqlalchemy.orm import Session

from booking.catalogue import load_catalogue
from booking.clinic_file import forms
from booking.clinic_file.schema import RulesPart
from booking.values import Catalogue, DateSpan, LocationInfo, PractitionerInfo, ServiceInfo, WeeklyHours


def export_clinic(session: Session, clinic_id: str) -> str:
    """Return the clinic as a YAML file that imports to the same clinic. Raises UnknownClinic."""
    catalogue = load_catalogue(session, clinic_id=clinic_id)
    document = {
        "clinic": _filled(
            key=catalogue.key,
            name=catalogue.name,
            timezone=catalogue.zone.key,
            country=catalogue.country,
            languages=list(catalogue.languages),
            phone=catalogue.phone,
            transfer_to=catalogue.transfer_to,
        ),
        "rules": _rules(catalogue),
        "locations": [_location(catalogue, location) for location in catalogue.locations],
        "services": [_service(service) for service in catalogue.services],
        "practitioners": [_practitioner(catalogue, person) for person in catalogue.practitioners],
        "resources": [
            {"key": one.key, "kind": one.kind, "location": catalogue.location(one.location_id).key}
            for one in catalogue.resources
        ],
        "answers": [_filled(topic=one.topic, text=one.text, phrases=list(one.phrases)) for one in catalogue.answers],
    }
    yaml = YAML(typ="rt", pure=True)
    yaml.default_flow_style = None
    yaml.width = 160
    text = io.StringIO()
    yaml.dump({name: part for name, part in document.items() if part}, text)
    return text.getvalue()


def _filled(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, [], {}, "0m", False)}


def _rules(catalogue: Catalogue) -> dict[str, Any]:
    rules = RulesPart(**{name: getattr(catalogue.rules, name) for name in RulesPart.model_fields})
    return rules.model_dump(mode="json", exclude_none=True)


def _location(catalogue: Catalogue, location: LocationInfo) -> dict[str, Any]:
    return _filled(
        key=location.key,
        name=location.name,
        aliases=list(location.aliases),
        address=location.address,
        timezone=None if location.zone == catalogue.zone else location.zone.key,
        phone=location.phone,
        transfer_to=location.transfer_to,
        closed=_dates(location.closures),
        directions=location.directions,
        parking=location.parking,
    ) | {"hours": forms.hours_text(location.hours)}


def _service(service: ServiceInfo) -> dict[str, Any]:
    return _filled(
        key=service.key,
        name=service.name,
        aliases=list(service.aliases),
        reasons=list(service.reasons),
        description=service.description,
        category=service.category,
        duration=forms.duration_text(service.duration),
        buffer_before=forms.duration_text(service.buffer_before),
        buffer_after=forms.duration_text(service.buffer_after),
        price=None if service.price is None else str(service.price),
        skills=sorted(service.skills),
        resources=list(service.resources),
        preparation=service.preparation,
        needs_confirmation=service.needs_confirmation,
    )


def _practitioner(catalogue: Catalogue, person: PractitionerInfo) -> dict[str, Any]:
    keys = {service.id: service.key for service in catalogue.services}
    return _filled(
        key=person.key,
        name=person.name,
        aliases=list(person.aliases),
        gender=person.gender,
        languages=list(person.languages),
        skills=sorted(person.skills),
        services=[key for service_id, key in keys.items() if service_id in person.service_ids],
        schedules=_schedules(catalogue, person),
        off=_dates(span for span in person.time_off if span.location_id is None),
        bio=person.bio,
    )


def _schedules(catalogue: Catalogue, person: PractitionerInfo) -> list[dict[str, Any]]:
    groups: dict[tuple[str, date | None, date | None], list[WeeklyHours]] = {}
    for hours in person.hours:
        groups.setdefault((hours.location_id, hours.valid_from, hours.valid_until), []).append(hours.weekly)
    written, off_written = [], set()
    for (location_id, valid_from, valid_until), weekly in groups.items():
        # Days off belong to the Location, so they are written with its first schedule.
        off = () if location_id in off_written else person.time_off
        off_written.add(location_id)
        written.append(
            _filled(
                location=catalogue.location(location_id).key,
                hours=forms.hours_text(weekly),
                off=_dates(span for span in off if span.location_id == location_id),
                valid_from=valid_from and valid_from.isoformat(),
                valid_until=valid_until and (valid_until - timedelta(days=1)).isoformat(),
            )
        )
    return written


def _dates(spans: Any) -> list[str]:
    found: list[DateSpan] = list(spans)
    return [forms.date_span_text(span) for span in found]
