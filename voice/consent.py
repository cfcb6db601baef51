"""Asking before a call is recorded: nothing is, unless the caller said yes to it. Whatever else they say is a no.

All parties have to agree in many places, so a notice alone would not do; and somebody who comes straight to the point is
heard, not asked again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from ruamel.yaml import YAML
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.values import Catalogue
from dialog.languages import SPOKEN, first_language
from kernel.work import UnitOfWork
from voice.model import Call, CallRecording

_YES_KEY, _NO_KEY = "1", "2"


class Consent(StrEnum):
    """Whether a caller agreed to be recorded."""

    ASKED = "asked"
    GIVEN = "given"
    REFUSED = "refused"


@dataclass(frozen=True)
class Question:
    """What a caller is asked. `version` says which wording it is."""

    text: str
    language: str
    version: str


def question(catalogue: Catalogue) -> Question:
    """Return what is asked at the beginning of a call, in the clinic's first language."""
    language = first_language(catalogue, of_patients=())
    words = _words(language)
    return Question(words["ask"].format(clinic=catalogue.name), language, f"{language}:{words['version']}")


def read_answer(*, said: str, keys: str) -> Consent | None:
    """Return what an answer means in any language, None for words that are about something else."""
    if keys:
        return {_YES_KEY: Consent.GIVEN, _NO_KEY: Consent.REFUSED}.get(keys)
    spoken = set(re.findall(r"[\w']+", said.lower()))
    for language in SPOKEN:
        words = _words(language)
        for consent, first, others in ((Consent.GIVEN, "yes", "with_yes"), (Consent.REFUSED, "no", "with_no")):
            if spoken & set(words[first]) and spoken <= {*words[first], *words[others]}:
                return consent
    return None


def note_question(work: UnitOfWork, *, call_sid: str, thread_hash: str, version: str, now: datetime) -> None:
    """Keep that a caller is asked, and in which words. `thread_hash` is what the dialog finds the call by."""
    call = work.session.get_one(Call, call_sid)
    if call.recording_consent is None:
        call.recording_consent, call.consent_at = Consent.ASKED.value, now
        call.consent_version, call.thread_hash = version, thread_hash


def note_answer(work: UnitOfWork, *, call_sid: str, consent: Consent, now: datetime) -> Consent:
    """Keep what a caller answered and return it. The first answer stands: the vendor may deliver it twice."""
    work.session.execute(
        update(Call)
        .where(Call.call_sid == call_sid, Call.recording_consent == Consent.ASKED.value)
        .values(recording_consent=consent.value, consent_at=now)
    )
    stored = work.session.scalar(select(Call.recording_consent).where(Call.call_sid == call_sid))
    return Consent(stored) if stored else Consent.REFUSED


def note_recording(
    work: UnitOfWork, *, call_sid: str, recording_sid: str, duration_s: int | None, now: datetime
) -> bool:
    """Keep that the vendor has a recording; False for one that nobody agreed to, of which nothing is kept. Twice is once."""
    call = work.session.get(Call, call_sid)
    if call is None or call.recording_consent != Consent.GIVEN:
        return False
    if work.session.get(CallRecording, recording_sid) is None:
        work.session.add(
            CallRecording(
                recording_sid=recording_sid,
                call_sid=call_sid,
                clinic_id=call.clinic_id,
                duration_s=duration_s,
                created_at=now,
            )
        )
        work.session.flush()
    return True


def find_recording(session: Session, *, clinic_id: str, recording_sid: str) -> CallRecording | None:
    """Return a recording of the clinic's."""
    return session.scalar(
        select(CallRecording).where(CallRecording.clinic_id == clinic_id, CallRecording.recording_sid == recording_sid)
    )


@cache
def _words(language: str) -> Mapping[str, Any]:
    source = resources.files("voice.words").joinpath(f"{language}.yaml")
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(source.read_text(encoding="utf-8"))
    return loaded
