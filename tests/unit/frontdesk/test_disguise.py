"""What patients say of who they are becomes somebody else's, in all the ways in which it is said."""

import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from frontdesk.replay.disguise import Disguise, Heard

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 10, 10)  # noqa: DTZ001 -- wall time at the clinic
ANN, ANA = "+12125550123", "+34600123456"
EN, ES = Heard(), Heard(language="es")


def disguise(**given: Any) -> Disguise:
    known: dict[str, Any] = {
        "names": ["Ann Smith", "María de la Cruz", "Will Young"],
        "numbers": [ANN, ANA],
        "emails": ["ann.smith@mail.example"],
        "births": [date(1984, 5, 2), date(1990, 12, 31)],
        "kept": ["Dr. Mina Lee", "Main Street", "Dental cleaning"],
        "shift": timedelta(days=-100),
        "now": NOW,
        "day_first": False,
    }
    return Disguise(**(known | given))


@pytest.mark.parametrize(
    ("said", "heard", "told"),
    [
        ("I'm Ann Smith, born May 2nd 1984", EN, "I'm Robin Bennett, born January 23, 1984"),
        ("ann smith's daughter", EN, "robin bennett's daughter"),
        ("ANN SMITH 05 02 1984", EN, "ROBIN BENNETT 01 23 1984"),
        ("S M I T H", EN, "B E N N E T T"),
        ("it's s-m-i-t-h", EN, "it's b-e-n-n-e-t-t"),
        ("S as in Sam, M as in Mary, I T H", EN, "B E N N E T T"),
        ("it is sierra mike india tango hotel", EN, "it is b e n n e t t"),
        ("ess em eye tee aitch, Ann", EN, "b e n n e t t, Robin"),
        ("ce erre u zeta", ES, "h a y e s"),
        ("C de casa, R de Roma, U de uva, Z de zapato", ES, "H A Y E S"),
        ("a n n dot s m i t h at mail dot example", EN, "patient1 at example dot org"),
        ("(212) 555-0123 or 555 0123", EN, "(212) 555-0100 or 555 0100"),
        ("two one two triple five oh one two three please", EN, "two one two five five five zero one zero zero please"),
        ("write to ann.smith@mail.example", EN, "write to patient1@example.org"),
        ("ann dot smith at mail dot example", EN, "patient1 at example dot org"),
        ("five two eighty four", EN, "January 23, 1984"),
        ("the second of May nineteen eighty four", EN, "the January 23, 1984"),
        ("oh five oh two nineteen eighty four", EN, "January 23, 1984"),
        ("05/02/1984", EN, "01/23/1984"),
        ("1984-05-02", EN, "1984-01-23"),
        ("nineteen eighty-four", EN, "1984"),
        ("soy María de la Cruz, nací el 31 de diciembre de 1990", ES,
         "soy Casey de la Hayes, nací el 22 de septiembre de 1990"),
        ("treinta y uno de diciembre de mil novecientos noventa", ES, "22 de septiembre de 1990"),
        ("seis cero cero uno dos tres cuatro cinco seis", ES, "seis uno dos tres cuatro cinco seis cero uno"),
        ("it's Will Young", Heard(names=("Will Young",)), "it's Jordan Porter"),
    ],
)  # fmt: skip
def test_it_is_told_otherwise_in_the_way_in_which_it_was_said(said: str, heard: Heard, told: str) -> None:
    assert disguise().text(said, heard).text == told


@pytest.mark.parametrize(
    "said",
    [
        "will it hurt with Dr Lee? May I come in May",
        "a cleaning on March 15 at 10:30, or 3/16/2027",
        "the first one",
        "",
    ],
)
def test_wishes_and_the_clinics_own_words_stay(said: str) -> None:
    assert disguise().text(said, EN).text == said


def test_a_patient_with_the_name_of_somebody_who_works_there_is_told_apart_where_they_give_it() -> None:
    other = disguise(names=["Mina Lee"])

    assert other.text("with Doctor Lee please", EN).text == "with Doctor Lee please"
    assert "Lee" not in other.text("my name is Mina Lee", Heard(names=("Mina Lee",))).text


def test_somebody_is_the_same_other_person_everywhere_misspelt_too() -> None:
    other = disguise(names=["Ann Smith", "ann smyth", "Bob Smith"])

    assert other.name("Bob Smith").split()[1] == other.name("Ann Smith").split()[1]
    assert other.text("ann smyth", EN).text == other.name("Ann Smith").lower()


@pytest.mark.parametrize(
    ("said", "may_tell"),
    [
        ("its ann smtih", True),
        ("smiths appointment please", True),
        ("annsmith here", True),
        ("i live at 12 old mill road", True),
        ("vivo en la calle mayor", True),
        ("sierra mike india golf hotel", True),
        ("why are you closed in march", False),
        ("with doctor lee at main street please", False),
    ],
)
def test_what_is_nearly_a_name_or_an_address_is_left_to_staff(said: str, *, may_tell: bool) -> None:
    other = disguise()

    assert other.may_tell(other.text(said, EN).masked) is may_tell


def test_keys_keep_their_order() -> None:
    other = disguise()

    assert [other.keys(each) for each in ("05021984", "2125550123", "1", "654321")] == [
        "01231984", "2125550100", "1", "654321",
    ]  # fmt: skip


def test_other_numbers_are_nobodys_and_each_is_another() -> None:
    other = disguise(numbers=[ANN, ANA, "+442071234567", "+12125559999"])
    numbers = [other.number(each) for each in (ANN, ANA, "+442071234567", "+12125559999")]

    assert len(set(numbers)) == 4
    assert all(re.fullmatch(r"\+1\d{3}55501\d\d", each) for each in (numbers[0], numbers[3]))
    assert numbers[1].startswith("+34")


def test_what_was_put_in_is_masked() -> None:
    assert disguise().text("it's Ann, on Monday", EN).masked == "it's it, on Monday"
