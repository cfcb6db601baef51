"""The clinic file: what may stand in it, and errors that say where and what."""

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import booking.clinic_file
from booking.clinic_file import ClinicFileError, UnusableDocument, check, forms, json_schema, parse, reading, remarks
from booking.clinic_file.checks import warnings
from booking.clinic_file.remarks import LANGUAGES, Remark, sentence
from booking.clinic_file.schema import PATTERNS
from booking.message_wording import WordingFault
from booking.values import DatedHours, DateSpan

pytestmark = pytest.mark.unit

CORE = """\
clinic: {key: elm, name: Elm Street Clinic, timezone: America/New_York, country: US, languages: [en, es], phone: "+12125550100", transfer_to: "+12125550199"}
rules: {minimum_notice: 2h, maximum_advance: 90d, step: 15m, hold: 5m}
locations:
  - {key: main, name: Main Street, address: "1 Main Street, Albany", hours: {mon-fri: ["08:00-18:00"], sat: ["09:00-13:00"]}, closed: [2027-07-05]}
services:
  - {key: cleaning, name: Dental cleaning, aliases: [cleaning, hygiene visit], category: dental, duration: 45m, buffer_before: 5m, buffer_after: 10m, price: "95.00 USD", skills: [hygiene], resources: [chair]}
practitioners:
  - {key: lee, name: Dr. Mina Lee, aliases: [Doctor Lee], gender: female, languages: [en, ko], skills: [hygiene, fillings], services: [cleaning],
     schedules: [{location: main, hours: {mon-thu: ["09:00-12:00", "13:00-17:00"]}, off: [2027-03-17, "2027-04-01/2027-04-05"]}]}
resources:
  - {key: chair-1, kind: chair, location: main}
patients:                    # optional, for demos and tests
  - {key: ann, name: Ann Smith, born: 1984-05-02, phone: "+12125550123", language: en}
appointments:                # optional, likewise
  - {service: cleaning, practitioner: lee, location: main, patient: ann, start: "2027-03-15T09:00"}     # wall time of the location
"""


def errors(text: str) -> list[str]:
    with pytest.raises(ClinicFileError) as caught:
        parse(text, path="elm.yaml")
    return caught.value.lines()


def test_the_core_of_a_clinic_file_is_read():
    file = parse(CORE, path="elm.yaml")

    assert file.rules.minimum_notice == timedelta(hours=2)
    assert file.services[0].duration == timedelta(minutes=45)
    assert file.practitioners[0].schedules[0].off == [
        DateSpan(date(2027, 3, 17), date(2027, 3, 18)),
        DateSpan(date(2027, 4, 1), date(2027, 4, 6)),
    ]
    assert file.patients[0].born == date(1984, 5, 2)
    assert file.appointments[0].start == datetime(2027, 3, 15, 9, 0)  # noqa: DTZ001 -- wall time
    assert list(warnings(file)) == []


def test_somebody_is_away_for_days_or_for_hours_of_one():
    away = 'services: [cleaning], off: ["2027-03-22/2027-03-23", "2027-03-15 15:00-24:00"],'

    (lee,) = parse(CORE.replace("services: [cleaning],", away), path="elm.yaml").practitioners

    assert lee.off == [
        DateSpan(date(2027, 3, 22), date(2027, 3, 24)),
        DatedHours(date(2027, 3, 15), timedelta(hours=15), timedelta(hours=24), is_open=False),
    ]
    for wrong in ("2027-03-15 15:00", "2027-03-15 15:00-11:00", "2027-03-32 15:00-16:00", "15:00-16:00"):
        assert (
            "practitioners[0].off[1]"
            in errors(CORE.replace("services: [cleaning],", away.replace("2027-03-15 15:00-24:00", wrong)))[0]
        )


def test_json_is_read_like_yaml_and_may_be_indented_with_tabs():
    document = parse(CORE, path="elm.yaml").model_dump(mode="json", exclude_none=True)

    assert parse(json.dumps(document, indent="\t"), path="elm.json") == parse(CORE, path="elm.yaml")


def test_numbers_come_out_in_one_form():
    file = parse(CORE.replace('"+12125550123"', '"(212) 555-0123"'), path="elm.yaml")

    assert file.patients[0].phone == "+12125550123"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("duration: 45m, ", "", "elm.yaml:6: services[0].duration: say how long it takes, or which steps it has"),
        ("buffer_before", "bufer_before", "elm.yaml:6: services[0].bufer_before: unknown key; do you mean buffer_before?"),
        ("  - {key: chair-1", "rooms: []\nx:\n  - {key: chair-1", None),
        ("duration: 45m", "duration: soon", "elm.yaml:6: services[0].duration: write a duration like 45m, 2h, 1h30m or 90d"),
        ("duration: 45m", "duration: 0m", "elm.yaml:6: services[0].duration: must be more than 0m"),
        ("95.00 USD", "cheap", "elm.yaml:6: services[0].price: not an amount like 95.00 USD"),
        ("sat: [", "sit: [", "elm.yaml:4: locations[0].hours.sit: name days like mon-fri, sat, or mon,wed"),
        ("09:00-13:00", "09:00-25:00", "elm.yaml:4: locations[0].hours.sat[0]: there is no such time of day"),
        (
            "09:00-13:00",
            "13:00-09:00",
            "elm.yaml:4: locations[0].hours.sat[0]: it ends before it begins; write hours over midnight as two, up to 24:00 and from 00:00",
        ),
        ("mon-fri: [", '"mon,mon": [', "elm.yaml:4: locations[0].hours.mon,mon: a day is named twice"),
        ('sat: ["09', 'thu-sat: ["09', "elm.yaml:4: locations[0].hours: hours overlap on Thursday"),
        (
            '"13:00-17:00"',
            '"11:00-17:00"',
            "elm.yaml:9: practitioners[0].schedules[0].hours: hours overlap on Monday",
        ),
        ("closed: [2027-07-05]", "closed: [2027-07-35]", "elm.yaml:4: locations[0].closed[0]: write a date like 2027-07-05"),
        ("2027-04-01/2027-04-05", "2027-04-05/2027-04-01", "elm.yaml:9: practitioners[0].schedules[0].off[1]: it ends before it begins"),
        ("America/New_York", "New York", "elm.yaml:1: clinic.timezone: name a time zone of the IANA database, like Europe/Madrid"),
        ('phone: "+12125550100"', "phone: +12125550100", 'elm.yaml:1: clinic.phone: put a telephone number in quotes, like "+12125550100"'),
        ('"+12125550123"', '"12"', "elm.yaml:13: patients[0].phone: not a telephone number: 12"),
        ("services: [cleaning]", "services: [clean]", "elm.yaml:8: practitioners[0].services[0]: there is no clean under services"),
        ("{location: main, hours", "{location: north, hours", "elm.yaml:9: practitioners[0].schedules[0].location: there is no north under locations"),
        ("patient: ann, start", "patient: bob, start", "elm.yaml:15: appointments[0].patient: there is no bob under patients"),
        ("2027-03-15T09:00", "2027-03-14T02:30", "elm.yaml:15: appointments[0].start: clocks in America/New_York skip this time"),
        ("2027-03-15T09:00", "2027-03-15T09:00Z", "elm.yaml:15: appointments[0].start: wall time of the location is meant, without a zone"),
        ("country: US", "country: US, email: the desk", "elm.yaml:1: clinic.email: not an e-mail address"),
        ("locations:", "calendars: {invitations: true}\nlocations:", "elm.yaml:3: calendars.invitations: give the clinic an email, which the invitations come from"),
        ("locations:", 'messages: {sent_between: "09:00-21:30"}\nlocations:', "elm.yaml:3: messages.sent_between: patients who have not asked for it may be written to within 08:00-21:00 only"),
        ("locations:", 'messages: {sent_between: "09:00-09:30"}\nlocations:', "elm.yaml:3: messages.sent_between: must last at least 1h"),
        ("locations:", "messages: {sent_between: 9}\nlocations:", 'elm.yaml:3: messages.sent_between: write times like "09:00-17:30"'),
        ("duration: 45m", "duration: 2d", "elm.yaml:6: services[0].duration: must be at most 1d"),
        ("duration: 45m", "duration: !!int x", None),
        ("gender: female", "gender: lady", "elm.yaml:8: practitioners[0].gender: one of these: female, male, other, unknown"),
        ("hold: 5m", "hold: 99999999999999999999d", "elm.yaml:2: rules.hold: write a duration like 45m, 2h, 1h30m or 90d"),
        ("maximum_advance: 90d", "maximum_advance: 999999d", "elm.yaml:2: rules.maximum_advance: must be at most 3650d"),
        ("closed: [2027-07-05]", "closed: [9999-12-31]", "elm.yaml:4: locations[0].closed[0]: the year must lie between 1900 and 2200"),
        ("name: Main Street", 'name: "Main\\0Street"', "elm.yaml:4: locations[0].name: holds a character that can't be shown"),
        ("name: Main Street", "name: 1", "elm.yaml:4: locations[0].name: a text belongs here; put numbers and dates that are meant as one in quotes"),
        ("clinic: {key: elm,", "x: &x {key: 1.5}\nclinic: {<<: *x,", "elm.yaml:2: clinic.key: a text belongs here; put numbers and dates that are meant as one in quotes"),
        ("patients:  ", "answers: !!omap [topic: x]\npatients:  ", "elm.yaml:12: answers: a list belongs here"),
    ],
)  # fmt: skip
def test_an_error_names_the_line_and_the_key(old: str, new: str, message: str | None):
    assert CORE.count(old) >= 1

    found = errors(CORE.replace(old, new, 1))

    assert message is None or message in found
    assert all(line.startswith("elm.yaml:") for line in found)


def test_a_key_that_is_there_twice_is_named():
    twice = CORE.replace("patients:  ", "  - {key: chair-1, kind: chair, location: main}\npatients:  ")

    assert errors(twice) == ["elm.yaml:12: resources[1].key: chair-1 is there twice"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words",
        "- a list",
        "[1, 2",
        "a: 1\na: 2\n",
        "{",
        "\t",
        "a: &x [*x]",
        "a: &x {<<: *x}",
        "a: !!bool maybe",
        "!!python/object:os.system x",
        "[" * 100_000,
        "- " * 1000,
        "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in itertools.pairwise("abcdefghi")),
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_what_is_not_a_clinic_file_is_refused_with_a_line(text: str):
    assert all(line.startswith("elm.yaml:") for line in errors(text))


def test_nobody_is_at_two_places_at_the_same_time_unless_the_dates_differ():
    second = CORE.replace(
        "schedules: [{location: main,",
        'schedules: [{location: main, valid_from: 2027-06-01, hours: {mon: ["10:00-11:00"]}}, {location: main, valid_until: VALID,',
    )

    assert parse(second.replace("VALID", "2027-05-31"), path="elm.yaml").practitioners[0].schedules[0].valid_from
    assert errors(second.replace("VALID", "2027-06-01")) == [
        "elm.yaml:9: practitioners[0].schedules[1].hours: on Monday at two places at the same time"
    ]


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        ("services: [cleaning]", "services: []", "Dental cleaning: no practitioner offers it, so it can't be booked"),
        ("skills: [hygiene, fillings]", "skills: [fillings]", "Dental cleaning: nobody who offers it has the skills it needs (hygiene), so it can't be booked"),
        ("kind: chair", "kind: bed", "Dental cleaning: no location has all it needs (chair), so it can't be booked"),
    ],
)  # fmt: skip
def test_a_service_that_nobody_can_give_is_warned_of(old: str, new: str, warning: str):
    assert [sentence(one) for one in warnings(parse(CORE.replace(old, new, 1), path="elm.yaml"))] == [warning]


@pytest.mark.parametrize(
    ("text", "weekdays"),
    [
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("Sat", (5,)),
        ("mon,wed", (0, 2)),
        ("monday - wednesday, sunday", (0, 1, 2, 6)),
        ("sat-mon", (5, 6, 0)),
        ("all", (0, 1, 2, 3, 4, 5, 6)),
    ],
)
def test_days_are_read_as_people_write_them(text: str, weekdays: tuple[int, ...]):
    assert forms.read_days(text) == weekdays


def test_a_weeks_hours_are_written_together_and_read_back():
    hours = forms.read_hours(
        {"mon-wed": ["09:00-12:00", "13:00-24:00"], "fri": ["09:00-12:00", "13:00-24:00"], "sun": ["00:00-06:30"]}
    )

    assert forms.hours_text(hours) == {"mon-wed,fri": ["09:00-12:00", "13:00-24:00"], "sun": ["00:00-06:30"]}
    assert forms.read_hours(forms.hours_text(hours)) == hours


@pytest.mark.parametrize("text", ["45m", "2h", "1h30m", "90d", "0m"])
def test_a_duration_is_written_as_it_is_read(text: str):
    assert forms.duration_text(forms.read_duration(text)) == text


def test_the_schema_describes_the_parts():
    schema = json_schema()

    assert schema["required"] == ["clinic", "locations"]
    assert schema["additionalProperties"] is False
    assert {"clinic", "rules", "locations", "services", "practitioners"} <= set(schema["properties"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_remark_that_is_made_has_a_sentence_in_each_language(language: str):
    folder = Path(booking.clinic_file.__file__).parent
    made = {
        code
        for module in folder.glob("*.py")
        for code in re.findall(r'(?:Remark|Unreadable|_NotYaml)\(\s*"([a-z0-9-]+)"', module.read_text())
    }
    made |= {f"wording-{kind}" for kind in WordingFault} | {*reading.CODES.values(), *PATTERNS.values()}
    made |= {code for code, _ in reading.LIMITS.values()}

    assert made
    assert made <= set(remarks.sentences(language)["remarks"])


def test_languages_have_the_same_remarks_and_name_nothing_that_the_first_does_not():
    first, *others = (remarks.sentences(language)["remarks"] for language in LANGUAGES)

    for other in others:
        assert other.keys() == first.keys()
        assert [code for code in other if not named(other[code]) <= named(first[code])] == []


def named(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


# Every way in which a value can be of another kind than belongs there: none of them may reach the reader in the words of the
# library that finds it.
WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    3.5,
    10**30,
    "",
    "x" * 3000,
    "1e999",
    [],
    ["", None, {}],
    [1, 2, 3],
    {},
    {"x": 1},
    "\ud800",
    float("nan"),
)


@given(st.data())
def test_whatever_is_wrong_is_told_in_our_words(data: st.DataObject):
    document = parse(CORE, path="elm.yaml").model_dump(mode="json", exclude_none=True)
    document |= {"messages": {"reminders": ["2d"], "sent_between": "09:00-20:00"}, "calendars": {}}
    part: Any = document
    for _ in range(data.draw(st.integers(1, 5))):
        holder, key = part, data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        part = holder[key]
        if not isinstance(part, dict | list) or not part:
            break
    holder[key] = data.draw(st.sampled_from(WRONG))

    found = wrong_with(document)

    assert "unreadable" not in {one.code for one in found}
    assert all(sentence(one, language) for one in found for language in LANGUAGES)


def wrong_with(document: Mapping[str, Any]) -> Sequence[Remark]:
    try:
        check(document)
    except UnusableDocument as error:
        return error.remarks
    return ()


def test_a_file_is_told_what_is_wrong_with_it_in_another_language_too():
    with pytest.raises(ClinicFileError) as caught:
        parse(CORE.replace("duration: 45m, ", "", 1), path="olmo.yaml")

    assert caught.value.lines("es") == [
        "olmo.yaml:6: services[0].duration: escriba cuánto dura o de qué servicios se compone"
    ]
    assert sentence(Remark("hours-overlap", fields={"weekday": 3}), "es") == "el horario se superpone el jueves"
