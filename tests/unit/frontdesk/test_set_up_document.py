"""One part of a clinic's document put in, taken out, named and compared."""

import pytest

from booking.clinic_file.remarks import Remark
from frontdesk.console.set_up.document import (
    Change,
    Difference,
    Document,
    changes,
    keys_of,
    name_of,
    new_key,
    part_of,
    remarks_on_part,
    with_part,
    without_part,
)

pytestmark = pytest.mark.unit

CLINIC: Document = {
    "clinic": {"key": "elm"},
    "rules": {"hold": "5m"},
    "locations": [{"key": "main"}, {"key": "west"}],
    "services": [{"key": "cleaning"}, {"key": "advice"}],
    "practitioners": [
        {"key": "lee", "services": ["cleaning", "advice"], "schedules": [{"location": "main"}, {"location": "west"}]},
    ],
    "resources": [{"key": "chair", "location": "west"}],
    "answers": [{"topic": "parking", "text": "Behind."}, {"topic": "parking", "text": "Detrás."}],
}


def test_a_part_takes_the_place_of_the_one_with_its_key_and_a_new_one_stands_last():
    changed, place = with_part(CLINIC, "services", "cleaning", {"key": "cleaning", "name": "Deep"})
    longer, last = with_part(CLINIC, "services", None, {"key": "new"})

    assert (place, changed["services"]) == (("services", 0), [{"key": "cleaning", "name": "Deep"}, {"key": "advice"}])
    assert (last, [one["key"] for one in longer["services"]]) == (("services", 2), ["cleaning", "advice", "new"])
    assert CLINIC["services"] == [{"key": "cleaning"}, {"key": "advice"}]


def test_an_answer_is_named_by_what_it_says_so_that_it_is_the_same_one_when_others_are_gone():
    first, second = keys_of(CLINIC, "answers")

    left = without_part(CLINIC, "answers", first)

    assert part_of(CLINIC, "answers", second) == {"topic": "parking", "text": "Detrás."}
    assert part_of(CLINIC, "answers", "2") is None
    assert left["answers"] == [{"topic": "parking", "text": "Detrás."}]
    assert keys_of(left, "answers") == [second]
    twice = {**CLINIC, "answers": CLINIC["answers"] * 2}
    assert len(set(keys_of(twice, "answers"))) == 4


def test_an_answer_put_before_others_leaves_those_unchanged():
    after = {**CLINIC, "answers": [{"topic": "insurance", "text": "Yes."}, *CLINIC["answers"]]}

    assert changes(CLINIC, after) == [Change("answers", "insurance: Yes.", Difference.ADDED)]


def test_a_section_tells_what_holds_also_where_the_file_leaves_it_to_the_default():
    rules = part_of(CLINIC, "rules", None)

    assert rules is not None
    assert (rules["hold"], rules["maximum_advance"]) == ("5m", "90d")


def test_with_a_service_goes_what_names_it():
    left = without_part(CLINIC, "services", "cleaning")

    assert left["services"] == [{"key": "advice"}]
    assert left["practitioners"][0]["services"] == ["advice"]


def test_with_a_location_go_the_schedules_and_rooms_there():
    left = without_part(CLINIC, "locations", "west")

    assert left["practitioners"][0]["schedules"] == [{"location": "main"}]
    assert left["resources"] == []


@pytest.mark.parametrize(
    ("name", "key"),
    [("Root canal", "root-canal"), ("Cleaning", "cleaning-2"), ("  ¡Niños!  ", "ninos"), ("治療", "service"), ("x" * 80, "x" * 50)],
)  # fmt: skip
def test_a_key_is_made_from_a_name(name: str, key: str):
    assert new_key(CLINIC, "services", name) == key


def test_what_is_wrong_is_told_in_the_part_or_elsewhere():
    here = Remark("duration", ("services", 1, "duration"))
    there = Remark("unknown-reference", ("practitioners", 0, "services", 0))

    assert remarks_on_part([here, there], ("services", 1)) == ([Remark("duration", ("duration",))], [there])
    assert name_of(CLINIC, there.place) == "lee"


def test_what_differs_is_told_part_by_part():
    after = {
        **CLINIC,
        "rules": {"hold": "6m"},
        "services": [{"key": "advice", "price": "1.00 USD"}, {"key": "class"}],
    }

    assert changes(CLINIC, after) == [
        Change("rules", "", Difference.CHANGED),
        Change("services", "cleaning", Difference.REMOVED),
        Change("services", "advice", Difference.CHANGED),
        Change("services", "class", Difference.ADDED),
    ]
    assert changes(CLINIC, CLINIC) == []
