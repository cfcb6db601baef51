"""A booking that somebody made on the practitioner's own page elsewhere becomes an Appointment here.

It goes through the booking engine like any other. Notice, hours and lengths were for that page to say; that time is taken
nobody can set aside. What can't be taken on stays busy time, and is a task for staff.
"""

from dataclasses import dataclass
from datetime import datetime

from booking.book import book_visit
from booking.elsewhere import set_busy
from booking.model.appointment import Appointment
from booking.patient_record import PatientChanges, change_patient
from booking.patients import PatientInfo, find_by_email, find_by_phone, names_match, register_patient
from booking.rules import OVERRIDABLE, PatientBlocked
from booking.task_words import TaskDetails, TaskSays
from booking.tasks import open_task, settle_subjects
from booking.values import BookedVisit, Catalogue, LocationInfo, PractitionerInfo, ServiceInfo, Source, TaskKind
from calendar_sync.history import note_action
from calendar_sync.model import CalendarLink, ObjectState
from calendar_sync.objects import locked_row, origin_of, put_at, remember, schedule_of
from calendar_sync.plan import Known, There, agreed
from calendar_sync.ports import RemoteEvent
from calendar_sync.remote_booking import RemoteBooking
from calendar_sync.wanted import wanted_entry
from kernel.errors import Refused
from kernel.log import get_logger
from kernel.phone import to_e164
from kernel.work import UnitOfWork

_REASON = "booked on the practitioner's page"
_WAIVED = OVERRIDABLE - {PatientBlocked.code}
_UNKNOWN_SERVICE = "unknown-service"
_LONGEST_NAME = 200

log = get_logger()


@dataclass(frozen=True)
class _Case:
    """One booking on the page of a link's practitioner."""

    catalogue: Catalogue
    link: CalendarLink
    event: RemoteEvent
    booking: RemoteBooking
    now: datetime

    @property
    def practitioner(self) -> PractitionerInfo:
        return self.catalogue.practitioner(self.link.practitioner_id)

    @property
    def actor(self) -> str:
        """Who did it, as written into histories."""
        return f"calendar:{self.link.id}"

    @property
    def phone(self) -> str | None:
        return to_e164(self.booking.phone, country=self.catalogue.country) if self.booking.phone else None

    @property
    def name(self) -> str:
        return " ".join(self.booking.name.split())[:_LONGEST_NAME] or "Somebody without a name"


def take_on(
    work: UnitOfWork, catalogue: Catalogue, *, link: CalendarLink, event: RemoteEvent, now: datetime
) -> str | None:
    """Make the event's booking an Appointment and return its id, or None: it is none, or can't be one, which staff are told.

    A request that waits for a yes there, and what has begun, is no Appointment, and nobody is told. Takes the place of the
    busy time that the event was. Locks as `book_visit`. Raises ScheduleBusy.
    """
    booking = event.booking
    if booking is None or not booking.is_confirmed or booking.starts_at <= now or not link.shows_visits:
        return None
    case = _Case(catalogue, link, event, booking, now)
    service = service_of(catalogue, booking, link=link)
    if service is None:
        _tell_why_not(work, case, _UNKNOWN_SERVICE, {"reason_code": _UNKNOWN_SERVICE})
        return None
    try:
        with work.part():
            visit = _take_on(work, case, service)
    except Refused as refusal:
        _tell_why_not(work, case, refusal.code, {"why_refused": refusal.code})
        return None
    log.info("calendar.booking.taken_on", link_id=link.id, appointment_id=visit.id)
    return visit.id


def service_of(catalogue: Catalogue, booking: RemoteBooking, *, link: CalendarLink) -> ServiceInfo | None:
    """Return the service that the booking is for, or None.

    By what the link's option `services` says of the page's kinds of booking, or by a name or key that is the same. Where
    several are called so, it is the one that the practitioner gives and that takes as long.
    """
    names = {_plain(kind) for kind in booking.kinds}
    given: dict[str, str] = link.options.get("services") or {}
    mapped = {_plain(key) for kind, key in given.items() if _plain(kind) in names}
    single = [one for one in catalogue.services if one.group is None and not one.steps]
    found = [one for one in single if _plain(one.key) in mapped]
    found = found or [one for one in single if names & {_plain(name) for name in (one.key, one.name, *one.aliases)}]
    practitioner = catalogue.practitioner(link.practitioner_id)
    length = booking.ends_at - booking.starts_at
    found.sort(key=lambda one: (not catalogue.offers(practitioner, one), one.duration != length))
    return found[0] if found else None


def _take_on(work: UnitOfWork, case: _Case, service: ServiceInfo) -> BookedVisit:
    """Book it and note that both sides have it. Raises Refused, and is to be undone then."""
    link, now = case.link, case.now
    origin = origin_of(link.id, case.event.href)
    set_busy(work, schedule_id=schedule_of(work, link), origin=origin, spans=(), now=now)
    patient, is_new = _patient(work, case)
    visit = _placed(work, case, service, patient_id=patient.id)
    row = locked_row(work, link_id=link.id, appointment_id=visit.id, now=now)
    put_at(work, row, link, href=case.event.href, now=now)
    ours = wanted_entry(case.catalogue, link, work.session.get_one(Appointment, visit.id))
    both = agreed(ours=ours, theirs=There(case.event.version, case.event.entry), known=Known())
    remember(row, both, state=ObjectState.OK, now=now)
    if is_new:
        open_task(
            work,
            clinic_id=case.catalogue.clinic_id,
            kind=TaskKind.PLACEHOLDER,
            says=TaskSays.NEW_FROM_PAGE,
            details={"name": patient.name, "practitioner": case.practitioner.name},
            now=now,
            patient_id=patient.id,
            appointment_id=visit.id,
            phone=case.phone,
        )
    settle_subjects(work, clinic_id=case.catalogue.clinic_id, subjects=[_subject(case)], now=now, done_by="system")
    _note(work, case, outcome="done", appointment_id=visit.id)
    return visit


def _placed(work: UnitOfWork, case: _Case, service: ServiceInfo, *, patient_id: str) -> BookedVisit:
    """Book at the place where all rules are kept, or else at one where only such are broken as the page had to keep."""
    booking = case.booking
    length = booking.ends_at - booking.starts_at

    def at(place: LocationInfo, why: str | None) -> BookedVisit:
        return book_visit(
            work,
            case.catalogue,
            service_id=service.id,
            location_id=place.id,
            starts_at=booking.starts_at,
            patient_id=patient_id,
            practitioner_ids=(case.practitioner.id,),
            source=Source.CALCOM,
            now=case.now,
            duration=None if length == service.duration else length,
            actor=case.actor,
            override_reason=why,
        )

    refusals: list[Refused] = []
    waivable: list[LocationInfo] = []
    for place in _places(case, service):
        try:
            return at(place, None)
        except Refused as refusal:
            refusals.append(refusal)
            if {one.code for one in (refusal, *refusal.also)} <= _WAIVED:
                waivable.append(place)
    if not waivable:
        raise refusals[0]
    return at(waivable[0], _REASON)


def _places(case: _Case, service: ServiceInfo) -> list[LocationInfo]:
    """Return where the practitioner gives the service, or where they work at all, or every place there is."""
    catalogue, practitioner = case.catalogue, case.practitioner
    where = {hours.location_id for hours in practitioner.hours}
    able = [place for place in catalogue.locations if practitioner in catalogue.able(service, place)]
    return able or [place for place in catalogue.locations if place.id in where] or list(catalogue.locations)


def _patient(work: UnitOfWork, case: _Case) -> tuple[PatientInfo, bool]:
    """Return who it is for, and whether they are new here: a name and a number or address that fit one patient are theirs."""
    phone, email, clinic_id = case.phone, case.booking.email, case.catalogue.clinic_id
    found: list[PatientInfo] = []
    if phone is not None:
        found += find_by_phone(work.session, clinic_id=clinic_id, phone=phone)
    if email is not None:
        found += find_by_email(work.session, clinic_id=clinic_id, email=email)
    same = {one.id: one for one in found if names_match(case.name, one.name)}
    if len(same) == 1:
        return next(iter(same.values())), False
    language = (case.booking.language or "").partition("-")[0]
    patient = register_patient(
        work,
        clinic_id=clinic_id,
        name=case.name,
        birth_date=None,
        phone=phone,
        language=language if language in case.catalogue.languages else None,
        now=case.now,
        is_placeholder=True,
        actor=case.actor,
        source=Source.CALCOM,
    )
    if email is not None:
        change_patient(
            work,
            clinic_id=clinic_id,
            patient_id=patient.id,
            changes=PatientChanges(emails=(email,)),
            now=case.now,
            actor=case.actor,
            source=Source.CALCOM,
        )
    return patient, True


def _tell_why_not(work: UnitOfWork, case: _Case, why: str, reason: TaskDetails) -> None:
    open_task(
        work,
        clinic_id=case.catalogue.clinic_id,
        kind=TaskKind.CALENDAR,
        says=TaskSays.NOT_TAKEN_ON,
        details={
            "name": case.name,
            "practitioner": case.practitioner.name,
            "kinds": " / ".join(case.booking.kinds) or "–",
            "visit_at": case.booking.starts_at.astimezone(case.catalogue.zone),
            **reason,
        },
        now=case.now,
        phone=case.phone,
        subject=_subject(case),
    )
    _note(work, case, outcome=f"refused: {why}")
    log.info("calendar.booking.not_taken_on", link_id=case.link.id, why=why)


def _subject(case: _Case) -> str:
    return f"calendar-booking:{origin_of(case.link.id, case.event.href)}"


def _note(work: UnitOfWork, case: _Case, *, outcome: str, appointment_id: str | None = None) -> None:
    note_action(
        work,
        link_id=case.link.id,
        action="taken-on",
        outcome=outcome,
        now=case.now,
        appointment_id=appointment_id,
        href=case.event.href,
        actor=case.actor,
    )


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("-", " ").replace("_", " ").split())
