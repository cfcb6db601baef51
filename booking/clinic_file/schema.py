"""What may stand in a clinic file. These models are the definition: the JSON Schema is made from them."""

import unicodedata
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from booking.clinic_file import forms
from booking.clinic_file.forms import Unreadable
from booking.message_wording import WordedKind
from booking.values import (
    BookingRules,
    CalendarPolicy,
    DatedHours,
    DateSpan,
    MailUse,
    MessagePolicy,
    Mode,
    Offering,
    Outside,
    PatientInFeed,
    PriorVisit,
    SendHours,
    WhenFailed,
)
from kernel.errors import Malformed
from kernel.mail import read_address
from kernel.money import Money


def _checked_days(text: str) -> str:
    forms.read_days(text)
    return text


def _checked_times(text: str) -> str:
    forms.read_times(text)
    return text


def _checked_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Unreadable("zone") from None


def _checked_price(text: str) -> str:
    try:
        return str(Money.parse(text))
    except ValueError:
        raise Unreadable("price") from None


def _checked_email(text: str) -> str:
    try:
        return read_address(text)
    except Malformed:
        raise Unreadable("email") from None


def _some_time(length: timedelta) -> timedelta:
    if length <= timedelta(0):
        raise Unreadable("some-time")
    return length


def _at_most_a_day(length: timedelta) -> timedelta:
    if length > timedelta(days=1):
        raise Unreadable("longest-duration", limit="1d")
    return length


def _printable(text: str) -> str:
    # PostgreSQL keeps no NUL, and the others would spoil what is shown and spoken.
    if any(unicodedata.category(character) == "Cc" and character not in "\n\t" for character in text):
        raise Unreadable("control-character")
    return text


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _text_of_number(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        raise Unreadable("phone-quotes")
    return value


_KEY = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
_LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$"
_COUNTRY = r"^[A-Z]{2}$"
_LINK = r"^https://[^\s]+$"
_PART_PRICE = r"^\d{1,3}(\.\d{1,5})? [A-Z]{3}$"
# What is to be said of a text that is not written so.
PATTERNS = {_KEY: "key", _LANGUAGE: "language", _COUNTRY: "country", _LINK: "link", _PART_PRICE: "part-price"}

Key = Annotated[str, Field(pattern=_KEY, max_length=64)]
Name = Annotated[str, AfterValidator(_printable), Field(min_length=1, max_length=200)]
Text = Annotated[str, AfterValidator(_printable), Field(min_length=1, max_length=2000)]
Language = Annotated[str, Field(pattern=_LANGUAGE)]
Phone = Annotated[str, BeforeValidator(_text_of_number), Field(max_length=40)]
Email = Annotated[str, AfterValidator(_checked_email), Field(max_length=254)]
Zone = Annotated[str, AfterValidator(_checked_zone)]
Price = Annotated[str, AfterValidator(_checked_price), Field(description='An amount like "95.00 USD".')]
Duration = Annotated[
    timedelta,
    BeforeValidator(forms.read_duration),
    PlainSerializer(forms.duration_text),
    WithJsonSchema({"type": "string", "pattern": forms.DURATION, "examples": ["45m", "2h", "90d"]}),
]
Days = Annotated[str, AfterValidator(_checked_days)]
Times = Annotated[str, AfterValidator(_checked_times), Field(examples=["09:00-17:00"])]
SendTimes = Annotated[
    SendHours,
    BeforeValidator(forms.read_send_hours),
    PlainSerializer(forms.send_hours_text),
    WithJsonSchema({"type": "string", "examples": ["09:00-20:00"]}),
]
Hours = dict[Days, Annotated[list[Times], BeforeValidator(_as_list)]]
Dates = Annotated[
    DateSpan,
    BeforeValidator(forms.read_date_span),
    PlainSerializer(forms.date_span_text),
    WithJsonSchema({"type": "string", "examples": ["2027-07-05", "2027-07-05/2027-07-09"]}),
]
Away = Annotated[
    DateSpan | DatedHours,
    BeforeValidator(forms.read_away),
    PlainSerializer(forms.away_text),
    WithJsonSchema({"type": "string", "examples": ["2027-07-05", "2027-07-05/2027-07-09", "2027-07-05 15:00-17:30"]}),
]
Day = Annotated[date, BeforeValidator(forms.read_date)]
WallTime = Annotated[
    datetime,
    BeforeValidator(forms.read_wall_time),
    PlainSerializer(lambda at: at.isoformat(timespec="minutes")),
    WithJsonSchema({"type": "string", "examples": ["2027-03-15T09:00"]}),
]
PositiveInt = Annotated[int, Field(gt=0, le=1000)]
Coordinates = Annotated[
    tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]],
    Field(description="Latitude and longitude in degrees.", examples=[[42.65, -73.75]]),
]
Link = Annotated[str, Field(pattern=_LINK, max_length=500)]


class Part(BaseModel):
    """Base of all parts: a key that is not known is a mistake, and nothing is turned into what was not written."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class ClinicPart(Part):
    """The clinic itself. Other parts may say otherwise for a location."""

    key: Key
    name: Name
    timezone: Zone
    country: Annotated[str, Field(pattern=_COUNTRY, description="ISO 3166, for reading numbers: US, ES ...")]
    languages: Annotated[list[Language], Field(min_length=1)] = ["en"]
    phone: Phone | None = None
    transfer_to: Phone | None = None
    email: Email | None = None
    hidden_verticals: list[Name] = []
    records_calls: bool = False


_RULES = BookingRules()


class RulesPart(Part):
    """When patients may book by themselves. A Location may have its own for some or all of them."""

    minimum_notice: Duration = _RULES.minimum_notice
    maximum_advance: Annotated[Duration, AfterValidator(_some_time)] = _RULES.maximum_advance
    step: Annotated[Duration, AfterValidator(_some_time), AfterValidator(_at_most_a_day)] = _RULES.step
    hold: Annotated[Duration, AfterValidator(_some_time)] = _RULES.hold
    cancel_notice: Duration = _RULES.cancel_notice
    max_moves: Annotated[int, Field(ge=0, le=1000)] | None = None
    max_per_patient_per_day: PositiveInt | None = None
    max_per_practitioner_per_day: PositiveInt | None = None
    fairness_window: Duration = _RULES.fairness_window
    answer_within: Annotated[Duration, AfterValidator(_some_time)] = _RULES.answer_within
    records_arrival: bool = _RULES.records_arrival
    waitlist: Offering = _RULES.waitlist
    offer_for: Annotated[Duration, AfterValidator(_some_time)] = _RULES.offer_for
    waitlist_for: Annotated[Duration, AfterValidator(_some_time)] = _RULES.waitlist_for


_CALENDARS = CalendarPolicy()


class CalendarsPart(Part):
    """What follows from what happens in the practitioners' own calendars."""

    stale_after: Annotated[Duration, AfterValidator(_some_time)] = _CALENDARS.stale_after
    failed_after: Annotated[Duration, AfterValidator(_some_time)] = _CALENDARS.failed_after
    when_failed: WhenFailed = _CALENDARS.when_failed
    moved_outside: Outside = _CALENDARS.moved_outside
    deleted_outside: Outside = _CALENDARS.deleted_outside
    check_at_commit: bool = _CALENDARS.check_at_commit
    invitations: bool = _CALENDARS.invitations
    invitations_name_service: bool = _CALENDARS.invitations_name_service
    patient_in_feed: PatientInFeed = _CALENDARS.patient_in_feed


def _few_and_different(leads: list[timedelta]) -> list[timedelta]:
    if len(set(leads)) < len(leads):
        raise Unreadable("leads-twice")
    if any(lead > timedelta(days=30) for lead in leads):
        raise Unreadable("longest-duration", limit="30d")
    return leads


_MESSAGES = MessagePolicy()


class MessagesPart(Part):
    """What the clinic writes to patients of its own accord: how long before a visit they are reminded, in which words, and at what hours.

    `wording` is by language and kind of text; what is not there has the product's own words.
    """

    sent_between: SendTimes = _MESSAGES.sent_between
    reminders: Annotated[
        list[Annotated[Duration, AfterValidator(_some_time)]], Field(max_length=4), AfterValidator(_few_and_different)
    ] = list(_MESSAGES.reminders)
    mail: MailUse = _MESSAGES.mail
    part_price: Annotated[str, Field(pattern=_PART_PRICE, examples=["0.0079 USD"])] | None = None
    wording: dict[Language, dict[WordedKind, Text]] = {}


class DatedPart(Part):
    """Other hours on one day: open as well, or closed. They come on top of the week's hours and of days off."""

    day: Day
    open: Annotated[list[Times], BeforeValidator(_as_list)] = []
    closed: Annotated[list[Times], BeforeValidator(_as_list)] = []


class LocationPart(Part):
    """A branch. `closed` days are whole local days; `dated` are other hours on one day."""

    key: Key
    name: Name
    aliases: list[Name] = []
    address: Name
    timezone: Zone | None = None
    phone: Phone | None = None
    transfer_to: Phone | None = None
    hours: Hours
    closed: list[Dates] = []
    dated: list[DatedPart] = []
    rules: RulesPart | None = None
    coordinates: Coordinates | None = None
    directions: Text | None = None
    parking: Text | None = None


class GroupPart(Part):
    """How many take part in one session."""

    min: PositiveInt = 1
    max: PositiveInt


class ServicePart(Part):
    """What can be booked. `reasons`: everyday words of patients that lead to it.

    One with `steps` is a package of other services, in that order, and takes their time; one with `longest` may last longer
    than `duration`; one with `group` is for several patients at once.
    """

    key: Key
    name: Name
    aliases: list[Name] = []
    reasons: list[Name] = []
    description: Text | None = None
    category: Name | None = None
    duration: Annotated[Duration, AfterValidator(_some_time), AfterValidator(_at_most_a_day)] | None = None
    longest: Annotated[Duration, AfterValidator(_some_time), AfterValidator(_at_most_a_day)] | None = None
    duration_step: Annotated[Duration, AfterValidator(_some_time)] | None = None
    steps: list[Key] = []
    step_gap: Duration = timedelta(0)
    group: GroupPart | None = None
    mode: Mode = Mode.IN_PERSON
    prior_visit: PriorVisit | None = None
    buffer_before: Duration = timedelta(0)
    buffer_after: Duration = timedelta(0)
    price: Price | None = None
    skills: list[Name] = []
    resources: list[Name] = []
    preparation: Text | None = None
    needs_confirmation: bool = False


class SchedulePart(Part):
    """Where and when somebody works. `valid_from` and `valid_until` are both days on which it holds.

    What is booked in `contingent` hours waits for the clinic's yes.
    """

    location: Key
    hours: Hours = {}
    contingent: bool = False
    off: list[Dates] = []
    dated: list[DatedPart] = []
    valid_from: Day | None = None
    valid_until: Day | None = None


class PractitionerPart(Part):
    """A person patients are booked with. `off`: days or hours away wherever they work."""

    key: Key
    name: Name
    aliases: list[Name] = []
    gender: Literal["female", "male", "other", "unknown"] | None = None
    languages: list[Language] = []
    skills: list[Name] = []
    services: list[Key] = []
    schedules: list[SchedulePart] = []
    off: list[Away] = []
    bio: Text | None = None
    kind: Name | None = None
    vertical: Name | None = None
    specialties: list[Name] = []
    credentials: list[Name] = []
    publications: list[Name] = []
    rating: Annotated[float, Field(ge=0, le=5)] | None = None
    reviews: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    visible_when_unavailable: bool = True
    meeting_url: Link | None = None
    since: Day | None = None


class ResourcePart(Part):
    """A room, chair or device. Services ask for a `kind`; `capacity` of them can use it at once.

    Without `hours` it is there whenever its location is open.
    """

    key: Key
    kind: Name
    location: Key
    capacity: Annotated[int, Field(gt=0, le=100)] = 1
    hours: Hours = {}
    off: list[Dates] = []


class AnswerPart(Part):
    """The clinic's own answer to a question, and ways of asking it."""

    topic: Name
    text: Text
    phrases: list[Name] = []


class PatientPart(Part):
    """A patient for demonstrations and tests."""

    key: Key
    name: Name
    born: Day | None = None
    phone: Phone | None = None
    email: Email | None = None
    language: Language | None = None
    address: Name | None = None
    coordinates: Coordinates | None = None


class AppointmentPart(Part):
    """An appointment for demonstrations and tests. `start` is wall time of the location."""

    service: Key
    practitioner: Key
    location: Key
    patient: Key
    start: WallTime


class ClinicFile(Part):
    """A clinic in one file: its places, people, services, rules and answers. Keys are stable ids of the clinic's choosing."""

    clinic: ClinicPart
    rules: RulesPart = RulesPart()
    calendars: CalendarsPart = CalendarsPart()
    messages: MessagesPart = MessagesPart()
    locations: Annotated[list[LocationPart], Field(min_length=1)]
    services: list[ServicePart] = []
    practitioners: list[PractitionerPart] = []
    resources: list[ResourcePart] = []
    answers: list[AnswerPart] = []
    patients: list[PatientPart] = []
    appointments: list[AppointmentPart] = []


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the clinic file."""
    schema = ClinicFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Frontdesk clinic file"} | {
        name: value for name, value in schema.items() if name != "title"
    }
