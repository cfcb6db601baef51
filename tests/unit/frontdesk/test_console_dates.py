from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from frontdesk.console.dates import DateWriter
from frontdesk.console.words import load_words

pytestmark = pytest.mark.unit

# 01:30 comes twice this night in New York; this is the second time.
NOW = datetime(2027, 11, 7, 6, 30, tzinfo=UTC)
SPANISH = DateWriter(load_words("es"), zone=ZoneInfo("America/New_York"), now=NOW)


def test_dates_are_written_in_spanish_with_the_clinics_clock():
    assert SPANISH.long_date(date(2027, 11, 7)) == "domingo, 7 de noviembre de 2027"
    assert SPANISH.day_and_time(NOW + timedelta(hours=1)) == "dom 7 nov, 2:30 a.m."
    assert SPANISH.day_and_time(NOW + timedelta(days=60)) == "jue 6 ene 2028, 1:30 a.m."
    assert SPANISH.moment(NOW - timedelta(days=1)) == "Ayer, 2:30 a.m."
    assert SPANISH.hour(13) == "1 p.m."


def test_a_clock_that_leaves_open_which_moment_it_means_names_its_zone():
    first = NOW - timedelta(hours=1)

    assert SPANISH.moment(first) == "Hoy, 1:30 a.m. EDT"
    assert SPANISH.day_and_time(NOW) == "dom 7 nov, 1:30 a.m. EST"
    assert SPANISH.clock(NOW.astimezone(ZoneInfo("America/Los_Angeles"))) == "11:30 p.m. PDT"
    assert SPANISH.clock(NOW.astimezone(ZoneInfo("America/Sao_Paulo"))) == "3:30 a.m. UTC-03"
    assert SPANISH.clock(NOW.replace(tzinfo=None)) == "6:30 a.m."


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=5), "ahora mismo"),
        (timedelta(minutes=1), "hace 1 minuto"),
        (timedelta(days=3), "hace 3 días"),
    ],
)
def test_how_long_ago_something_was_is_said_in_spanish(ago: timedelta, words: str):
    assert SPANISH.age(NOW - ago) == words
