"""How replies say dates, times and deeds, in each language: patterns to find claims by, made without a look at the dialog's code."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_HOURS = ["una", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"]
_CLOCK = re.compile(
    rf"\blas? (?P<hour>{'|'.join(_HOURS)})(?: y (?P<minute>cuarto|media|\d+))? (?:de la|del) (?P<part>manana|tarde|noche|mediodia)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Tongue:
    """One language. `day` has groups weekday, month and day, and is none of those on which somebody was born; `time` has hour, minute and half.

    `nothing`: who, and which day.

    `written` makes figures of times that are said in words.
    """

    weekdays: Sequence[str]
    months: Sequence[str]
    day: re.Pattern[str]
    between: re.Pattern[str]
    named: re.Pattern[str]
    nobody_called: re.Pattern[str]
    denial: re.Pattern[str]
    nothing: re.Pattern[str]
    booked: re.Pattern[str]
    moved: re.Pattern[str]
    cancelled: re.Pattern[str]
    waiting: re.Pattern[str]
    promised: re.Pattern[str]
    written: Callable[[str], str] = str
    time: re.Pattern[str] = re.compile(
        r"\b(?P<hour>\d{1,2})(?::(?P<minute>\d\d))? ?(?P<half>[AP])\.?M\b", re.IGNORECASE
    )


def unaccented(text: str) -> str:
    """Return a text without its accents."""
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))


def _in_figures(text: str) -> str:
    """Write "las tres y media de la tarde" as "3:30 pm", the first of a month as a number, and nothing with an accent: texts have few."""

    def clock(found: re.Match[str]) -> str:
        hour = _HOURS.index(found["hour"].lower()) + 1
        minute = {"cuarto": "15", "media": "30"}.get(found["minute"] or "", found["minute"] or "0")
        return f"{hour}:{int(minute):02} {'am' if found['part'].lower() == 'manana' else 'pm'}"

    return re.sub(r"\bprimero de\b", "1 de", _CLOCK.sub(clock, unaccented(text)))


_ENGLISH = Tongue(
    weekdays=("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    months=("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    day=re.compile(
        r"(?:\b(?P<weekday>mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? )?"
        r"\b(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?\b(?!, \d{4})",
        re.IGNORECASE,
    ),
    between=re.compile(r"(?:,| at)? ?"),
    named=re.compile(r"\b(?:Dr\.|Doctor|Nurse) (?:[A-Z][\w'-]+ )*[A-Z][\w'-]+"),
    nobody_called=re.compile(r"\bno (?:Dr|Doctor|Nurse)"),
    denial=re.compile(
        r"\b(?:isn't|is not|are not|aren't|taken|closed|nothing|nobody|no |not in|can't|gone|full|only|too soon|gone by)\b",
        re.IGNORECASE,
    ),
    nothing=re.compile(
        r"Nothing is free(?: with (?P<who>(?:(?! at ).)+?))?,? on (?P<day>[^,]+, [A-Z]\w+ \d+\w*|[A-Z]\w+ [A-Z]\w+ \d+)\.?"
    ),
    booked=re.compile(r"\bis booked for\b|\bBooked:"),
    moved=re.compile(r"\bis now on\b|\bMoved:"),
    cancelled=re.compile(r"\bhave cancelled\b|\bCancelled:"),
    waiting=re.compile(r"\bYou are on the waiting list\b"),
    promised=re.compile(
        r"\bI have (?:told|asked) our staff\b|\bour staff will get your message\b|\bSomebody will get back to you\b"
    ),
)
_SPANISH = Tongue(
    weekdays=("lun", "mar", "mie", "jue", "vie", "sab", "dom"),
    months=("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
    day=re.compile(
        r"(?:\b(?P<weekday>lun|mar|mie|jue|vie|sab|dom)[a-z]*\.?,? )?"
        r"\b(?P<day>\d{1,2}) (?:de )?(?P<month>ene|feb|mar|abr|may|jun|jul|ago|sep|oct|nov|dic)[a-z]*\b\.?(?! de \d{4})",
        re.IGNORECASE,
    ),
    between=re.compile(r"(?:,|,? a(?: las?)?)? ?"),
    named=re.compile(r"\b(?:Dra?\.|[Dd]octora?|[Ee]nfermer[ao]|Enf\.) (?:[A-Z][\w'-]+ )*[A-Z][\w'-]+"),
    nobody_called=re.compile(r"\bnadie que se llame\b|\bNo tenemos a\b"),
    denial=re.compile(
        r"\b(?:no |ya no|cerrado|nada|nadie|ocupada|ocupado|ocupar|lleno|solo|demasiado pronto|ya paso)\b",
        re.IGNORECASE,
    ),
    nothing=re.compile(r"No hay nada libre(?: con (?P<who>(?:(?! en ).)+?))?,? el (?P<day>\w+ \d+ (?:de )?\w+)\.?"),
    booked=re.compile(r"\bqueda reservada para\b|\bReservada:"),
    moved=re.compile(r"\bes ahora\b|\bCambiada:"),
    cancelled=re.compile(r"\bHe cancelado\b|\bCancelada:"),
    waiting=re.compile(r"\bEsta en la lista de espera\b"),
    promised=re.compile(
        r"\bHe (?:dicho|pedido) a nuestro personal\b|\b[Yy]a avise a nuestro personal\b|\bnuestro personal recibira su mensaje\b"
    ),
    written=_in_figures,
)
TONGUES: Mapping[str, Tongue] = {"en": _ENGLISH, "es": _SPANISH}
