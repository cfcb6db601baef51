"""The data files of the languages: every rule in them can be used."""

import inspect

import pytest

from dialog.timewords.language import Language, Rule, correct, language, other_languages
from dialog.timewords.phrases import meanings

pytestmark = pytest.mark.unit

ENGLISH, SPANISH = language("en"), language("es")
LANGUAGES = pytest.mark.parametrize("of", [ENGLISH, SPANISH], ids=["en", "es"])
LEAVES = {"NUM", "ORD", "DIGITORD", "DAYNUM", "DAYOF", "HOUR", "HOURWORD", "MINUTE", "MINUTEWORD", "MINUTESTO", "COMPACT", "DOTTED", "DECIMAL", "HHMM", "YEAR", "DATE", "MONTHYEAR", "FRACTION",
          "BADCLOCK", "BADDAY", "WORD", "LASTWORD", "MONTHALONE", "MINE", "EVENT", "LONGWEEKEND", "SEASON"}  # fmt: skip
WHOLE = {"UNCLEAR", "SIGNAL", "DAYPART", "MOMENT", "DAY", "RECURRING", "PARTOF", "SPAN", "TIME", "WEAKDAY", "WEAKSPAN", "WEAKTIME"}  # fmt: skip


def rules_of(of: Language) -> list[tuple[str, Rule]]:
    return [(kind, rule) for kind, rules in of.rules.items() for rule in rules]


def entries_of(of: Language) -> dict[str, set[object]]:
    nodes, found = [of.lexicon], dict[str, set[object]]()
    while nodes:
        node = nodes.pop()
        nodes.extend(node.after.values())
        for phrase in node.phrases:
            found.setdefault(phrase.kind, set()).add(phrase.value)
    return found


@LANGUAGES
def test_every_rule_names_a_meaning_that_takes_what_the_rule_finds(of: Language) -> None:
    for _, rule in rules_of(of):
        found = [item.kind for item in rule.items if item.kind is not None and item.kind not in of.joining]

        inspect.signature(meanings()[rule.meaning]).bind("context", *found, *rule.extra)


@LANGUAGES
def test_every_kind_that_a_rule_mentions_is_there_and_every_kind_is_mentioned(of: Language) -> None:
    mentioned = {item.kind for _, rule in rules_of(of) for item in rule.items if item.kind is not None}

    assert mentioned - set(entries_of(of)) - LEAVES - set(of.rules) == set()
    assert set(of.rules) - mentioned - WHOLE == set()


@LANGUAGES
def test_a_rule_whose_words_are_joined_by_a_bar_holds_no_kind_among_them(of: Language) -> None:
    barred = {word for _, rule in rules_of(of) for item in rule.items for word in item.words if word.isupper()}

    assert barred == set()


def test_every_meaning_is_named_by_a_rule_of_some_language() -> None:
    helpers = {
        "named_part",
        "point",
        "monday_of",
        "written_date",
        "length_of",
        "added",
        "following",
        "next_of_kind",
        "week_told",
        "of_half",
    }
    named = {rule.meaning for of in (ENGLISH, SPANISH) for _, rule in rules_of(of)}

    assert set(meanings()) - named - helpers == set()


@LANGUAGES
def test_every_part_of_a_day_and_holiday_in_the_word_lists_has_its_time(of: Language) -> None:
    entries = entries_of(of)

    assert set().union(*(entries.get(kind, set()) for kind in ("PART", "PARTS", "PARTNAME"))) <= set(of.parts)
    assert entries["HOLIDAY"] == set(of.holidays)


def test_every_language_has_the_same_lists_of_steering_words() -> None:
    assert set(SPANISH.steering) == set(ENGLISH.steering)


def test_no_word_tells_of_two_languages() -> None:
    assert ENGLISH.telling & SPANISH.telling == set()
    assert other_languages("en") == (SPANISH,)


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("thrusday", "thursday"),
        ("tomorrrow", "tomorrow"),
        ("febuary", "febuary"),
        ("afternon", "afternoon"),
        ("saturady", "saturday"),
        ("warning", "warning"),
        ("sandy", "sandy"),
    ],
)
def test_a_slip_in_a_long_time_word_is_mended_and_other_words_are_left(slip: str, meant: str) -> None:
    assert correct(slip, ENGLISH) == meant


@pytest.mark.parametrize(
    ("slip", "meant"),
    [("miercles", "miercoles"), ("diciembre", "diciembre"), ("manzana", "manzana"), ("biernes", "biernes"), ("luces", "luces")],
)  # fmt: skip
def test_a_slip_in_spanish_is_mended_too(slip: str, meant: str) -> None:
    assert correct(slip, SPANISH) == meant
