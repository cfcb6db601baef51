"""What a mail with an invitation says: the least that serves. Clinic, date and time, place, and the number to call.

No practitioner, and no service unless the clinic wants it named: a mail is read on telephones that lie on tables. Moments are said
as the rest of the product says them, which is for the caller to bring along.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib import resources
from typing import Any, Protocol

from ruamel.yaml import YAML

from booking.model.appointment import Appointment
from booking.values import Catalogue, Mode
from kernel.phone import readable


class SayMoment(Protocol):
    """How the product tells patients a time: `starts` and `today` are wall times with a zone."""

    def __call__(self, starts: datetime, *, today: datetime, language: str, country: str) -> str: ...


@dataclass(frozen=True)
class Speech:
    """The language to write to the patient in, one that we have words of, and how times are said in it."""

    language: str
    moment: SayMoment


@dataclass(frozen=True)
class Said:
    """The words of one mail. `summary` and `location` are what the calendar shows."""

    subject: str
    body: str
    summary: str
    location: str


@lru_cache
def words(language: str) -> Mapping[str, Any]:
    """Load the texts of `language`, once per process. Raises FileNotFoundError for a language without a file."""
    source = resources.files("calendar_sync.words").joinpath(f"{language}.yaml")
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(source.read_text(encoding="utf-8"))
    return loaded


def compose(catalogue: Catalogue, appointment: Appointment, *, what: str, speech: Speech, now: datetime) -> Said:
    """Return the words of a mail about `what` became of the visit: booked, moved, waiting or cancelled."""
    said = words(speech.language)
    location = catalogue.location(appointment.location_id)
    phone = location.phone or catalogue.phone
    shown, told = _places(catalogue, appointment, said)
    facts = {
        "clinic": catalogue.name,
        "when": speech.moment(
            appointment.starts_at.astimezone(location.zone),
            today=now.astimezone(location.zone),
            language=speech.language,
            country=catalogue.country,
        ),
        "where": told,
        **{
            name: said[f"{name}-by-phone"].format(phone=readable(phone)) if phone else said[name]
            for name in ("change", "again")
        },
    }
    names_service = catalogue.calendars.invitations_name_service
    return Said(
        subject=said[what]["subject"].format(**facts),
        body=said[what]["body"].format(**facts),
        summary=said["summary-with-service" if names_service else "summary"].format(
            clinic=catalogue.name, service=catalogue.service(appointment.service_id).name
        ),
        location=shown,
    )


def _places(catalogue: Catalogue, appointment: Appointment, said: Mapping[str, Any]) -> tuple[str, str]:
    """Return the place as a calendar shows it, which may look it up on a map, and as a person is told it."""
    mode = catalogue.service(appointment.service_id).mode
    if mode is Mode.HOME:
        return "", said["at-home"]
    location = catalogue.location(appointment.location_id)
    here = f"{location.name}, {location.address}"
    place = (appointment.meeting_url or said["online"]) if mode is Mode.TELEHEALTH else here
    return place, place
