"""Every part of a clinic file can be asked for on a form and comes back as it was."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from booking.clinic_file import check
from booking.clinic_file.remarks import Remark
from booking.clinic_file.schema import (
    AnswerPart,
    CalendarsPart,
    ClinicFile,
    ClinicPart,
    DatedPart,
    GroupPart,
    LocationPart,
    MessagesPart,
    Part,
    PractitionerPart,
    ResourcePart,
    RulesPart,
    SchedulePart,
    ServicePart,
)
from frontdesk.console.set_up.fields import FIELDS, GROUPS, SINGLE, Field, Kind
from frontdesk.console.set_up.form import Asked, Problem, asked, said, unplaced
from frontdesk.console.words import LANGUAGES, load_words

pytestmark = pytest.mark.unit

DOCUMENT: dict[str, Any] = {
    "clinic": {
        "key": "elm", "name": "Elm Street", "timezone": "America/New_York", "country": "US", "languages": ["en", "es"],
        "phone": "+12125550100", "transfer_to": "+12125550199", "email": "desk@elm.example", "hidden_verticals": ["spa"],
    },
    "rules": {"minimum_notice": "3h", "max_moves": 2, "records_arrival": True, "waitlist": "all", "offer_for": "20m"},
    "calendars": {"stale_after": "20m", "when_failed": "go-on", "invitations": True, "patient_in_feed": "initials"},
    "messages": {"reminders": ["2d", "3h"], "sent_between": "09:00-20:00", "part_price": "0.0079 USD"},
    "locations": [
        {
            "key": "main", "name": "Main Street", "aliases": ["downtown"], "address": "1 Main Street, Albany",
            "hours": {"mon-fri": ["08:00-12:00", "13:00-18:00"], "sat": ["09:00-13:00"]}, "closed": ["2027-07-05", "2027-12-24/2027-12-26"],
            "dated": [{"day": "2027-03-20", "open": ["10:00-12:00"], "closed": ["11:00-11:15"]}],
            "rules": {"minimum_notice": "1h", "records_arrival": False}, "coordinates": [42.65, -73.75], "parking": "Behind.\n\nFree.",
        },
        {"key": "west", "name": "West", "address": "1 Far Street", "timezone": "America/Phoenix", "phone": "+16025550100", "hours": {}},
    ],
    "services": [
        {
            "key": "cleaning", "name": "Cleaning", "aliases": ["hygiene"], "reasons": ["tartar"], "category": "dental", "duration": "45m",
            "buffer_before": "5m", "price": "95.00 USD", "skills": ["hygiene"], "resources": ["chair"], "needs_confirmation": True,
            "prior_visit": "clinic", "mode": "home",
        },
        {"key": "long", "name": "Open end", "duration": "30m", "longest": "1h", "duration_step": "15m"},
        {"key": "class", "name": "Class", "duration": "1h", "group": {"min": 2, "max": 8}},
        {"key": "day", "name": "Day", "steps": ["cleaning"], "step_gap": "15m"},
    ],
    "practitioners": [
        {
            "key": "lee", "name": "Dr. Mina Lee", "gender": "female", "languages": ["en", "ko"], "skills": ["hygiene"], "services": ["cleaning", "class"],
            "schedules": [
                {"location": "main", "hours": {"mon-thu": ["09:00-12:00"]}, "contingent": True, "off": ["2027-03-17"], "valid_from": "2027-01-01", "valid_until": "2027-12-31"},
                {"location": "west", "dated": [{"day": "2027-03-21", "open": ["09:00-10:00"]}]},
            ],
            "off": ["2027-05-01"], "bio": "Dentist.", "credentials": ["DDS"], "rating": 4.5, "reviews": 12,
            "visible_when_unavailable": False, "meeting_url": "https://meet.example/lee", "since": "2020-01-01",
        },
    ],
    "resources": [{"key": "chair", "kind": "chair", "location": "main", "capacity": 2, "hours": {"mon": ["09:00-12:00"]}, "off": ["2027-03-17"]}],
    "answers": [{"topic": "insurance", "text": "We take Aetna.", "phrases": ["do you take aetna"]}],
}  # fmt: skip
ELSEWHERE = {"wording"}  # has a page of its own
NAMES = {group: {part["key"]: part["name"] for part in DOCUMENT[group]} for group in ("locations", "services")}
MODELS: dict[str, type[Part]] = {
    "clinic": ClinicPart,
    "rules": RulesPart,
    "calendars": CalendarsPart,
    "messages": MessagesPart,
    "locations": LocationPart,
    "services": ServicePart,
    "practitioners": PractitionerPart,
    "resources": ResourcePart,
    "answers": AnswerPart,
    "dated": DatedPart,
    "group": GroupPart,
    "schedules": SchedulePart,
}


def sent(fields: Sequence[Asked]) -> Iterator[tuple[str, str]]:
    """Yield what a browser sends of a form that nobody touches."""
    for one in fields:
        for row in one.rows:
            yield from sent(row)
        yield from sent(one.days)
        yield from ((one.id, option.value) for option in one.options if option.is_chosen)
        if one.is_on:
            yield one.id, "on"
        if one.value:
            yield one.id, one.value.replace("\n", "\r\n")  # as browsers send it


def all_fields(fields: Sequence[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from all_fields(field.parts)


def test_everything_in_a_clinic_file_but_demo_patients_has_its_form():
    assert {*SINGLE, *GROUPS, "patients", "appointments"} == set(ClinicFile.model_fields)


@pytest.mark.parametrize("name", FIELDS)
def test_a_form_has_every_field_of_its_part(name: str):
    for part, fields in forms_of(name):
        assert {field.name for field in fields} == set(MODELS[part].model_fields) - ELSEWHERE


def test_a_form_that_nobody_touches_says_what_stood_in_the_file():
    again: dict[str, Any] = {}
    for name in SINGLE:
        again[name] = said(FIELDS[name], MultiDict(sent(asked(FIELDS[name], DOCUMENT[name], names=NAMES))))
    for name in GROUPS:
        again[name] = [
            said(FIELDS[name], MultiDict(sent(asked(FIELDS[name], part, names=NAMES)))) for part in DOCUMENT[name]
        ]
    for location in again["locations"]:
        location["hours"] = dict(location["hours"])

    assert check(again) == check(weekday_by_weekday(DOCUMENT))


def weekday_by_weekday(document: dict[str, Any]) -> dict[str, Any]:
    """Return the same clinic with the hours of each weekday on their own, as the form has them."""
    singly = check(document).model_dump(mode="json", exclude_unset=True)

    def apart(value: Any) -> Any:
        if isinstance(value, dict):
            fields = {key: apart(one) for key, one in value.items()}
            if "hours" in fields:
                field = asked((Field("hours", Kind.HOURS),), fields, names={})[0]
                fields["hours"] = {one.id.rpartition(".")[2]: one.value.split(", ") for one in field.days if one.value}
            return fields
        return [apart(one) for one in value] if isinstance(value, list) else value

    result: dict[str, Any] = apart(singly)
    return result


def test_a_flag_that_the_file_does_not_name_is_as_its_default():
    flags = [field for fields in FIELDS.values() for field in all_fields(fields) if field.kind is Kind.FLAG]
    defaults = {name: info.default for model in MODELS.values() for name, info in model.model_fields.items()}

    assert {field.name: field.is_on for field in flags} == {field.name: defaults[field.name] for field in flags}


def test_what_is_left_empty_is_not_said():
    assert said(FIELDS["services"], MultiDict({"name": "  ", "reasons": "\r\n \r\n"})) == {"needs_confirmation": False}


def test_a_row_that_is_ticked_for_removal_is_gone_and_the_rest_closes_up():
    form = MultiDict(
        {"schedules.0.location": "main", "schedules.0.remove": "on", "schedules.1.location": "west", "schedules.1.hours.fri": "9:00-12:00"}
    )  # fmt: skip

    rows = said(FIELDS["practitioners"], form)["schedules"]

    assert rows == [{"location": "west", "hours": {"fri": ["9:00-12:00"]}, "contingent": False}]


def test_any_number_of_rows_is_kept():
    form = MultiDict({f"dated.{number}.day": f"2027-01-{number % 28 + 1:02}" for number in range(150)})

    assert len(said(FIELDS["locations"], form)["dated"]) == 150


def test_what_is_wrong_is_told_at_its_field():
    over_midnight = Remark("over-midnight", ("schedules", 0, "hours", "mon", 1))
    overlap = Remark("hours-overlap", ("schedules", 0, "hours"), {"weekday": 2})
    no_hours, twice = Remark("no-hours", ("schedules", 0)), Remark("twice", ("key",))
    day_off = Remark("date", ("off", 1))
    remarks = [over_midnight, overlap, no_hours, twice, day_off]
    schedule = {"location": "main", "hours": {"mon": ["9:00-10:00", "12:00-09:00"]}}
    part = {"key": "lee", "schedules": [schedule], "off": ["2027-07-05", "tomorrow"]}

    fields = {one.field.name: one for one in asked(FIELDS["practitioners"], part, names=NAMES, remarks=remarks)}
    hours = next(one for one in fields["schedules"].rows[0] if one.field.name == "hours")

    assert fields["key"].problems == (Problem(twice),)
    assert fields["schedules"].problems == (Problem(no_hours),)
    assert fields["off"].problems == (Problem(day_off, "tomorrow"),)
    assert hours.problems == ()
    assert [day.problems for day in hours.days[:3]] == [
        (Problem(over_midnight, "12:00-09:00"),),
        (),
        (Problem(overlap),),
    ]


def test_what_belongs_to_no_field_is_told_above_the_form():
    above = Remark("wording-empty", ("wording", "en", "booked"))

    assert unplaced(FIELDS["messages"], [above, Remark("one-of", ("mail",))]) == [above]


def test_reminders_that_are_taken_out_are_none_and_not_the_usual_ones():
    assert said(FIELDS["messages"], MultiDict({"reminders": ""}))["reminders"] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_and_every_choice_has_words(language: str):
    words = load_words(language)
    found = [(part, field) for name in FIELDS for part, fields in forms_of(name) for field in fields]

    without_label = [
        f"{part}.{field.name}"
        for part, field in found
        if not {f"set_up_field.{part}_{field.name}", f"set_up_field.{field.name}"} & words.keys()
    ]

    assert without_label == []
    assert [code for _, field in found for code in field.codes if f"set_up_choice.{code}" not in words] == []


def forms_of(name: str) -> list[tuple[str, Sequence[Field]]]:
    """Return the fields of a part, and those of the parts in it."""
    return [(name, FIELDS[name]), *((field.name, field.parts) for field in all_fields(FIELDS[name]) if field.parts)]
