"""What patients say about time in Spanish, and the wish it comes to. Wednesday 2027-03-10, ten in the morning."""

import unicodedata
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog.timewords import ClockRange, DayRange, TimeWish, read_birth_date, read_time

pytestmark = pytest.mark.unit

# The first example also loads the word lists, and other tests may hold the processor: no example is failed by the clock.
unhurried = settings(deadline=None, max_examples=25, derandomize=True)

NOW = datetime.fromisoformat("2027-03-10T10:00")
MONTHS = ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"]  # fmt: skip
WEEKDAYS = ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"]
NUMBERS = ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce", "trece", "catorce", "quince", "dieciséis", "diecisiete", "dieciocho", "diecinueve",
           "veinte", "veintiuno", "veintidós", "veintitrés", "veinticuatro", "veinticinco", "veintiséis", "veintisiete", "veintiocho", "veintinueve"]  # fmt: skip
TENS = ["", "", "", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"]
WORDS = [
    "mañana", "el", "la", "las", "lunes", "martes", "próximo", "que", "viene", "semana", "de", "del", "a", "al", "3", "tres", "15", "y", "media", "menos", "cuarto", "para", "mayo", "junio", "por", "tarde",
    "noche", "entre", "antes", "después", "hasta", "desde", "dentro", "dos", "no", "puedo", "cualquier", "día", "hora", "mes", "quincena", "primer", "último", "fin", "10:30", "3/5", "31", "febrero", "en", "hoy", "o",
    "cuanto", "pasado", "mediodía", "cambiar", ",", ".", "-", "mil", "vez",
]  # fmt: skip

nows = st.datetimes(min_value=datetime.fromisoformat("2020-01-01"), max_value=datetime.fromisoformat("2032-12-31"))


def in_words(number: int) -> str:
    if number < len(NUMBERS):
        return NUMBERS[number]
    return f"{TENS[number // 10]} y {NUMBERS[number % 10]}" if number % 10 else TENS[number // 10]


def year_in_words(year: int) -> str:
    thousands, rest = ("mil novecientos", year - 1900) if year < 2000 else ("dos mil", year - 2000)
    return f"{thousands} {in_words(rest)}" if rest else thousands


def without_accents(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))


def wish(text: str, asked: str | None = None) -> TimeWish:
    found = read_time(text, now=NOW, language="es", asked=asked).wish
    assert found is not None, text
    return found


def march(first: int, end: int | None = None) -> DayRange:
    return DayRange(date(2027, 3, first), date(2027, 3, end) if end else date(2027, 3, first) + timedelta(days=1))


def clock(start: float, end: float) -> tuple[ClockRange, ...]:
    return (ClockRange(int(start * 60), int(end * 60)),)


def ways_to_say(day: date) -> list[str]:
    month, number, weekday, year = MONTHS[day.month - 1], day.day, WEEKDAYS[day.weekday()], day.year
    words = in_words(number)
    dated = [f"{number} de {month}", f"el {number} de {month}", f"el día {number} de {month}", f"{words} de {month}", f"el {words} de {month}", f"{number} {month}", f"el {number} de {month[:3]}", f"{month} {number}",
             f"{number}/{day.month}", f"{number:02}/{day.month:02}", f"el {number}/{day.month}", f"{number}-{month}", f"el {number} del mes de {month}"]  # fmt: skip
    with_year = [f"{number} de {month} de {year}", f"el {number} de {month} del {year}", f"{number}/{day.month}/{year}", f"{number:02}/{day.month:02}/{year % 100:02}", f"{number}-{day.month:02}-{year}",
                 f"{number:02}.{day.month:02}.{year}", day.isoformat(), f"{number} {month} {year}", f"el {words} de {month} de {year_in_words(year)}", f"{number} de {month}, {year}"]  # fmt: skip
    with_weekday = [f"{weekday} {number} de {month}", f"el {weekday} {number} de {month}", f"el {weekday}, {number} de {month}", f"el {weekday} {words} de {month}", f"el {weekday} {number}/{day.month}",
                    f"{number} de {month}, {weekday}", f"{weekday} {number} de {month} de {year}"]  # fmt: skip
    framed = [f"para el {number} de {month}", f"¿tiene algo el {number} de {month}?", f"quiero una cita para el {number} de {month}", f"¿puede ser el {words} de {month}?", f"me viene bien el {number} de {month}",
              f"apúnteme el {number} de {month}, por favor", f"¿qué tal el {number} de {month}?", f"sería para el {weekday} {number} de {month}", f"el {number} de {month} estaría bien", f"mejor el {number} de {month}"]  # fmt: skip
    return [*dated, *with_year, *with_weekday, *framed]


@unhurried
@given(now=nows, ahead=st.integers(0, 360))
def test_every_date_comes_back_however_it_is_said(now: datetime, ahead: int) -> None:
    day = now.date() + timedelta(days=ahead)
    expected = (DayRange(day, day + timedelta(days=1)),)

    for said in ways_to_say(day):
        for text in (said, without_accents(said)):
            reading = read_time(text, now=now, language="es")
            assert reading.wish is not None, text
            assert (reading.wish.days, reading.past, reading.unresolved) == (expected, False, ()), text


def ways_to_say_the_time(hour: int, rest: int) -> list[str]:
    twelve = hour % 12 or 12
    article = "la" if twelve == 1 else "las"
    said, half = "una" if twelve == 1 else in_words(twelve), "am" if hour < 12 else "pm"
    part = "de la mañana" if hour < 12 else "de la tarde" if hour < 19 else "de la noche"
    minutes = in_words(rest) if rest else "en punto"
    figures = f"{twelve}:{rest:02}"
    ways = [f"{figures} {half}", f"{figures} {half[0]}. m.", f"a {article} {figures} {half}", f"a {article} {figures} {part}", f"{article} {figures} {part}", f"{figures} {part}", f"sobre {article} {figures} {part}",
            f"a eso de {article} {figures} {part}", f"alrededor de {article} {figures} {part}", f"para {article} {figures} {part}", f"mañana a {article} {figures} {part}", f"el jueves a {article} {figures} {part}",
            f"hacia {article} {figures} {part}", f"como a {article} {figures} {part}", f"a {article} {figures} {part} mañana", f"a {article} {twelve} y {rest} {part}" if rest else f"a {article} {twelve} {part}",
            f"a {article} {said} y {minutes} {part}" if rest else f"a {article} {said} en punto {part}", f"puedo a {article} {figures} {part}", f"¿a {article} {figures} {part}?"]  # fmt: skip
    if rest >= 10:
        ways += [f"a {article} {said} {minutes} {part}", f"{figures} h {part}"]
    if rest == 15:
        ways += [f"a {article} {said} y cuarto {part}", f"{said} y cuarto {part}"]
    if rest == 30:
        ways += [f"a {article} {said} y media {part}", f"{said} y media {part}", f"a {article} {twelve} y media {part}"]
    return ways


@unhurried
@given(now=nows, minute=st.integers(5 * 60, 23 * 60 - 1).filter(lambda minute: minute // 60 != 12))
def test_every_time_of_day_comes_back_however_it_is_said(now: datetime, minute: int) -> None:
    for text in ways_to_say_the_time(*divmod(minute, 60)):
        found = read_time(text, now=now, language="es").wish
        assert found is not None, text
        assert (found.at_minute, found.at_alternatives) == (minute, ()), text


@pytest.mark.parametrize(
    ("text", "minute", "other"),
    [
        ("a las cinco menos cuarto", 16 * 60 + 45, 4 * 60 + 45),
        ("un cuarto para las cinco", 16 * 60 + 45, 4 * 60 + 45),
        ("diez para las cuatro", 15 * 60 + 50, 3 * 60 + 50),
        ("a las cuatro menos diez", 15 * 60 + 50, 3 * 60 + 50),
        ("a la una y veinte", 13 * 60 + 20, 60 + 20),
    ],
)
def test_a_time_without_a_half_of_the_day_has_the_reading_of_clinic_hours_first(
    text: str, minute: int, other: int
) -> None:
    assert wish(text) == TimeWish(at_minute=minute, at_alternatives=(other,))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("el martes que viene", TimeWish(days=(march(16),))),
        ("el próximo viernes", TimeWish(days=(march(12),))),
        ("el viernes de la semana que viene", TimeWish(days=(march(19),))),
        ("pasado mañana por la tarde", TimeWish(days=(march(12),), clocks=clock(12, 20))),
        ("de lunes a miércoles", TimeWish(days=(march(15, 18),))),
        ("del 28 de abril al 3 de mayo", TimeWish(days=(DayRange(date(2027, 4, 28), date(2027, 5, 4)),))),
        ("los días 15, 16 y 18 de marzo", TimeWish(days=(march(15, 17), march(18)))),
        ("entre las 9 y las 11", TimeWish(clocks=clock(9, 11))),
        ("a partir de las cuatro", TimeWish(clocks=clock(16, 24))),
        ("antes del mediodía", TimeWish(clocks=clock(0, 12))),
        ("salgo de trabajar a las 4 y media", TimeWish(clocks=clock(16.5, 24))),
        ("cualquier día menos el viernes", TimeWish(not_weekdays=frozenset({4}))),
        ("cualquier día excepto lunes o martes, por la tarde", TimeWish(not_weekdays=frozenset({0, 1}), clocks=clock(12, 20))),
        ("la semana que viene por la mañana, menos el miércoles", TimeWish(days=(march(15, 22),), not_weekdays=frozenset({2}), clocks=clock(6, 12))),
        ("la próxima semana pero no el viernes", TimeWish(days=(march(15, 22),), not_weekdays=frozenset({4}))),
        ("los viernes no", TimeWish(not_weekdays=frozenset({4}))),
        ("no puedo el viernes", TimeWish(not_weekdays=frozenset({4}))),
        ("el martes me viene mal", TimeWish(not_weekdays=frozenset({1}))),
        ("el viernes no, ¿y el lunes?", TimeWish(days=(march(15),), not_weekdays=frozenset({4}))),
        ("tengo clase lunes, miércoles y viernes", TimeWish(not_weekdays=frozenset({0, 2, 4}))),
        ("no puedo antes de las 10", TimeWish(not_clocks=clock(0, 10))),
        ("nada de mañanas", TimeWish(not_clocks=clock(6, 12))),
        ("estoy de vacaciones la semana que viene", TimeWish(not_days=(march(15, 22),))),
        ("hoy no, mañana", TimeWish(days=(march(11),), not_days=(march(10),))),
        ("los martes y jueves por la tarde", TimeWish(weekdays=frozenset({1, 3}), clocks=clock(12, 20))),
        ("entre semana", TimeWish(weekdays=frozenset(range(5)))),
        ("no, mejor el jueves", TimeWish(days=(march(11),))),
        ("el martes, perdón, el jueves", TimeWish(days=(march(11),))),
        ("quiero cambiar mi cita del martes al jueves", TimeWish(days=(march(11),))),
        ("cambiar la cita del martes a las 3 al jueves a las 4 de la tarde", TimeWish(days=(march(11),), at_minute=16 * 60)),
        ("el lunes o el martes", TimeWish(days=(march(15, 17),))),
        ("me duele la muela desde hace tres días, ¿puedo ir mañana?", TimeWish(days=(march(11),))),
        ("se me rompió un diente ayer, mañana estaría bien", TimeWish(days=(march(11),), soft=True)),
        ("cuanto antes", TimeWish(order="earliest")),
        ("a primera hora", TimeWish(clocks=clock(0, 12), order="earliest")),
        ("lo más tarde posible", TimeWish(order="latest")),
        ("algo más temprano", TimeWish(relative="earlier")),
        ("otro día", TimeWish(relative="other_day")),
        ("a la misma hora", TimeWish(relative="same_time")),
        ("una semana después", TimeWish(relative="later", shift_days=7)),
        ("me da igual", TimeWish(flexible=True)),
        ("a cualquier hora", TimeWish(clocks=clock(0, 24), flexible=True)),
        ("cualquier día por la tarde", TimeWish(clocks=clock(12, 20), flexible=True)),
        ("cualquier tarde menos la del jueves", TimeWish(not_weekdays=frozenset({3}), clocks=clock(12, 20))),
        ("lo antes posible pero no mañana", TimeWish(order="earliest", not_days=(march(11),))),
        ("solo puedo los martes y los jueves después de las 5", TimeWish(weekdays=frozenset({1, 3}), clocks=clock(17, 24))),
        ("tuve una cita el lunes y quiero otra para el jueves", TimeWish(days=(march(11),))),
        ("el jueves no me va bien, ¿podría ser el viernes?", TimeWish(days=(march(12),), not_weekdays=frozenset({3}), soft=True)),
        ("la de las 10", TimeWish(at_minute=600, at_alternatives=(1320,))),
        ("manana por la manana", TimeWish(days=(march(11),), clocks=clock(6, 12))),
    ],
)  # fmt: skip
def test_talk_is_understood_as_a_receptionist_would(text: str, expected: TimeWish) -> None:
    assert wish(text) == expected
    assert wish(without_accents(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "tengo dos hijos", "mi hija tiene 5 años", "opción 2", "una limpieza", "la segunda", "la primera", "buenos días", "buenas tardes", "hasta luego", "hasta mañana", "me llamo Julio Pérez", "con el doctor Abril",
        "con la doctora Reyes", "la clínica de San José", "vivo en la calle 5 de mayo", "me duele desde el lunes", "nací el 3 de mayo de 1982", "una vez", "por favor", "sí", "",
    ],
)  # fmt: skip
def test_numbers_names_and_greetings_that_are_no_times_make_no_wish(text: str) -> None:
    assert read_time(text, now=NOW, language="es").wish is None


@pytest.mark.parametrize("text", ["el 31 de junio", "el 30 de febrero", "después de mi cumpleaños", "en verano", "el martes 11 de marzo"])  # fmt: skip
def test_what_has_no_certain_meaning_is_to_be_asked_about(text: str) -> None:
    reading = read_time(text, now=NOW, language="es")

    assert reading.unresolved
    assert reading.wish is None


@pytest.mark.parametrize("text", ["ayer", "anteayer", "el lunes pasado", "la semana pasada", "hace dos días", "25/12/2020"])  # fmt: skip
def test_what_is_over_is_said_to_be_past(text: str) -> None:
    reading = read_time(text, now=NOW, language="es")

    assert reading.past
    assert reading.wish is None


def test_what_was_asked_lets_a_bare_number_be_read() -> None:
    assert wish("las tres", asked="time").at_minute == 15 * 60
    assert wish("el 5", asked="date").days == (DayRange(date(2027, 4, 5), date(2027, 4, 6)),)
    assert wish("el 15").days == (march(15),)
    assert read_time("el 2", now=NOW, language="es").wish is None


def test_a_text_in_the_other_language_is_read_and_a_mixed_one_stays_in_the_one_given() -> None:
    assert read_time("mañana a las tres de la tarde", now=NOW).wish == TimeWish(days=(march(11),), at_minute=900)
    assert read_time("tomorrow at 3pm", now=NOW, language="es").wish == TimeWish(days=(march(11),), at_minute=900)
    assert read_time("3/5", now=NOW).wish == TimeWish(days=(DayRange(date(2028, 3, 5), date(2028, 3, 6)),))
    assert read_time("3/5", now=NOW, language="es").wish == TimeWish(
        days=(DayRange(date(2027, 5, 3), date(2027, 5, 4)),)
    )


@unhurried
@given(
    words=st.lists(st.sampled_from(WORDS), max_size=14),
    now=nows,
    asked=st.sampled_from([None, "when", "date", "choice"]),
)
def test_no_heap_of_time_words_breaks_the_reading(words: list[str], now: datetime, asked: str | None) -> None:
    text = " ".join(words)

    reading = read_time(text, now=now, language="es", asked=asked)

    assert reading == read_time(text, now=now, language="es", asked=asked)
    assert all(text[mention.start : mention.end] == mention.text for mention in reading.mentions)


# Dates of birth


@unhurried
@given(day=st.dates(min_value=date(1908, 1, 1), max_value=NOW.date()))
def test_every_birth_date_comes_back_however_it_is_said(day: date) -> None:
    month, number, year = MONTHS[day.month - 1], day.day, day.year
    ways = [
        f"{number} de {month} de {year}", f"el {number} de {month} del {year}", f"{in_words(number)} de {month} de {year_in_words(year)}", f"nací el {in_words(number)} de {month} del {year_in_words(year)}",
        f"{number}/{day.month}/{year}", f"{number:02}-{day.month:02}-{year}", f"{number} {day.month} {year}", f"{number:02}{day.month:02}{year}", f"{number} {month[:3]} {year}", day.isoformat(),
        f"{month} {number}, {year}", f"mi fecha de nacimiento es el {number} de {month} de {year}",
    ]  # fmt: skip

    for said in ways:
        assert read_birth_date(said, now=NOW, language="es") == day, said
        assert read_birth_date(without_accents(said), now=NOW, language="es") == day, said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tres de mayo de mil novecientos ochenta y dos", date(1982, 5, 3)),
        ("03/05/82", date(1982, 5, 3)),
        ("12/25/1990", date(1990, 12, 25)),
        ("primero de enero de dos mil cinco", date(2005, 1, 1)),
        ("el tres del cinco del ochenta y dos", date(1982, 5, 3)),
        ("31 de junio de 1990", None),
        ("mil novecientos ochenta y dos", None),
        ("3 de mayo de 2090", None),
    ],
)
def test_the_day_comes_first_unless_that_is_impossible(text: str, expected: date | None) -> None:
    assert read_birth_date(text, now=NOW, language="es") == expected


def test_a_birth_date_in_the_other_language_is_read_too() -> None:
    assert read_birth_date("tres de mayo de mil novecientos ochenta y dos", now=NOW) == date(1982, 5, 3)
    assert read_birth_date("May third nineteen eighty two", now=NOW, language="es") == date(1982, 5, 3)


@pytest.mark.parametrize(
    "text",
    ["entre el 24 y el 26 del próximo mes", "del 24 al 26 del próximo mes", "entre el 24 y el 26 del mes que viene"],
)
def test_both_ends_of_a_stretch_are_in_the_month_that_is_named(text: str) -> None:
    assert wish(text).days == (DayRange(date(2027, 4, 24), date(2027, 4, 27)),)
