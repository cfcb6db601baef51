"""Write a stored clinic as a clinic file. Patients and appointments stay out: they are nobody's configuration."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from ruamel.yaml import YAML
from sqlalchemy.orm import Session

from booking.catalogue import load_catalogue
from booking.clinic_file import forms
from booking.clinic_file.schema import CalendarsPart, MessagesPart, RulesPart
from booking.values import (
    BookingRules,
    CalendarPolicy,
    Catalogue,
    DatedHours,
    DateSpan,
    LocationInfo,
    MessagePolicy,
    Mode,
    Place,
    PractitionerInfo,
    ResourceInfo,
    ServiceInfo,
    WeeklyHours,
)


def export_clinic(session: Session, clinic_id: str) -> str:
    """Return the clinic as a YAML file that imports to the same clinic. Raises UnknownClinic."""
    return document_text(clinic_document(load_catalogue(session, clinic_id=clinic_id)))


def clinic_document(catalogue: Catalogue) -> dict[str, Any]:
    """Return the clinic as the plain mappings, lists and texts that a clinic file is made of."""
    document = {
        "clinic": _filled(
            key=catalogue.key,
            name=catalogue.name,
            timezone=catalogue.zone.key,
            country=catalogue.country,
            languages=list(catalogue.languages),
            phone=catalogue.phone,
            transfer_to=catalogue.transfer_to,
            email=catalogue.email,
            hidden_verticals=list(catalogue.hidden_verticals),
            records_calls=catalogue.records_calls,
        ),
        "rules": _rules(catalogue.rules),
        "calendars": _calendars(catalogue.calendars),
        "messages": _messages(catalogue.messages),
        "locations": [_location(catalogue, location) for location in catalogue.locations],
        "services": [_service(catalogue, service) for service in catalogue.services],
        "practitioners": [_practitioner(catalogue, person) for person in catalogue.practitioners],
        "resources": _resources(catalogue),
        "answers": [_filled(topic=one.topic, text=one.text, phrases=list(one.phrases)) for one in catalogue.answers],
    }
    return {name: part for name, part in document.items() if part}


def document_text(document: Mapping[str, Any]) -> str:
    """Write a clinic's document as YAML."""
    yaml = YAML(typ="rt", pure=True)
    yaml.default_flow_style = None
    yaml.width = 160
    text = io.StringIO()
    yaml.dump(dict(document), text)
    return text.getvalue()


def _filled(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not False and value not in (None, [], {}, "0m")}


def _rules(rules: BookingRules) -> dict[str, Any]:
    part = RulesPart(**{name: getattr(rules, name) for name in RulesPart.model_fields})
    return part.model_dump(mode="json", exclude_none=True)


def _calendars(policy: CalendarPolicy) -> dict[str, Any]:
    return CalendarsPart(**asdict(policy)).model_dump(mode="json", exclude_defaults=True)


def _messages(policy: MessagePolicy) -> dict[str, Any]:
    wording: dict[str, dict[str, str]] = {}
    for one in policy.wording:
        wording.setdefault(one.language, {})[one.kind] = one.text
    part = MessagesPart.model_validate(
        {
            "reminders": list(policy.reminders),
            "mail": policy.mail,
            "part_price": policy.part_price,
            "sent_between": policy.sent_between,
            "wording": wording,
        }
    )
    return part.model_dump(mode="json", exclude_defaults=True)


def _own_rules(catalogue: Catalogue, location: LocationInfo) -> dict[str, Any]:
    if location.rules is None:
        return {}
    common = _rules(catalogue.rules)
    own = RulesPart(**{name: getattr(location.rules, name) for name in RulesPart.model_fields}).model_dump(mode="json")
    return {name: value for name, value in own.items() if value != common.get(name)}


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
        dated=_dated(location.dated),
        rules=_own_rules(catalogue, location),
        coordinates=_coordinates(location.place),
        directions=location.directions,
        parking=location.parking,
    ) | {"hours": forms.hours_text(location.hours)}


def _service(catalogue: Catalogue, service: ServiceInfo) -> dict[str, Any]:
    return _filled(
        key=service.key,
        name=service.name,
        aliases=list(service.aliases),
        reasons=list(service.reasons),
        description=service.description,
        category=service.category,
        duration=None if service.steps else forms.duration_text(service.duration),
        longest=service.longest and forms.duration_text(service.longest),
        duration_step=service.duration_step and forms.duration_text(service.duration_step),
        steps=[catalogue.service(step).key for step in service.steps],
        step_gap=forms.duration_text(service.step_gap),
        group=service.group and {"min": service.group.minimum, "max": service.group.maximum},
        mode=None if service.mode is Mode.IN_PERSON else str(service.mode),
        prior_visit=service.prior_visit and str(service.prior_visit),
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
        off=_away(person),
        bio=person.profile.bio,
        kind=person.kind,
        vertical=person.vertical,
        specialties=list(person.profile.specialties),
        credentials=list(person.profile.credentials),
        publications=list(person.profile.publications),
        rating=person.profile.rating,
        reviews=person.profile.reviews or None,
        meeting_url=person.meeting_url,
        since=person.since and person.since.isoformat(),
    ) | ({} if person.visible_when_unavailable else {"visible_when_unavailable": False})


def _resources(catalogue: Catalogue) -> list[dict[str, Any]]:
    by_key: dict[str, list[ResourceInfo]] = {}
    for seat in catalogue.resources:
        by_key.setdefault(seat.key, []).append(seat)
    return [
        _filled(
            key=key,
            kind=seats[0].kind,
            location=catalogue.location(seats[0].location_id).key,
            capacity=len(seats) if len(seats) > 1 else None,
            hours=forms.hours_text(seats[0].hours),
            off=_dates(seats[0].time_off),
        )
        for key, seats in by_key.items()
    ]


def _schedules(catalogue: Catalogue, person: PractitionerInfo) -> list[dict[str, Any]]:
    groups: dict[tuple[str, date | None, date | None, bool], list[WeeklyHours]] = {}
    for hours in person.hours:
        key = (hours.location_id, hours.valid_from, hours.valid_until, hours.is_contingent)
        groups.setdefault(key, []).append(hours.weekly)
    for dated in person.dated:
        if dated.location_id is not None and not any(key[0] == dated.location_id for key in groups):
            groups[dated.location_id, None, None, False] = []
    written, done = [], set()
    for (location_id, valid_from, valid_until, is_contingent), weekly in groups.items():
        # Days off and dated hours belong to the Location, so they are written with its first schedule.
        is_first = location_id not in done
        done.add(location_id)
        written.append(
            _filled(
                location=catalogue.location(location_id).key,
                hours=forms.hours_text(weekly),
                contingent=is_contingent,
                off=_dates(span for span in person.time_off if is_first and span.location_id == location_id),
                dated=_dated(one for one in person.dated if is_first and one.location_id == location_id),
                valid_from=valid_from and valid_from.isoformat(),
                valid_until=valid_until and (valid_until - timedelta(days=1)).isoformat(),
            )
        )
    return written


def _dated(hours: Iterable[DatedHours]) -> list[dict[str, Any]]:
    by_day: dict[date, list[DatedHours]] = {}
    for one in hours:
        by_day.setdefault(one.day, []).append(one)
    return [
        _filled(
            day=day.isoformat(),
            open=[forms.times_text(one.start, one.end) for one in found if one.is_open],
            closed=[forms.times_text(one.start, one.end) for one in found if not one.is_open],
        )
        for day, found in by_day.items()
    ]


def _away(person: PractitionerInfo) -> list[str]:
    days = [span for span in person.time_off if span.location_id is None]
    hours = [one for one in person.dated if one.location_id is None and not one.is_open]
    return [*map(forms.away_text, days), *map(forms.away_text, hours)]


def _coordinates(place: Place | None) -> list[float] | None:
    return None if place is None else [place.latitude, place.longitude]


def _dates(spans: Iterable[DateSpan]) -> list[str]:
    return [forms.date_span_text(span) for span in spans]
