"""What staff fill in about a patient, read with care: what can't be meant is said field by field, and nothing is lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from werkzeug.datastructures import MultiDict

from booking.patient_record import PatientChanges
from kernel.errors import Malformed
from kernel.mail import read_address
from kernel.phone import to_e164

LONGEST_NAME = 200
_LONGEST_ADDRESS = 500
_MOST_CONTACTS = 10
_OLDEST_YEARS = 130


@dataclass(frozen=True)
class Known:
    """What limits what may be meant: where numbers without a prefix are from, the clinic's languages, and today."""

    country: str
    languages: Sequence[str]
    today: date
    has_birth_date: bool = False  # on file: it can be put right, not removed


@dataclass(frozen=True)
class PatientForm:
    """A form as it was filled in. `problems`: by field, the key of the sentence that says what is wrong."""

    name: str = ""
    birth_date: str = ""
    language: str = ""
    address: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    is_complete: bool = False
    problems: Mapping[str, str] = field(default_factory=dict)
    read: PatientChanges | None = None  # what is meant; None where there are problems


def read_form(form: MultiDict[str, str], known: Known) -> PatientForm:
    """Return the form with what it means, or with what is wrong with it."""
    given = PatientForm(
        name=" ".join(form.get("name", "").split()),
        birth_date=form.get("birth_date", "").strip(),
        language=form.get("language", ""),
        address=form.get("address", "").strip()[:_LONGEST_ADDRESS],
        phones=_filled(form.getlist("phone")),
        emails=_filled(form.getlist("email")),
        is_complete="is_complete" in form,
    )
    problems: dict[str, str] = {}
    if not any(letter.isalpha() for letter in given.name):
        problems["name"] = "patients.name_missing"
    elif len(given.name) > LONGEST_NAME:
        problems["name"] = "patients.name_long"
    born = _birth_date(given.birth_date, known, problems)
    if given.language and given.language not in known.languages:
        problems["language"] = "patients.language_unknown"
    phones = [to_e164(each, country=known.country) for each in given.phones]
    if None in phones:
        problems["phone"] = "patients.phone_unreadable"
    emails = [_address(each) for each in given.emails]
    if None in emails:
        problems["email"] = "patients.email_unreadable"
    if problems:
        return replace(given, problems=problems)
    changes = PatientChanges(
        name=given.name,
        birth_date=born,
        language=given.language or None,
        address=given.address or None,
        phones=tuple(dict.fromkeys(each for each in phones if each)),
        emails=tuple(dict.fromkeys(each for each in emails if each)),
        is_placeholder=False if given.is_complete else None,
    )
    return replace(given, read=changes)


def _birth_date(text: str, known: Known, problems: dict[str, str]) -> date | None:
    if not text:
        if known.has_birth_date:
            problems["birth_date"] = "patients.birth_date_stays"
        return None
    try:
        born = date.fromisoformat(text)
    except ValueError:
        problems["birth_date"] = "patients.birth_date_unreadable"
        return None
    if born.year < known.today.year - _OLDEST_YEARS or born > known.today:
        problems["birth_date"] = "patients.birth_date_implausible"
    return born


def _address(text: str) -> str | None:
    try:
        return read_address(text)
    except Malformed:
        return None


def _filled(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(value for each in values[:_MOST_CONTACTS] if (value := each.strip()[:LONGEST_NAME]))
