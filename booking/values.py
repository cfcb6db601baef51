"""Codes and frozen records of the diary: what decisions take in and give out. Rows map to these; nothing here does I/O.

Instants are aware UTC; wall times are offsets from local midnight and go with the zone of their Location.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NewType, TypeVar
from zoneinfo import ZoneInfo

from kernel.interval import Interval
from kernel.money import Money

Found = TypeVar("Found")

ClinicId = NewType("ClinicId", str)
AppointmentId = NewType("AppointmentId", str)
PatientId = NewType("PatientId", str)


class AppointmentStatus(StrEnum):
    """FHIR R4 Appointment.status, verbatim. A Hold is `pending` with an expiry; `pending` without one waits for staff."""

    PROPOSED = "proposed"
    PENDING = "pending"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"
    WAITLIST = "waitlist"
    ENTERED_IN_ERROR = "entered-in-error"

    def may_become(self, other: "AppointmentStatus") -> bool:
        return other in _LEGAL[self]


_S = AppointmentStatus
_LEGAL: dict[AppointmentStatus, frozenset[AppointmentStatus]] = {
    _S.PROPOSED: frozenset({_S.PENDING, _S.BOOKED, _S.CANCELLED, _S.WAITLIST, _S.ENTERED_IN_ERROR}),
    _S.PENDING: frozenset({_S.BOOKED, _S.CANCELLED, _S.WAITLIST, _S.ENTERED_IN_ERROR}),
    # Moved to a time that staff must agree to, a booked visit waits again.
    _S.BOOKED: frozenset({_S.PENDING, _S.ARRIVED, _S.FULFILLED, _S.CANCELLED, _S.NOSHOW, _S.ENTERED_IN_ERROR}),
    _S.ARRIVED: frozenset({_S.BOOKED, _S.FULFILLED, _S.CANCELLED, _S.ENTERED_IN_ERROR}),
    _S.WAITLIST: frozenset({_S.PENDING, _S.BOOKED, _S.CANCELLED, _S.ENTERED_IN_ERROR}),
    _S.FULFILLED: frozenset({_S.ENTERED_IN_ERROR}),
    _S.CANCELLED: frozenset({_S.ENTERED_IN_ERROR}),
    _S.NOSHOW: frozenset({_S.BOOKED, _S.ARRIVED, _S.ENTERED_IN_ERROR}),
    _S.ENTERED_IN_ERROR: frozenset(),
}

BLOCKING = frozenset({_S.PENDING, _S.BOOKED, _S.ARRIVED, _S.FULFILLED})
"""Statuses whose Allocations are live: nobody else may have the time."""


class OtherWord(StrEnum):
    """What other systems call the state of a time or a visit."""

    AVAILABLE = "available"  # a Slot: nobody has it
    REQUESTED = "requested"
    SCHEDULED = "scheduled"  # somebody has it, and something is still to be said: a Hold, or a yes of staff
    CONFIRMED = "confirmed"
    ARRIVED = "arrived"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no-show"
    WAITING = "waiting"
    EXPIRED = "expired"  # a Hold that ran out
    REMOVED = "removed"

    @property
    def status(self) -> AppointmentStatus | None:
        """The status that this is with us, or None for what is no Appointment."""
        return _STATUS_OF[self]


_WORD_OF: dict[AppointmentStatus, OtherWord] = {
    _S.PROPOSED: OtherWord.REQUESTED,
    _S.PENDING: OtherWord.SCHEDULED,
    _S.BOOKED: OtherWord.CONFIRMED,
    _S.ARRIVED: OtherWord.ARRIVED,
    _S.FULFILLED: OtherWord.COMPLETED,
    _S.CANCELLED: OtherWord.CANCELLED,
    _S.NOSHOW: OtherWord.NO_SHOW,
    _S.WAITLIST: OtherWord.WAITING,
    _S.ENTERED_IN_ERROR: OtherWord.REMOVED,
}
_STATUS_OF: dict[OtherWord, AppointmentStatus | None] = {
    **{word: status for status, word in _WORD_OF.items()},
    OtherWord.AVAILABLE: None,
    OtherWord.EXPIRED: _S.PENDING,
}


class Source(StrEnum):
    """Where an Appointment came from."""

    PHONE = "phone"
    SMS = "sms"
    WEB = "web"
    API = "api"
    STAFF = "staff"
    CALENDAR = "calendar"
    CALCOM = "calcom"  # on the practitioner's own page there


class Mode(StrEnum):
    """Where a visit takes place."""

    IN_PERSON = "in-person"
    TELEHEALTH = "telehealth"
    HOME = "home"


class PriorVisit(StrEnum):
    """Who must have seen the patient before, for a service that is not for newcomers."""

    CLINIC = "clinic"
    PRACTITIONER = "practitioner"


class BundleKind(StrEnum):
    """Why several Appointments belong together."""

    PACKAGE = "package"  # the parts of one visit
    SERIES = "series"  # the same again by an RRULE
    HOUSEHOLD = "household"  # several people who come together


class Offering(StrEnum):
    """How freed time goes to those who wait for it."""

    ONE_BY_ONE = "one-by-one"
    ALL = "all"


class TaskKind(StrEnum):
    """Why staff are asked to do something. Every promise the agent makes is one of these rows."""

    CALL_BACK = "call-back"
    MESSAGE = "message"
    HANDOVER = "handover"
    EMERGENCY = "emergency"
    APOLOGY = "apology"  # something failed inside while a patient was with us
    PLACEHOLDER = "placeholder"  # a patient record to complete
    RUNNING_LATE = "running-late"
    BOOKING_REQUEST = "booking-request"  # wanted something the agent may not or could not book
    OPTED_OUT = "opted-out"
    CALENDAR = "calendar"
    PARKED_JOB = "parked-job"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True)
class BookingRules:
    """The clinic's rules for booking. Defaults are those of requirements B3."""

    minimum_notice: timedelta = timedelta(hours=2)
    maximum_advance: timedelta = timedelta(days=90)
    step: timedelta = timedelta(minutes=15)
    hold: timedelta = timedelta(minutes=5)
    cancel_notice: timedelta = timedelta(0)  # later than this before the visit only staff may cancel or move
    max_moves: int | None = None  # a patient may move one visit so often; after that only staff
    max_per_patient_per_day: int | None = None
    max_per_practitioner_per_day: int | None = None
    fairness_window: timedelta = timedelta(days=14)  # how far back and ahead a Practitioner's load is weighed
    answer_within: timedelta = timedelta(hours=24)  # staff confirm or reject a request by then, or it escalates
    records_arrival: bool = False  # staff mark who came: only then can a visit be a no-show
    waitlist: Offering = Offering.ONE_BY_ONE
    offer_for: timedelta = timedelta(minutes=30)  # how long freed time is kept for who is offered it
    waitlist_for: timedelta = timedelta(days=30)  # how long somebody stays on the waiting list


class Outside(StrEnum):
    """What is done when somebody moves or deletes a visit in a calendar."""

    FOLLOW = "follow"  # the diary does the same, if its rules allow
    RESTORE = "restore"  # the calendar is put right again


class WhenFailed(StrEnum):
    """What is done when a calendar that keeps somebody busy can't be read any more."""

    STOP_OFFERING = "stop-offering"
    GO_ON = "go-on"


class PatientInFeed(StrEnum):
    """What a practitioner's feed says of who comes. Whoever has its address reads it, on every telephone it is copied to."""

    NOTHING = "nothing"
    INITIALS = "initials"
    NAME = "name"


@dataclass(frozen=True)
class CalendarPolicy:
    """What follows from what happens in the practitioners' calendars, and from not hearing of them."""

    stale_after: timedelta = timedelta(minutes=15)  # since the last good read: staff are warned
    failed_after: timedelta = timedelta(hours=1)  # out of reach for so long: `when_failed` holds
    when_failed: WhenFailed = WhenFailed.STOP_OFFERING
    moved_outside: Outside = Outside.FOLLOW
    deleted_outside: Outside = Outside.RESTORE
    check_at_commit: bool = False  # look into the calendars once more before a visit is booked
    invitations: bool = False  # patients whose e-mail address is known get their visits as invitations
    invitations_name_service: bool = False  # these say what the visit is for, to whoever reads the patient's mail
    patient_in_feed: PatientInFeed = PatientInFeed.NOTHING


class MailUse(StrEnum):
    """When patients get by e-mail what texts tell them, if their address is known."""

    NEVER = "never"
    INSTEAD = "instead"  # where no text can reach them
    ALSO = "also"  # beside the text


@dataclass(frozen=True)
class Wording:
    """The clinic's own words for one kind of text in one language."""

    language: str
    kind: str
    text: str


@dataclass(frozen=True)
class SendHours:
    """From when to when patients may be written to who have not asked for it, by the clock where they are."""

    opens: time
    closes: time


DAYTIME = SendHours(time(8), time(21))
"""What the law leaves: a clinic may want less of it, and no more."""


@dataclass(frozen=True)
class MessagePolicy:
    """What the clinic writes to patients of its own accord."""

    # Days are days of the calendar: at the same time of day. Two notices keep more people from forgetting than one does,
    # and the first must leave time to give the visit to somebody else.
    reminders: tuple[timedelta, ...] = (timedelta(days=2), timedelta(hours=3))
    mail: MailUse = MailUse.INSTEAD
    part_price: str | None = None  # of one part of a text, like "0.0079 USD": for the preview
    wording: tuple[Wording, ...] = ()
    sent_between: SendHours = DAYTIME


@dataclass(frozen=True)
class WeeklyHours:
    """Open or working on `weekday` (0 = Monday) between two wall times, as offsets from local midnight (24 h: the next)."""

    weekday: int
    start: timedelta
    end: timedelta


@dataclass(frozen=True)
class DateSpan:
    """Whole local days, `end` excluded. On time off: everywhere, or only at one Location."""

    first: date
    end: date
    location_id: str | None = None


@dataclass(frozen=True)
class DatedHours:
    """On one local day only: open or working as well (`is_open`), or not, between two wall times.

    Whole days off are taken away first, then dated hours are added, then dated closings taken away. On a Practitioner:
    added at `location_id`; a closing without one is everywhere.
    """

    day: date
    start: timedelta
    end: timedelta
    is_open: bool
    location_id: str | None = None


@dataclass(frozen=True)
class Place:
    """A point on the earth, in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class GroupSize:
    """How many take part in one session: fewer than `minimum` is for staff to decide, more than `maximum` can't be."""

    minimum: int
    maximum: int


# The catalogue: the clinic's configuration as the conversation, the availability search and the pages see it.


@dataclass(frozen=True)
class LocationInfo:
    id: str
    key: str
    name: str
    address: str
    zone: ZoneInfo
    phone: str | None
    transfer_to: str | None
    hours: tuple[WeeklyHours, ...]
    closures: tuple[DateSpan, ...]
    directions: str | None = None
    parking: str | None = None
    aliases: tuple[str, ...] = ()
    dated: tuple[DatedHours, ...] = ()
    rules: BookingRules | None = None  # its own, where they differ from the clinic's
    place: Place | None = None


@dataclass(frozen=True)
class ServiceInfo:
    id: str
    key: str
    name: str
    aliases: tuple[str, ...]
    description: str | None
    category: str | None
    duration: timedelta
    buffer_before: timedelta
    buffer_after: timedelta
    price: Money | None
    skills: frozenset[str]
    resources: tuple[str, ...]  # kinds of Resource needed, one of each
    preparation: str | None
    reasons: tuple[str, ...] = ()  # everyday reasons for a visit that lead here: "toothache", "my tooth broke"
    needs_confirmation: bool = False  # staff say yes first: confirming leaves the Appointment `pending`
    longest: timedelta | None = None  # flexible: `duration` up to this, in steps of `duration_step`
    duration_step: timedelta | None = None
    steps: tuple[str, ...] = ()  # a package: the ids of the services it consists of, in order
    step_gap: timedelta = timedelta(0)  # the longest wait between two steps
    group: GroupSize | None = None
    mode: Mode = Mode.IN_PERSON
    prior_visit: PriorVisit | None = None


@dataclass(frozen=True)
class WorkingHours:
    """When a Schedule is open for booking at one Location, in that Location's zone."""

    location_id: str
    weekly: WeeklyHours
    valid_from: date | None = None
    valid_until: date | None = None  # excluded
    is_contingent: bool = False  # time that staff must agree to: what is booked in it waits as `pending`


@dataclass(frozen=True)
class Profile:
    """What helps a patient to choose a person."""

    bio: str | None = None
    specialties: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    publications: tuple[str, ...] = ()
    rating: float | None = None  # 0 to 5
    reviews: int = 0


@dataclass(frozen=True)
class PractitionerInfo:
    id: str
    key: str
    name: str
    aliases: tuple[str, ...]
    gender: str | None  # FHIR administrative-gender: male, female, other, unknown
    languages: tuple[str, ...]
    skills: frozenset[str]
    service_ids: frozenset[str]
    schedule_id: str
    hours: tuple[WorkingHours, ...]
    time_off: tuple[DateSpan, ...]
    dated: tuple[DatedHours, ...] = ()
    profile: Profile = Profile()
    kind: str | None = None  # the clinic's word: dentist, hygienist ...
    vertical: str | None = None  # the branch of the clinic's business they belong to
    is_hidden: bool = False  # of a vertical that patients are not shown
    visible_when_unavailable: bool = True  # listed though nothing is free
    meeting_url: str | None = None  # where their telehealth visits take place
    since: date | None = None  # when they joined: a newcomer's load is weighed from then on
    is_looked_up: bool = (
        False  # their calendars are looked into before a visit is booked, whatever the clinic's policy is
    )


@dataclass(frozen=True)
class ResourceInfo:
    """A room or device. One of capacity n has n Schedules and stands n times in the catalogue: what can't be shared is one."""

    id: str
    key: str
    kind: str
    location_id: str
    schedule_id: str
    hours: tuple[WeeklyHours, ...] = ()  # empty: whenever the Location is open
    time_off: tuple[DateSpan, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A question patients ask, answered in the clinic's own words."""

    topic: str
    text: str
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """Everything of one clinic that is not a diary entry or a patient. `version` grows with every change of it."""

    clinic_id: ClinicId
    key: str
    version: int
    name: str
    country: str
    zone: ZoneInfo
    languages: tuple[str, ...]
    phone: str | None
    transfer_to: str | None
    rules: BookingRules
    locations: tuple[LocationInfo, ...]
    services: tuple[ServiceInfo, ...]
    practitioners: tuple[PractitionerInfo, ...]
    resources: tuple[ResourceInfo, ...]
    answers: tuple[Answer, ...] = ()
    retired: tuple[
        LocationInfo | ServiceInfo | PractitionerInfo, ...
    ] = ()  # gone, but found by id: past visits name them
    hidden_verticals: tuple[str, ...] = ()
    calendars: CalendarPolicy = CalendarPolicy()
    messages: MessagePolicy = MessagePolicy()
    email: str | None = None  # the mailbox that mails come from
    records_calls: bool = False  # callers are asked whether they may be
    _by_id: dict[str, object] = field(default_factory=dict, compare=False, repr=False)
    _able: dict[tuple[str, frozenset[str], str], tuple[PractitionerInfo, ...]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        for group in (self.locations, self.services, self.practitioners, self.resources, self.retired):
            for item in group:
                self._by_id[item.id] = item

    def __repr__(self) -> str:
        # Whole, it makes a book of every log of a failure.
        return f"Catalogue(key={self.key!r}, version={self.version})"

    @property
    def sends_invitations(self) -> bool:
        """Say whether the clinic invites patients to their visits by e-mail."""
        return self.calendars.invitations and self.email is not None

    def rules_at(self, location_id: str) -> BookingRules:
        """Return the rules that hold at a Location: its own, or the clinic's."""
        return self.location(location_id).rules or self.rules

    def for_patients(self) -> "Catalogue":
        """Return the catalogue as patients may see it: without the people of hidden verticals, who are still found by id."""
        hidden = tuple(person for person in self.practitioners if person.is_hidden)
        if not hidden:
            return self
        shown = tuple(person for person in self.practitioners if not person.is_hidden)
        return replace(self, practitioners=shown, retired=(*self.retired, *hidden), _by_id={})

    def location(self, location_id: str) -> LocationInfo:
        return self._find(location_id, LocationInfo)

    def service(self, service_id: str) -> ServiceInfo:
        return self._find(service_id, ServiceInfo)

    def practitioner(self, practitioner_id: str) -> PractitionerInfo:
        return self._find(practitioner_id, PractitionerInfo)

    def offers(self, practitioner: PractitionerInfo, service: ServiceInfo) -> bool:
        return service.id in practitioner.service_ids and service.skills <= practitioner.skills

    def able(self, service: ServiceInfo, location: LocationInfo) -> tuple[PractitionerInfo, ...]:
        """Return who gives `service` at `location`, in the clinic's order."""
        # Every booking asks, and it follows from the configuration alone.
        asked = service.id, service.skills, location.id
        known = self._able.get(asked)
        if known is None:
            known = self._able[asked] = tuple(
                practitioner
                for practitioner in self.practitioners
                if self.offers(practitioner, service)
                and (
                    any(hours.location_id == location.id for hours in practitioner.hours)
                    or any(one.is_open and one.location_id == location.id for one in practitioner.dated)
                )
            )
        return known

    def resources_of(self, kind: str, location: LocationInfo) -> tuple[ResourceInfo, ...]:
        """Return the rooms or devices of `kind` at `location`, in the clinic's order."""
        return tuple(item for item in self.resources if item.kind == kind and item.location_id == location.id)

    def _find(self, item_id: str, kind: type[Found]) -> Found:
        item = self._by_id[item_id]
        if not isinstance(item, kind):
            raise KeyError(item_id)
        return item


# Searching and booking.


@dataclass(frozen=True)
class SlotQuery:
    """What is looked for: empty tuples mean any. `span` bounds the starts. `duration`: of a flexible service."""

    service_id: str
    span: Interval
    practitioner_ids: tuple[str, ...] = ()
    location_ids: tuple[str, ...] = ()
    duration: timedelta | None = None
    place: Place | None = None  # where a home visit is wanted


@dataclass(frozen=True, order=True)
class Slot:
    """A computed offer, never stored: this service could start then, with this practitioner, there."""

    starts_at: datetime
    practitioner_id: str
    location_id: str
    service_id: str
    ends_at: datetime
    is_contingent: bool = False  # staff must agree first
    session_id: str | None = None  # a group that meets then already, and has room
    parts: tuple["Slot", ...] = ()  # of a package or a household: one for each step or person


@dataclass(frozen=True)
class BookedVisit:
    """An Appointment as it stands in the diary: what may be read out, shown and sent."""

    id: AppointmentId
    uid: str
    sequence: int
    status: AppointmentStatus
    service_id: str
    practitioner_id: str
    location_id: str
    patient_id: PatientId | None
    starts_at: datetime
    ends_at: datetime
    hold_expires_at: datetime | None
    source: Source
    reason: str | None = None  # why this practitioner was chosen: a code of booking.choice
    bundle_id: str | None = None
    times_moved: int = 0
    meeting_url: str | None = None
    place: Place | None = None  # of a home visit
    overridden: tuple[str, ...] = ()  # the rules that staff set aside for it

    @property
    def is_hold(self) -> bool:
        """A Hold is pending with an expiry. Once that has passed its time is anybody's, until somebody takes it."""
        return self.status is AppointmentStatus.PENDING and self.hold_expires_at is not None


def in_other_words(found: Slot | BookedVisit, *, now: datetime) -> OtherWord:
    """Return what other systems call a free time, or a visit as it stands at `now`."""
    if isinstance(found, Slot):
        return OtherWord.AVAILABLE
    if found.is_hold and found.hold_expires_at is not None and found.hold_expires_at <= now:
        return OtherWord.EXPIRED
    return _WORD_OF[found.status]
