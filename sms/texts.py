"""The words of texts that nobody asked for, in the language of who gets them."""

from collections import ChainMap
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from importlib import resources

from ruamel.yaml import YAML
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model.clinic import Clinic
from booking.model.patient import Patient
from booking.values import Catalogue
from dialog.inbound import Channel
from dialog.languages import first_language
from dialog.wording.moments import Moments
from dialog.wording.render import wording
from kernel.interval import zone_name


@lru_cache
def words(language: str) -> Mapping[str, str]:
    """Load the texts of `language`, once per process. Raises FileNotFoundError for a language without a file."""
    source = resources.files("sms.words").joinpath(f"{language}.yaml")
    loaded: dict[str, str] = YAML(typ="safe", pure=True).load(source.read_text(encoding="utf-8"))
    return loaded


def words_of(catalogue: Catalogue, language: str) -> Mapping[str, str]:
    """Return the texts of `language` as the clinic words them, else as we do."""
    own = {one.kind: one.text for one in catalogue.messages.wording if one.language == language}
    return ChainMap(own, dict(words(language))) if own else words(language)


def language_of(session: Session, catalogue: Catalogue, *, patient_id: str | None) -> str:
    """Return the language to write to a patient in: their own, where we and the clinic have it, else the clinic's first."""
    language = session.scalar(select(Patient.language).where(Patient.id == patient_id)) if patient_id else None
    return first_language(catalogue, of_patients=[language])


def clinic_name(session: Session, *, clinic_id: str) -> str:
    """Return what a clinic calls itself."""
    return session.scalars(select(Clinic.name).where(Clinic.id == clinic_id)).one()


def moment(starts: datetime, *, today: datetime, language: str = "en", country: str = "US") -> str:
    """Return a wall time as texts say it, with the year where that is not this one, and the name of the zone."""
    moments = Moments(dict(wording(language)["parts"]), Channel.SMS, country)
    year = "" if starts.year == today.year else f" {starts.year}"
    return f"{moments.day(starts.date())}{year}, {moments.time(starts.replace(tzinfo=None))} {zone_name(starts)}"


def clock(at: datetime, *, language: str = "en", country: str = "US") -> str:
    """Return the time of day alone."""
    return Moments(dict(wording(language)["parts"]), Channel.SMS, country).time(at)
