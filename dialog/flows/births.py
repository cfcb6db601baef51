"""A date of birth on a bad line: put together from what arrived, asked for by what is missing, read back where it may be wrong."""

from dataclasses import replace
from datetime import date

from dialog import commands as c
from dialog.acts import Say
from dialog.draft import Draft
from dialog.state import BirthParts, Person

QUESTIONS = frozenset(
    {Say.ASK_BIRTH_DATE, Say.ASK_THEIR_BIRTH_DATE, Say.BIRTH_DATE_AGAIN, Say.ASK_BIRTH_YEAR, Say.ASK_BIRTH_DAY}
)


def with_birth_date(who: Person, said: c.GiveBirthDate, *, may_be_misheard: bool) -> Person:
    """Note a date of birth, or a part of one, which goes with what is known. One that was put together, or heard badly, is not sure unless it was heard twice."""
    is_sure = said.is_sure and not may_be_misheard
    born = said.value
    if born is None:
        is_sure = False
        parts = _with_part(_known(who), said)
        born = _as_date(parts)
        if born is None:
            return replace(who, birth_date=None, birth_parts=parts)
    is_again = born == who.birth_date
    return replace(who, birth_date=born, birth_parts=BirthParts(), is_birth_date_sure=is_sure or is_again)


def misheard(who: Person) -> Person:
    """Forget a date of birth that is not theirs."""
    return replace(who, birth_date=None, birth_parts=BirthParts())


def missing(who: Person) -> Say | None:
    """Return the question for the part that is missing; None where nothing is known yet. The other part is not repeated: it may be a guess."""
    parts = who.birth_parts
    if parts.month and parts.day:
        return Say.ASK_BIRTH_YEAR
    return Say.ASK_BIRTH_DAY if parts.year else None


def to_read_back(draft: Draft, who: Person) -> str | None:
    """Return the date of birth (ISO) that a caller who is new has to hear before it is kept; None where it is sure, or can be seen."""
    is_kept = draft.flow.is_newcomer and who.birth_date is not None
    if not is_kept or not draft.is_voice or who.is_birth_date_sure or who.birth_date is None:
        return None
    return who.birth_date.isoformat()


def _known(who: Person) -> BirthParts:
    born = who.birth_date
    return who.birth_parts if born is None else BirthParts(born.year, born.month, born.day)


def _with_part(known: BirthParts, said: c.GiveBirthDate) -> BirthParts:
    """Put what was said in the place of what was known; what does not go with it was misheard."""
    given = BirthParts(said.year, said.month, said.day)
    merged = BirthParts(said.year or known.year, said.month or known.month, said.day or known.day)
    return merged if _as_date(merged) or not merged.is_whole else given


def _as_date(parts: BirthParts) -> date | None:
    if parts.year is None or parts.month is None or parts.day is None:
        return None
    try:
        return date(parts.year, parts.month, parts.day)
    except ValueError:
        return None
