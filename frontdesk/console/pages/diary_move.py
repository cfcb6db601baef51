"""Another time for a visit: dragged there in the diary, or chosen on a page. A wish without a time gets its first one."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking import ledger
from booking.desk.requests import grant_proposal
from booking.guard import SlotTaken
from booking.hold import place_hold
from booking.queries import find_slots
from booking.reschedule import reschedule
from booking.rules import AlreadyOver
from booking.values import AppointmentStatus, BookedVisit, Catalogue, LocationInfo, PractitionerInfo, SlotQuery, Source
from frontdesk.console.free_times import FreeTime, WhyNot, exactly_at, free_times, picked_time, why_not
from frontdesk.console.pages.diary_changes import ChangedMeanwhile, check_unchanged, lock_visit, our_visit
from frontdesk.console.pages.diary_forms import (
    PROBLEM,
    actor,
    day_asked,
    flash_refusal,
    moment_asked,
    page_to_go_back_to,
    person_asked,
    place_asked,
    say,
    second_time,
    time_asked,
    zone_asked,
)
from frontdesk.console.reads.visits import visits_by_id
from frontdesk.console.services import ConsoleServices
from frontdesk.console.words import page_words
from kernel.errors import Refused
from kernel.interval import Interval
from kernel.work import UnitOfWork

_LOOKED_AHEAD = timedelta(days=28)


def add_moving(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/appointments/<id>/move`."""

    @blueprint.get("/appointments/<appointment_id>/move")
    def other_times(appointment_id: str) -> ResponseReturnValue:
        return _page(services, appointment_id)

    @blueprint.post("/appointments/<appointment_id>/move")
    def move_appointment(appointment_id: str) -> ResponseReturnValue:
        with services.db.read() as session:
            entry = our_visit(session, appointment_id)
            catalogue = services.catalogues.get(session, clinic_id=entry.clinic_id)
        target = _target(catalogue, entry.visit)
        if target is None:
            return _page(services, appointment_id, problem=page_words()("move.no_such_time"))
        try:
            services.db.run(lambda work: _move(work, catalogue, appointment_id, target))
        except ChangedMeanwhile:
            flash(page_words()("appointment.changed_meanwhile"), PROBLEM)
            return redirect(url_for("console.appointment", appointment_id=appointment_id))
        except Refused as refusal:
            return _page(services, appointment_id, target=target, refusal=refusal)
        local = target.starts_at.astimezone(target.place.zone)
        flash(page_words()("move.done", time=g.dates.day_and_time(local)))
        return redirect(page_to_go_back_to(url_for("console.appointment", appointment_id=appointment_id)))


@dataclass(frozen=True)
class _Target:
    """Where the visit is to go. `person`: None for the best of all who are able."""

    starts_at: datetime
    place: LocationInfo
    person: PractitionerInfo | None
    override_reason: str | None

    @property
    def people(self) -> tuple[str, ...]:
        return () if self.person is None else (self.person.id,)


def _target(catalogue: Catalogue, visit: BookedVisit) -> _Target | None:
    """Return what the form asks for: a free time it was shown, or a time of its own. None where there is no such time."""
    form = request.form
    override_reason = form.get("override_reason", "").strip() or None
    picked = picked_time(catalogue, form.get("slot", ""))
    if picked is not None:
        return _Target(picked.starts_at, picked.place, picked.person, override_reason)
    place = place_asked(catalogue, form.get("location")) or catalogue.location(visit.location_id)
    day, at = day_asked(form.get("day")), time_asked(form.get("time"))
    zone = zone_asked(catalogue, form.get("zone"), place)
    starts_at = None if at is None else moment_asked(day, at, zone, is_second=form.get("is_second") == "1")
    if starts_at is None:
        return None
    person = person_asked(catalogue, form.get("practitioner"))
    if person is None and form.get("practitioner") is None and visit.practitioner_id:
        person = catalogue.practitioner(visit.practitioner_id)
    return _Target(starts_at, place, person, override_reason)


def _move(work: UnitOfWork, catalogue: Catalogue, appointment_id: str, target: _Target) -> None:
    entry = lock_visit(work, appointment_id)
    visit = entry.visit
    if _is_there(visit, target):
        return  # sent twice
    check_unchanged(entry)
    if visit.status is AppointmentStatus.PROPOSED:
        _grant(work, catalogue, visit, target)
        return
    if visit.is_hold or visit.status not in {AppointmentStatus.BOOKED, AppointmentStatus.PENDING}:
        raise ledger.VisitClosed(status=str(visit.status))
    if visit.starts_at <= g.now:
        raise AlreadyOver(starts_at=visit.starts_at.isoformat())
    hold = place_hold(
        work,
        catalogue,
        service_id=visit.service_id,
        location_id=target.place.id,
        starts_at=target.starts_at,
        practitioner_ids=target.people,
        conversation_id=None,
        patient_id=visit.patient_id,
        source=Source.STAFF,
        now=g.now,
        replaces_appointment_id=visit.id,
        duration=_own_length(catalogue, visit),
        place=visit.place,
        expires_at=g.now + timedelta(minutes=1),
        actor=actor(),
        override_reason=target.override_reason,
    )
    reschedule(
        work,
        catalogue,
        appointment_id=visit.id,
        hold_id=hold.id,
        now=g.now,
        actor=actor(),
        source=Source.STAFF,
        override_reason=target.override_reason,
    )


def _grant(work: UnitOfWork, catalogue: Catalogue, visit: BookedVisit, target: _Target) -> None:
    person_id = None if target.person is None else target.person.id
    if person_id is None:
        query = SlotQuery(visit.service_id, exactly_at(target.starts_at), location_ids=(visit.location_id,))
        free = find_slots(work.session, catalogue, query=query, now=g.now)
        if not free:
            raise SlotTaken
        person_id = free[0].practitioner_id
    grant_proposal(
        work,
        catalogue,
        appointment_id=visit.id,
        starts_at=target.starts_at,
        practitioner_id=person_id,
        now=g.now,
        actor=actor(),
        override_reason=target.override_reason,
    )


def _is_there(visit: BookedVisit, target: _Target) -> bool:
    is_same = visit.starts_at == target.starts_at and visit.location_id == target.place.id
    return is_same and visit.status is AppointmentStatus.BOOKED and target.people in {(), (visit.practitioner_id,)}


def _own_length(catalogue: Catalogue, visit: BookedVisit) -> timedelta | None:
    is_flexible = catalogue.service(visit.service_id).longest is not None
    return visit.ends_at - visit.starts_at if is_flexible and visit.practitioner_id else None


def _page(
    services: ConsoleServices,
    appointment_id: str,
    *,
    target: _Target | None = None,
    refusal: Refused | None = None,
    problem: str | None = None,
) -> ResponseReturnValue:
    """Show the times that can be had, and why the one that was asked for can't."""
    with services.db.read() as session:
        entry = our_visit(session, appointment_id)
        catalogue = services.catalogues.get(session, clinic_id=entry.clinic_id)
        shown = visits_by_id(session, clinic_id=entry.clinic_id, appointment_ids=[appointment_id])[0]
        if not shown.may_move and entry.visit.status is not AppointmentStatus.PROPOSED:
            flash_refusal(ledger.VisitClosed(status=str(entry.visit.status)), catalogue)
            return redirect(url_for("console.appointment", appointment_id=appointment_id))
        search = _Search.of(catalogue, entry.visit, target)
        no = None
        if refusal is not None and target is not None:
            no = search.why_not(session, refusal, target.starts_at)
        times = search.times(session)
    asked_at = (entry.visit.starts_at if target is None else target.starts_at).astimezone(search.place.zone)
    return render_template(
        "console/diary_move.html",
        visit=shown,
        is_wish=entry.visit.status is AppointmentStatus.PROPOSED,
        place=search.place,
        person=search.person,
        places=catalogue.locations,
        people=search.able,
        asked=asked_at,
        second_time=second_time(asked_at),
        times=times,
        no=no,
        refusals=[] if no is None else [say(one, catalogue, place=search.place) for one in no.refusals],
        problem=problem,
        back=request.values.get("back", ""),
    )


@dataclass(frozen=True)
class _Search:
    """Where, with whom and from when on times for the visit are looked for."""

    catalogue: Catalogue
    visit: BookedVisit
    place: LocationInfo
    person: PractitionerInfo | None
    from_at: datetime

    @staticmethod
    def of(catalogue: Catalogue, visit: BookedVisit, target: _Target | None) -> "_Search":
        place, person = _wanted(catalogue, visit, target)
        return _Search(catalogue, visit, place, person, max(g.now, _day_shown(visit, target, place)))

    @property
    def able(self) -> list[PractitionerInfo]:
        """Who gives the service."""
        service = self.catalogue.service(self.visit.service_id)
        return [one for one in self.catalogue.practitioners if self.catalogue.offers(one, service)]

    def times(self, session: Session) -> list[tuple[date, list[FreeTime]]]:
        query = self._query(Interval(self.from_at, self.from_at + _LOOKED_AHEAD))
        return free_times(session, self.catalogue, query=query, now=g.now, replaces_id=self._replaces_id)

    def why_not(self, session: Session, refusal: Refused, starts_at: datetime) -> WhyNot:
        return why_not(
            session,
            self.catalogue,
            refusal=refusal,
            query=self._query(exactly_at(starts_at)),
            now=g.now,
            patient_id=self.visit.patient_id,
            replaces_id=self._replaces_id,
        )

    @property
    def _replaces_id(self) -> str | None:
        return self.visit.id if self.visit.practitioner_id else None

    def _query(self, span: Interval) -> SlotQuery:
        people = () if self.person is None else (self.person.id,)
        length = _own_length(self.catalogue, self.visit)
        return SlotQuery(self.visit.service_id, span, people, (self.place.id,), length, self.visit.place)


def _wanted(
    catalogue: Catalogue, visit: BookedVisit, target: _Target | None
) -> tuple[LocationInfo, PractitionerInfo | None]:
    """Return where and with whom times are looked for: as was asked, and at first as it is."""
    if target is not None:
        return target.place, target.person
    place = place_asked(catalogue, request.values.get("location")) or catalogue.location(visit.location_id)
    asked = request.values.get("practitioner")
    if asked is not None:
        return place, person_asked(catalogue, asked)
    return place, next((one for one in catalogue.practitioners if one.id == visit.practitioner_id), None)


def _day_shown(visit: BookedVisit, target: _Target | None, place: LocationInfo) -> datetime:
    """Return the moment from which on times are shown: the beginning of the day that is asked about."""
    if target is not None:
        day = target.starts_at.astimezone(place.zone).date()
    elif request.values.get("day"):
        day = day_asked(request.values.get("day"))
    else:
        day = visit.starts_at.astimezone(place.zone).date()
    return datetime(day.year, day.month, day.day, tzinfo=place.zone)
