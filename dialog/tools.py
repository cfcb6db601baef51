"""Carries out what the policy wants, through booking: with `together`, `texted_offers` and `awaiting` all of the dialog that calls it.

The clinic's refusals come back as results. Everything happens in the turn's own transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from booking import guard, patients, queries, tasks
from booking.cancel import cancel_appointment
from booking.confirm import confirm_hold, note_patient_confirmed
from booking.desk.offered_moves import accept_move, decline_move
from booking.explain import Asker, Explanation, explain
from booking.hold import place_hold, release_hold
from booking.patient_record import PatientChanges, change_patient
from booking.reminded import Reminded
from booking.reschedule import reschedule
from booking.several.groups import SessionFull, confirm_seat, holds_seats, leave_session, release_seats
from booking.task_words import TaskDetails, TaskSays
from booking.values import BookedVisit, Catalogue, ServiceInfo, Slot, SlotQuery, Source, TaskKind
from dialog import offers, texted_offers, together
from dialog.awaiting import Awaiting
from dialog.commands import Relation
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
from dialog.inbound import Channel
from dialog.offered_time import Made
from dialog.why_not import Question, questions, without_parts
from kernel.errors import Refused
from kernel.interval import Interval
from kernel.work import UnitOfWork

PATIENT = "patient"
_REASON = "asked for by the patient"
_SOURCES = {Channel.SMS: Source.SMS, Channel.VOICE: Source.PHONE, Channel.WEB: Source.WEB}


@dataclass
class Tools:
    """The hands of one turn. `writes` lists what was written, for the transcript."""

    work: UnitOfWork
    catalogue: Catalogue
    conversation_id: str
    channel: Channel
    now: datetime
    writes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def source(self) -> Source:
        return _SOURCES[self.channel]

    def carry_out(self, request: Request) -> Result:
        """Do what was requested and say what came of it. Only the clinic's refusals are results; anything else is raised."""
        try:
            return self._do(request)
        except (guard.SlotTaken, SessionFull) as refusal:
            return RefusedBy(refusal.code, refusal.fields, is_lost=True)
        except Refused as refusal:
            return RefusedBy(refusal.code, refusal.fields)

    def texted_to(self, phone: str) -> Made | Reminded | None:
        """Return what an answer from this number is about: what it was offered or reminded of by text last."""
        return texted_offers.made_to(self.work.session, clinic_id=self.catalogue.clinic_id, phone=phone, now=self.now)

    def take_offer(self, offer: Made) -> VisitWritten | RefusedBy:
        """Say yes to the time for the patient to whom it was offered."""
        answered = texted_offers.take(self.work, self.catalogue, offer, now=self.now, actor=PATIENT, source=self.source)
        if isinstance(answered, VisitWritten):
            self._note("offer taken", appointment_id=answered.visit.id, **texted_offers.named(offer))
        return answered

    def pass_on_offer(self, offer: Made) -> None:
        """Let the time go: freed time to the next in line."""
        texted_offers.let_go(self.work, self.catalogue, offer, now=self.now)
        self._note("offer declined", **texted_offers.named(offer))

    def note_coming(self, visits: Sequence[BookedVisit], *, phone: str) -> None:
        """Note that the patients of these visits will come. Of a group's session, nobody's own, staff are told."""
        for visit in visits:
            if visit.patient_id is None:
                service, zone = (
                    self.catalogue.service(visit.service_id),
                    self.catalogue.location(visit.location_id).zone,
                )
                which: TaskDetails = {"service": service.name, "visit_at": visit.starts_at.astimezone(zone)}
                subject = f"comes:{visit.id}:{self.conversation_id}"
                self.apply(
                    OpenTask(
                        TaskKind.MESSAGE,
                        TaskSays.COMES,
                        which,
                        phone=phone,
                        appointment_id=visit.id,
                        subject=subject,
                    )
                )
            elif visit.starts_at > self.now:
                note_patient_confirmed(self.work, appointment_id=visit.id, now=self.now)
                self._note("confirmed", appointment_id=visit.id)

    def apply(self, effect: Effect) -> None:
        """Do what needs no answer."""
        match effect:
            case OpenTask():
                self._open_task(effect)
            case ReleaseHold():
                release_hold(self.work, conversation_id=self.conversation_id, now=self.now)
                release_seats(self.work, conversation_id=self.conversation_id, now=self.now)
            case KeepEmail():
                self._keep_email(effect)
            case _:
                assert_never(effect)

    def _do(self, request: Request) -> Result:  # noqa: C901 -- one line a request
        match request:
            case FindTimes():
                return self._find_times(request)
            case PlaceHold():
                return self._place_hold(request)
            case ConfirmHold():
                return self._written("booked", lambda: self._confirm(request))
            case MoveAppointment():
                return self._written("moved", lambda: self._move(request))
            case CancelAppointment():
                return self._written("cancelled", lambda: self._cancel(request))
            case NoteConfirmed():
                return self._written("confirmed", lambda: self._note_confirmed(request))
            case VerifyPatient():
                return self._verify(request)
            case MatchCaller():
                return self._match(request)
            case RegisterPatient():
                return self._register(request)
            case ListVisits():
                return self._visits(request)
            case WaitForTime():
                return self._wait(request)
            case _:
                assert_never(request)

    def _find_times(self, request: FindTimes) -> TimesFound:
        limits = offers.Limits(request.not_before, request.not_after)
        elsewhere = self._elsewhere(request)
        is_elsewhere = False
        for span in offers.search_spans(request.wish, catalogue=self.catalogue, now=self.now):
            found = self._slots(request, span, request.wanted_ids, request.location_ids)
            fitting = offers.meeting(found, request.wish, limits, catalogue=self.catalogue)
            free = [slot for slot in fitting if not _is_during(slot, elsewhere)]
            if free:
                return TimesFound(self._kept(free, request))
            is_elsewhere = is_elsewhere or bool(fitting)
        told = self._why_not(request, elsewhere)
        if is_elsewhere and request.patient_id is None:
            # That it is their own visit is told to nobody who was only recognised by a number.
            return replace(told, reasons=(RefusedBy("refused", {}),))
        return told

    def _elsewhere(self, request: FindTimes) -> list[Interval]:
        """Return when the patient is at visits of their own, but for the one that is moved. One statement, none for strangers."""
        if request.own_of is None:
            return []
        visits = queries.upcoming_visits(self.work.session, patient_ids=(request.own_of,), now=self.now)
        others = (one for one in visits if one.id != request.replaces_appointment_id)
        return [Interval(one.starts_at, one.ends_at) for one in others]

    def _kept(self, slots: list[Slot], request: FindTimes) -> tuple[Slot, ...]:
        """Choose what is stored with the turn."""
        kept = offers.thinned(slots, request.wish, catalogue=self.catalogue)
        return tuple(without_parts(slot) for slot in kept)

    def _why_not(self, request: FindTimes, elsewhere: Sequence[Interval]) -> TimesFound:
        told = Explanation((), ())
        for question in questions(request, catalogue=self.catalogue, now=self.now):
            told = self._explained(question, request, elsewhere)
            if offers.nearest(told.nearest):
                break
        return TimesFound(
            (),
            tuple(RefusedBy(one.code, one.fields) for one in told.reasons),
            tuple(
                replace(one, slot=without_parts(one.slot), further=tuple(map(without_parts, one.further)))
                for one in told.nearest
            ),
        )

    def _explained(self, question: Question, request: FindTimes, elsewhere: Sequence[Interval]) -> Explanation:
        hold = self._kept_instead(request.replaces_appointment_id)
        own = question.query.span if hold is None else Interval(hold.starts_at, hold.ends_at)
        return explain(
            self.work.session,
            self.catalogue,
            query=question.query,
            now=self.now,
            windows=question.windows,
            suits=lambda slot: question.suits(slot) and not _is_during(slot, elsewhere),
            asker=Asker(
                patient_id=request.patient_id,
                conversation_id=self.conversation_id,
                replaces_appointment_id=request.replaces_appointment_id,
                kept=tuple(texted_offers.slots_kept(hold, SlotQuery(request.service_id, own))),
            ),
        )

    def _slots(
        self, request: FindTimes | PlaceHold, span: Interval, people: tuple[str, ...], places: tuple[str, ...]
    ) -> list[Slot]:
        if not people:
            return []
        query = SlotQuery(request.service_id, span, practitioner_ids=people, location_ids=places)
        found = queries.find_slots(
            self.work.session,
            self.catalogue,
            query=query,
            now=self.now,
            conversation_id=self.conversation_id,
            replaces_appointment_id=request.replaces_appointment_id,
        )
        # Whoever was asked for gives what they can, and anybody the other steps of a package: but nobody who was refused.
        found = [slot for slot in found if all(part.practitioner_id in request.able_ids for part in slot.parts)]
        return found + texted_offers.slots_kept(self._kept_instead(request.replaces_appointment_id), query)

    def _place_hold(self, request: PlaceHold) -> Held:
        service = self.catalogue.service(request.service_id)
        is_single = not (service.group or service.steps)
        if is_single and not holds_seats(self.work.session, conversation_id=self.conversation_id):
            return self._held(Held(self._hold_visit(request, service)))
        with guard.all_or_nothing(self.work):
            release_seats(self.work, conversation_id=self.conversation_id, now=self.now)
            held = self._hold_seat(request) if service.group else Held(self._hold_visit(request, service))
        return self._held(held)

    def _held(self, held: Held) -> Held:
        self._note("held", appointment_id=held.visit.id)
        return held

    def _hold_visit(self, request: PlaceHold, service: ServiceInfo) -> BookedVisit:
        return self._hold_kept(request) or (self._hold_package(request) if service.steps else self._hold_one(request))

    def _hold_kept(self, request: PlaceHold) -> BookedVisit | None:
        """Return what is held already: the time that is kept for them instead of the visit."""
        hold = self._kept_instead(request.replaces_appointment_id)
        if hold is None or not texted_offers.is_asked_for(hold, request):
            return None
        release_hold(self.work, conversation_id=self.conversation_id, now=self.now)
        return hold

    def _kept_instead(self, visit_id: str | None) -> BookedVisit | None:
        if visit_id is None:
            return None
        return texted_offers.kept_instead(self.work.session, visit_id=visit_id, now=self.now)

    def _hold_seat(self, request: PlaceHold) -> Held:
        visit, seat_id = together.hold_seat(
            self.work,
            self.catalogue,
            slot=self._chosen(request),
            patient_id=request.patient_id,
            conversation_id=self.conversation_id,
            source=self.source,
            now=self.now,
        )
        return Held(visit, seat_id)

    def _hold_package(self, request: PlaceHold) -> BookedVisit:
        return together.hold_package(
            self.work,
            self.catalogue,
            slot=self._chosen(request),
            patient_id=request.patient_id,
            conversation_id=self.conversation_id,
            source=self.source,
            now=self.now,
        )

    def _chosen(self, request: PlaceHold) -> Slot:
        """Return the chosen time as it can be had now, with the steps or the session. Raises SlotTaken."""
        moment = Interval(request.starts_at, request.starts_at + timedelta(seconds=1))
        found = self._slots(request, moment, request.practitioner_ids, (request.location_id,))
        if not found:
            raise guard.SlotTaken
        return found[0]

    def _hold_one(self, request: PlaceHold) -> BookedVisit:
        return place_hold(
            self.work,
            self.catalogue,
            service_id=request.service_id,
            location_id=request.location_id,
            starts_at=request.starts_at,
            practitioner_ids=request.practitioner_ids,
            conversation_id=self.conversation_id,
            patient_id=request.patient_id,
            source=self.source,
            now=self.now,
            replaces_appointment_id=request.replaces_appointment_id,
        )

    def _confirm(self, request: ConfirmHold) -> BookedVisit:
        if request.seat_id is not None:
            seat = confirm_seat(
                self.work,
                self.catalogue,
                seat_id=request.seat_id,
                patient_id=request.patient_id,
                now=self.now,
                actor=PATIENT,
            )
            return together.seat_visit(self.work.session, seat)
        if request.bundle_id is not None:
            return together.confirm_package(
                self.work,
                self.catalogue,
                bundle_id=request.bundle_id,
                patient_id=request.patient_id,
                now=self.now,
                actor=PATIENT,
            )
        booked = confirm_hold(
            self.work,
            self.catalogue,
            appointment_id=request.appointment_id,
            patient_id=request.patient_id,
            now=self.now,
            actor=PATIENT,
        )
        self._awaiting.follow(booked, patient_id=request.patient_id)
        return booked

    @property
    def _awaiting(self) -> Awaiting:
        return Awaiting(self.work, self.catalogue, self.conversation_id, self.source, self.now)

    def _wait(self, request: WaitForTime) -> OnWaitingList | RefusedBy:
        joined = self._awaiting.join(request)
        if isinstance(joined, OnWaitingList):
            self._note("on the waiting list", entry_id=joined.entry_id)
        return joined

    def _move(self, request: MoveAppointment) -> BookedVisit:
        kept = self._kept_instead(request.appointment_id)
        if kept is not None and kept.id == request.hold_id:
            return accept_move(
                self.work, self.catalogue, hold_id=kept.id, now=self.now, actor=PATIENT, source=self.source
            )
        moved = reschedule(
            self.work,
            self.catalogue,
            appointment_id=request.appointment_id,
            hold_id=request.hold_id,
            now=self.now,
            actor=PATIENT,
            source=self.source,
        )
        if kept is not None:
            decline_move(self.work, self.catalogue, hold_id=kept.id, now=self.now)
        return moved

    def _cancel(self, request: CancelAppointment) -> BookedVisit:
        visit = queries.visit(self.work.session, appointment_id=request.appointment_id)
        if self.catalogue.service(visit.service_id).group and visit.patient_id is None:
            return self._leave(request)
        return self._cancel_package(request) or cancel_appointment(
            self.work,
            self.catalogue,
            appointment_id=request.appointment_id,
            reason=_REASON,
            now=self.now,
            actor=PATIENT,
            source=self.source,
        )

    def _leave(self, request: CancelAppointment) -> BookedVisit:
        seat = leave_session(
            self.work,
            self.catalogue,
            session_id=request.appointment_id,
            patient_id=request.patient_id,
            now=self.now,
            actor=PATIENT,
        )
        return together.seat_visit(self.work.session, seat)

    def _cancel_package(self, request: CancelAppointment) -> BookedVisit | None:
        whole = together.package_with(self.work.session, self.catalogue, appointment_id=request.appointment_id)
        return whole and together.cancel_package(
            self.work,
            self.catalogue,
            whole=whole,
            reason=_REASON,
            now=self.now,
            actor=PATIENT,
            source=self.source,
        )

    def _note_confirmed(self, request: NoteConfirmed) -> BookedVisit:
        whole = together.package_with(self.work.session, self.catalogue, appointment_id=request.appointment_id)
        if whole is not None:
            together.note_package_confirmed(self.work, self.catalogue, whole=whole, now=self.now)
            return whole
        note_patient_confirmed(self.work, appointment_id=request.appointment_id, now=self.now)
        return queries.visit(self.work.session, appointment_id=request.appointment_id)

    def _verify(self, request: VerifyPatient) -> PatientFound:
        born_then = patients.find_by_birth_date(
            self.work.session, clinic_id=self.catalogue.clinic_id, birth_date=request.birth_date
        )
        return self._only([one.id for one in born_then if patients.names_match(request.name, one.name)])

    def _match(self, request: MatchCaller) -> PatientFound:
        known = patients.patients(self.work.session, patient_ids=request.patient_ids)
        name = request.name
        named = [one for one in known.values() if name is None or patients.names_match(name, one.name)]
        fitting = [one for one in named if request.birth_date in {None, one.birth_date}]
        if fitting:
            return self._only([one.id for one in fitting])
        return PatientFound(None, is_doubtful=any(one.birth_date is not None for one in named))

    @staticmethod
    def _only(ids: list[str]) -> PatientFound:
        """Two who fit are nobody: which of them it is can't be told by what was said."""
        return PatientFound(ids[0] if len(ids) == 1 else None)

    def _register(self, request: RegisterPatient) -> PatientFound:
        patient = patients.register_patient(
            self.work,
            clinic_id=self.catalogue.clinic_id,
            name=request.name,
            birth_date=request.birth_date,
            phone=request.phone,
            language=request.language,
            now=self.now,
            is_placeholder=request.birth_date is None or request.is_doubtful,
            booked_by=request.booked_by,
            relation=None if request.relation is Relation.SELF else request.relation.value,
            actor=PATIENT,
            source=self.source,
        )
        self._note("registered", patient_id=patient.id)
        if patient.is_placeholder:
            says = TaskSays.OTHER_BIRTH_DATE if request.is_doubtful else TaskSays.NEW_PATIENT
            who = {"name": request.name}
            self._open_task(OpenTask(TaskKind.PLACEHOLDER, says, who, phone=request.phone, patient_id=patient.id))
        return PatientFound(patient.id)

    def _visits(self, request: ListVisits) -> VisitsListed:
        find = queries.past_visits if request.past else queries.upcoming_visits
        found = find(self.work.session, patient_ids=(request.patient_id,), now=self.now)
        visits = together.put_together(self.work.session, self.catalogue, found)
        if not request.past:
            visits += together.seats_ahead(
                self.work.session, self.catalogue, patient_id=request.patient_id, now=self.now
            )
        listed = sorted(visits, key=lambda one: one.starts_at, reverse=request.past)
        return VisitsListed(tuple(one for one in listed if (one.ends_at <= self.now) is request.past))

    def _written(self, what: str, step: Callable[[], BookedVisit]) -> VisitWritten:
        visit = step()
        self._note(what, appointment_id=visit.id)
        return VisitWritten(visit)

    def _keep_email(self, effect: KeepEmail) -> None:
        change_patient(
            self.work,
            clinic_id=self.catalogue.clinic_id,
            patient_id=effect.patient_id,
            changes=PatientChanges(emails=(effect.address,)),
            now=self.now,
            actor=PATIENT,
            source=self.source,
        )
        self._note("e-mail address kept", patient_id=effect.patient_id)

    def _open_task(self, task: OpenTask) -> None:
        task_id = tasks.open_task(
            self.work,
            clinic_id=self.catalogue.clinic_id,
            kind=task.kind,
            says=task.says,
            details=task.details,
            now=self.now,
            conversation_id=self.conversation_id,
            patient_id=task.patient_id,
            appointment_id=task.appointment_id,
            phone=task.phone,
            subject=f"{self.conversation_id}:{task.subject}" if task.subject else None,
        )
        self._note(f"task {task.kind.value}", task_id=task_id)

    def _note(self, what: str, **ids: str) -> None:
        self.writes.append({"what": what, **ids})


def _is_during(slot: Slot, visits: Sequence[Interval]) -> bool:
    return any(slot.starts_at < visit.end and visit.start < slot.ends_at for visit in visits)
