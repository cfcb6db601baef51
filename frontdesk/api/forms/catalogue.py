"""The clinic's configuration as programs see it."""

from datetime import date
from typing import Literal

from frontdesk.api.forms.common import Out


class PriceOut(Out):
    amount_minor: int
    currency: str


class HoursOut(Out):
    """Open on `weekday` (0 = Monday) between two wall times, in minutes after midnight."""

    weekday: int
    start_minute: int
    end_minute: int


class DaysOut(Out):
    """Whole local days, `end` excluded."""

    first: date
    end: date


class DatedHoursOut(Out):
    """On one day only: open as well, or closed, between two wall times in minutes after midnight."""

    day: date
    start_minute: int
    end_minute: int
    is_open: bool


class RulesOut(Out):
    """What holds for booking. Whatever is null has no limit."""

    minimum_notice_minutes: int
    maximum_advance_minutes: int
    step_minutes: int
    hold_minutes: int
    cancel_notice_minutes: int
    max_moves: int | None
    max_per_patient_per_day: int | None


class LocationOut(Out):
    id: str
    key: str
    name: str
    address: str
    timezone: str
    phone: str | None
    directions: str | None
    parking: str | None
    latitude: float | None
    longitude: float | None
    hours: list[HoursOut]
    dated_hours: list[DatedHoursOut]
    closures: list[DaysOut]
    rules: RulesOut


class GroupOut(Out):
    minimum: int
    maximum: int


class ServiceOut(Out):
    """`duration_minutes` up to `longest_minutes` in steps where the length may be chosen. `step_ids`: of a package."""

    id: str
    key: str
    name: str
    aliases: list[str]
    description: str | None
    category: str | None
    duration_minutes: int
    longest_minutes: int | None
    duration_step_minutes: int | None
    price: PriceOut | None
    mode: Literal["in-person", "telehealth", "home"]
    needs_confirmation: bool
    prior_visit: Literal["clinic", "practitioner"] | None
    preparation: str | None
    group: GroupOut | None
    step_ids: list[str]
    practitioner_ids: list[str]


class PersonOut(Out):
    """Somebody patients may choose, with what helps to choose."""

    id: str
    key: str
    name: str
    kind: str | None
    gender: str | None
    languages: list[str]
    bio: str | None
    specialties: list[str]
    credentials: list[str]
    publications: list[str]
    rating: float | None
    reviews: int


class PractitionerOut(PersonOut):
    """`is_hidden`: of a vertical that patients are not shown; only keys of staff see them at all."""

    vertical: str | None
    is_hidden: bool
    visible_when_unavailable: bool
    service_ids: list[str]
    location_ids: list[str]


class AnswerOut(Out):
    topic: str
    text: str


class ClinicOut(Out):
    id: str
    key: str
    name: str
    country: str
    timezone: str
    languages: list[str]
    phone: str | None


class CatalogueOut(Out):
    """Everything that is not a diary entry or a patient. `version` grows with every change of it."""

    version: int
    clinic: ClinicOut
    locations: list[LocationOut]
    services: list[ServiceOut]
    practitioners: list[PractitionerOut]
    answers: list[AnswerOut]
