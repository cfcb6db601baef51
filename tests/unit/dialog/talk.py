"""A conversation with the policy alone: commands go in, acts come out, and the diary is a list in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from booking.nearest import Wish, nearest
from booking.reasons import Circumstances, reasons
from booking.values import (
    AppointmentId,
    AppointmentStatus,
    BookedVisit,
    Catalogue,
    PatientId,
    ServiceInfo,
    Slot,
    Source,
)
from dialog import commands as c
from dialog import hours, offers, policy
from dialog.acts import Act, Say
from dialog.draft import Decision, Setting
from dialog.errands import (
    CancelAppointment,
    ConfirmHold,
    Effect,
    FindTimes,
    Held,
    KeepEmail,
    ListVisits,
    MatchCaller,
    MoveAppointment,
    NoteConfirmed,
    OnWaitingList,
    OpenTask,
    PatientFound,
    PlaceHold,
    RefusedBy,
    RegisterPatient,
    ReleaseHold,
    Request,
    Result,
    TimesFound,
    VerifyPatient,
    VisitsListed,
    VisitWritten,
    WaitForTime,
)
from dialog.inbound import Channel, InboundKind
from dialog.interpreter import Asked
from dialog.policy import Heard
from dialog.state import DialogState, from_json, to_json
from dialog.timewords import DayRange, TimeWish
from dialog.why_not import questions
from dialog.wording.render import render
from kernel.interval import wall_to_instant
from tests.support.clinics import elm_catalogue

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)  # Wednesday, 10:00 at the clinic
ANN, BOB = "patient-ann", "patient-bob"
ANNS_NUMBER = "+12125550123"


def on(day: date, *, at: int | None = None) -> c.GiveTime:
    """Wish for a day, and an exact time in minutes after midnight."""
    return c.GiveTime(TimeWish(days=(DayRange(day, day + timedelta(days=1)),), at_minute=at))


def wall(text: str) -> datetime:
    """Read a wall time, "2027-03-15T09:00"."""
    return datetime.fromisoformat(text)


@dataclass
class Diary:
    """The clinic's diary in memory: free is what is worked and not taken."""

    catalogue: Catalogue
    now: datetime = NOW
    people: dict[str, tuple[str, date]] = field(
        default_factory=lambda: {ANN: ("Ann Smith", date(1984, 5, 2)), BOB: ("Robert Jones", date(1959, 11, 30))}
    )
    visits: dict[str, BookedVisit] = field(default_factory=dict)
    hold: BookedVisit | None = None
    tasks: list[OpenTask] = field(default_factory=list)
    emails: list[KeepEmail] = field(default_factory=list)
    registered: list[RegisterPatient] = field(default_factory=list)
    refuse_next: RefusedBy | None = None
    asked_for: list[Request] = field(default_factory=list)

    def book(self, patient_id: str, service: str, person: str, place: str, wall: datetime) -> BookedVisit:
        """Write a visit into the diary."""
        slot = self._slot(service, person, place, wall)
        visit = self._visit(slot, AppointmentStatus.BOOKED, patient_id)
        self.visits[visit.id] = visit
        return visit

    def take(self, service: str, person: str, place: str, wall: datetime) -> None:
        """Let somebody else book the time."""
        self.book("patient-other", service, person, place, wall)

    def apply(self, effect: Effect) -> None:
        if isinstance(effect, OpenTask):
            if effect.subject is None or effect.subject not in {one.subject for one in self.tasks}:
                self.tasks.append(effect)
        elif isinstance(effect, ReleaseHold):
            self.hold = None
        else:
            self.emails.append(effect)

    def carry_out(self, request: Request) -> Result:  # noqa: C901 - one line a request
        self.asked_for.append(request)
        if self.refuse_next is not None:
            refusal, self.refuse_next = self.refuse_next, None
            return refusal
        match request:
            case FindTimes():
                return self._find(request)
            case PlaceHold():
                return self._hold(request)
            case ConfirmHold(patient_id=patient_id):
                return self._confirm(patient_id)
            case MoveAppointment(appointment_id=appointment_id):
                return self._move(appointment_id)
            case CancelAppointment(appointment_id=appointment_id):
                self.visits[appointment_id] = replace(self.visits[appointment_id], status=AppointmentStatus.CANCELLED)
                return VisitWritten(self.visits[appointment_id])
            case NoteConfirmed(appointment_id=appointment_id):
                return VisitWritten(self.visits[appointment_id])
            case VerifyPatient(name=name, birth_date=born):
                return PatientFound(next((one for one, known in self.people.items() if known == (name, born)), None))
            case MatchCaller(name=name, patient_ids=ids, birth_date=born):
                known = {one: self.people[one] for one in ids}
                fits = [one for one, (called, when) in known.items() if name in {None, called} and born in {None, when}]
                is_doubtful = not fits and any(name in {None, called} for called, _ in known.values())
                return PatientFound(fits[0] if fits else None, is_doubtful=is_doubtful)
            case RegisterPatient():
                self.registered.append(request)
                return PatientFound("patient-new")
            case ListVisits(patient_id=patient_id, past=past):
                mine = [one for one in self.visits.values() if one.patient_id == patient_id]
                mine = [one for one in mine if (one.starts_at < self.now) is past]
                return VisitsListed(tuple(sorted(mine, key=lambda one: one.starts_at, reverse=past)))
            case WaitForTime(service_id=service_id):
                return OnWaitingList("entry-1", service_id or "service-cleaning")

    def _find(self, request: FindTimes) -> TimesFound:
        limits = offers.Limits(request.not_before, request.not_after)
        free = self._free(request.service_id, request.able_ids)
        wanted = [one for one in free if one.practitioner_id in request.wanted_ids]
        if request.location_ids:
            wanted = [one for one in wanted if one.location_id in request.location_ids]
        fitting = offers.meeting(wanted, request.wish, limits, catalogue=self.catalogue)
        if fitting:
            return TimesFound(offers.thinned(fitting, request.wish, catalogue=self.catalogue))
        return self._why_not(request, free)

    def _why_not(self, request: FindTimes, free: list[Slot]) -> TimesFound:
        """Ask the engine's pure part, on the diary in memory."""
        told = TimesFound(())
        for question in questions(request, catalogue=self.catalogue, now=self.now):
            wish = Wish(question.windows, question.query.practitioner_ids, question.query.location_ids)
            near = nearest(self.catalogue, filter(question.suits, free), wish, now=self.now)
            known = Circumstances(self.catalogue, question.query, wish, self.now, self._busy())
            told = TimesFound((), tuple(RefusedBy(one.code, one.fields) for one in reasons(known)), near)
            if near:
                break
        return told

    def _busy(self) -> dict[str, list[tuple[int, int]]]:
        busy: dict[str, list[tuple[int, int]]] = {}
        for one in self.visits.values():
            if one.status is AppointmentStatus.BOOKED:
                schedule_id = self.catalogue.practitioner(one.practitioner_id).schedule_id
                span = int(one.starts_at.timestamp()), int(one.ends_at.timestamp())
                busy.setdefault(schedule_id, []).append(span)
        return busy

    def _free(self, service_id: str, people: Sequence[str]) -> list[Slot]:
        service = self.catalogue.service(service_id)
        found = []
        for practitioner in (self.catalogue.practitioner(one) for one in people):
            for offset in range(28):
                day = NOW.date() + timedelta(days=offset)
                for place in self.catalogue.locations:
                    for worked in hours.works_on(practitioner, place, day):
                        found += self._starting_in(worked, service, practitioner.id, place.id)
        return sorted(found)

    def _starting_in(
        self, worked: hours.Opening, service: ServiceInfo, practitioner_id: str, location_id: str
    ) -> Iterator[Slot]:
        start = worked.start
        while start + service.duration <= worked.end:
            begins = datetime.combine(worked.day, time()) + start
            slot = self._slot_at(service.id, practitioner_id, location_id, begins)
            if slot.starts_at >= self.now + timedelta(hours=2) and not self._is_taken(slot):
                yield slot
            start += timedelta(minutes=15)

    def _is_taken(self, slot: Slot) -> bool:
        live = [one for one in self.visits.values() if one.status is AppointmentStatus.BOOKED]
        return any(
            one.practitioner_id == slot.practitioner_id
            and one.starts_at < slot.ends_at
            and slot.starts_at < one.ends_at
            for one in live
        )

    def _hold(self, request: PlaceHold) -> Result:
        start = request.starts_at
        ends = start + self.catalogue.service(request.service_id).duration
        for person in request.practitioner_ids:
            slot = Slot(start, person, request.location_id, request.service_id, ends)
            if not self._is_taken(slot):
                self.hold = self._visit(slot, AppointmentStatus.PENDING, request.patient_id)
                return Held(self.hold)
        return RefusedBy("slot-taken", {}, is_lost=True)

    def _confirm(self, patient_id: str) -> Result:
        if self.hold is None:
            return RefusedBy("not-held", {})
        slot = Slot(
            self.hold.starts_at,
            self.hold.practitioner_id,
            self.hold.location_id,
            self.hold.service_id,
            self.hold.ends_at,
        )
        if self._is_taken(slot):
            return RefusedBy("slot-taken", {}, is_lost=True)
        booked = replace(self.hold, status=AppointmentStatus.BOOKED, patient_id=PatientId(patient_id))
        self.visits[booked.id], self.hold = booked, None
        return VisitWritten(booked)

    def _move(self, appointment_id: str) -> VisitWritten:
        assert self.hold is not None
        moved = replace(
            self.visits[appointment_id],
            starts_at=self.hold.starts_at,
            ends_at=self.hold.ends_at,
            practitioner_id=self.hold.practitioner_id,
            location_id=self.hold.location_id,
        )
        self.visits[appointment_id], self.hold = moved, None
        return VisitWritten(moved)

    def _slot(self, service: str, person: str, place: str, wall: datetime) -> Slot:
        return self._slot_at(f"service-{service}", f"practitioner-{person}", f"location-{place}", wall)

    def _slot_at(self, service_id: str, person_id: str, place_id: str, wall: datetime) -> Slot:
        start = wall_to_instant(wall, self.catalogue.location(place_id).zone)
        return Slot(start, person_id, place_id, service_id, start + self.catalogue.service(service_id).duration)

    def _visit(self, slot: Slot, status: AppointmentStatus, patient_id: str | None) -> BookedVisit:
        number = len(self.visits) + 1
        return BookedVisit(
            id=AppointmentId(f"visit-{number}"),
            uid=f"uid-{number}",
            sequence=0,
            status=status,
            service_id=slot.service_id,
            practitioner_id=slot.practitioner_id,
            location_id=slot.location_id,
            patient_id=PatientId(patient_id) if patient_id else None,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            hold_expires_at=None,
            source=Source.SMS,
        )


class Talk:
    """One conversation. The state goes through JSON between two turns, as it does in the product."""

    def __init__(
        self,
        *,
        channel: Channel = Channel.SMS,
        caller: str | None = ANNS_NUMBER,
        number_patients: tuple[str, ...] = (ANN,),
        now: datetime = NOW,
        language: str = "en",
    ) -> None:
        self.catalogue = elm_catalogue()
        self.diary = Diary(self.catalogue)
        self.channel, self.caller, self.now = channel, caller, now
        self.state = DialogState(language=language, number_patients=number_patients)
        self.decision = Decision(self.state)

    def hear(self, *commands: c.Command, text: str = "some words", confidence: float = 1.0) -> str:
        """Let the patient mean `commands`; return the reply."""
        return self._turn(Heard(InboundKind.SAID, text, commands, confidence))

    def press(self, digits: str) -> str:
        return self._turn(Heard(InboundKind.KEYS, digits))

    def event(self, kind: InboundKind) -> str:
        """Let something happen that has no words."""
        return self._turn(Heard(kind))

    def later(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by
        self.diary.now = self.now

    @property
    def said(self) -> list[Say]:
        return [one.say for one in self.decision.acts]

    @property
    def acts(self) -> tuple[Act, ...]:
        return self.decision.acts

    @property
    def asked(self) -> Asked:
        return self.state.asked

    def offered(self) -> list[datetime]:
        """The starts on offer, in wall time of their places."""
        return [
            hours.wall_time(one.offer.starts_at, self.catalogue.location(one.offer.location_id))
            for one in self.state.choices
            if one.offer
        ]

    def booked(self) -> list[BookedVisit]:
        return [
            one
            for one in self.diary.visits.values()
            if one.status is AppointmentStatus.BOOKED and one.patient_id != "patient-other"
        ]

    def _turn(self, heard: Heard) -> str:
        setting = Setting(self.catalogue, self.now, self.channel, self.caller)
        decision = policy.hear(from_json(to_json(self.state)), setting, heard)
        for _ in range(20):
            for effect in decision.effects:
                self.diary.apply(effect)
            if decision.request is None:
                break
            decision = policy.take_result(decision, setting, self.diary.carry_out(decision.request))
        self.decision, self.state = decision, decision.state
        return render(decision.acts, catalogue=self.catalogue, channel=self.channel, language=decision.state.language)
