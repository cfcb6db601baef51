"""Waiting for a time that is not free: a wish of a conversation becomes an entry of the clinic's waiting list."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from booking import queries
from booking.values import AppointmentStatus, BookedVisit, Catalogue, SlotQuery, Source
from booking.waiting_list.waitlist import entries_of_patient, join_waitlist, leave_waitlist
from dialog.errands import OnWaitingList, RefusedBy, WaitForTime
from dialog.wished_spans import cut_off, is_worked_in
from kernel.errors import Refused
from kernel.interval import Interval
from kernel.work import UnitOfWork

_NOTHING_TO_WAIT_FOR = RefusedBy("nothing-to-wait-for", {})


@dataclass(frozen=True)
class Awaiting:
    """The waiting list in the hands of one turn."""

    work: UnitOfWork
    catalogue: Catalogue
    conversation_id: str
    source: Source
    now: datetime

    def join(self, request: WaitForTime) -> OnWaitingList | RefusedBy:
        """Put the patient on the list for times that are not free now. Raises what `join_waitlist` does."""
        if request.service_id is None:
            booked = self._booked_here(request.patient_id)
            if booked is None:
                return _NOTHING_TO_WAIT_FOR
            return self._enter(request, booked.service_id, request.spans, replaces=booked.id)
        spans = request.spans
        if request.replaces_id is None:
            spans = self._before_what_is_free(request, request.service_id)
            if not spans:
                return _NOTHING_TO_WAIT_FOR
        return self._enter(request, request.service_id, spans, replaces=request.replaces_id)

    def follow(self, booked: BookedVisit, *, patient_id: str) -> None:
        """Let those who wait, by this conversation, for the service that was booked now wait for another time of that visit.

        They would have two visits else. Where the clinic's rules do not let them, they wait no more.
        """
        theirs = entries_of_patient(
            self.work.session, clinic_id=self.catalogue.clinic_id, patient_id=patient_id, now=self.now
        )
        for entry in theirs:
            made_here = entry.conversation_id == self.conversation_id
            if not made_here or entry.replaces_id is not None or entry.service_id != booked.service_id:
                continue
            leave_waitlist(self.work, clinic_id=self.catalogue.clinic_id, entry_id=entry.id, now=self.now)
            wish = WaitForTime(patient_id, entry.service_id, entry.practitioner_ids, entry.location_ids)
            with contextlib.suppress(Refused):
                self._enter(wish, entry.service_id, entry.spans, replaces=booked.id)

    def _before_what_is_free(self, request: WaitForTime, service_id: str) -> tuple[Interval, ...]:
        """Cut the spans off before the first time in them that can be had now: that one needs no waiting for."""
        hull = Interval(min(span.start for span in request.spans), max(span.end for span in request.spans))
        free = queries.find_slots(
            self.work.session,
            self.catalogue,
            query=SlotQuery(service_id, hull, request.practitioner_ids, request.location_ids),
            now=self.now,
            conversation_id=self.conversation_id,
        )
        return cut_off(request.spans, [slot.starts_at for slot in free])

    def _enter(
        self, request: WaitForTime, service_id: str, spans: Sequence[Interval], *, replaces: str | None
    ) -> OnWaitingList | RefusedBy:
        if spans and not self._is_worked_in(spans, request, service_id):
            return _NOTHING_TO_WAIT_FOR
        entry_id = join_waitlist(
            self.work,
            self.catalogue,
            patient_id=request.patient_id,
            service_id=service_id,
            practitioner_ids=request.practitioner_ids,
            location_ids=request.location_ids,
            spans=spans,
            replaces_id=replaces,
            conversation_id=self.conversation_id,
            source=self.source,
            now=self.now,
        )
        return OnWaitingList(entry_id, service_id)

    def _is_worked_in(self, spans: Sequence[Interval], request: WaitForTime, service_id: str) -> bool:
        """Say whether anybody works then who could give it: else nothing can ever come free."""
        service = self.catalogue.service(service_id)
        people = [
            one
            for one in self.catalogue.practitioners
            if self.catalogue.offers(one, service)
            and (not request.practitioner_ids or one.id in request.practitioner_ids)
        ]
        return any(is_worked_in(span, people, service, request.location_ids, self.catalogue) for span in spans)

    def _booked_here(self, patient_id: str) -> BookedVisit | None:
        """Return the one visit to come that the patient booked in this conversation."""
        stands = {AppointmentStatus.BOOKED, AppointmentStatus.PENDING}
        visits = [
            one
            for one in queries.visits_of_conversation(self.work.session, conversation_id=self.conversation_id)
            if one.patient_id == patient_id and one.status in stands and not one.is_hold and one.starts_at > self.now
        ]
        return visits[0] if len(visits) == 1 else None
