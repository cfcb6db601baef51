"""Gather what the rules look at, and lock what keeps it true."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from booking import taken
from booking.availability import Wanted, can_start, starts_without_resources
from booking.model.patient import Patient
from booking.rules import Facts
from booking.values import PractitionerInfo
from kernel.interval import Interval, day_interval
from kernel.work import UnitOfWork


def time_facts(wanted: Wanted, candidates: Sequence[PractitionerInfo], *, starts_at: datetime, now: datetime) -> Facts:
    """Return what the catalogue says about a visit at `starts_at` with one of `candidates`, whoever comes."""
    missing = starts_without_resources(wanted, busy={})
    return Facts(
        rules=wanted.catalogue.rules,
        now=now,
        visit=Interval(starts_at, starts_at + wanted.service.duration),
        is_offered=bool(candidates),
        is_within_hours=any(
            can_start(wanted, practitioner, starts_at=starts_at, busy={}, missing=missing)
            for practitioner in candidates
        ),
    )


def with_patient(work: UnitOfWork, facts: Facts, *, patient_id: str, zone: ZoneInfo, ignoring: Sequence[str]) -> Facts:
    """Return `facts` with what the diary says about the patient, apart from the Appointments `ignoring`.

    Locks the Patient until the end of the transaction, so that two conversations can't both find the time free for them.
    """
    locked = select(Patient.blocked).where(Patient.id == patient_id).with_for_update(key_share=True)
    is_blocked = work.session.scalars(locked).one()
    day = day_interval(facts.visit.start.astimezone(zone).date(), zone)
    around = Interval(min(day.start, facts.visit.start), max(day.end, facts.visit.end))
    visits = taken.visits_of_patient(
        work.session, patient_id=patient_id, around=around, now=facts.now, ignoring=ignoring
    )
    return dataclasses.replace(
        facts,
        patient_is_blocked=is_blocked,
        patient_visits=visits,
        patient_visits_that_day=sum(day.start <= visit.start < day.end for visit in visits),
    )
