"""The data file of a language: every rule in it can be used."""

import inspect

import pytest

from dialog.timewords.language import Rule, correct, language
from dialog.timewords.phrases import meanings

pytestmark = pytest.mark.unit

ENGLISH = language("en")
LEAVES = {"NUM", "ORD", "DIGITORD", "DAYNUM", "HOUR", "HOURWORD", "MINUTE", "MINUTEWORD", "MINUTESTO", "COMPACT", "DOTTED", "DECIMAL", "HHMM", "YEAR", "DATE", "MONTHYEAR", "FRACTION",
          "BADCLOCK", "BADDAY", "WORD", "LASTWORD", "MONTHALONE", "MINE", "EVENT", "SEASON"}  # fmt: skip
JOINING = {kind for kind, rules in ENGLISH.rules.items() if all(rule.meaning == "nothing" for rule in rules)}
RULES = [(kind, rule) for kind, rules in ENGLISH.rules.items() for rule in rules]


@pytest.mark.parametrize(("kind", "rule"), RULES, ids=[f"{kind}-{rule.order}" for kind, rule in RULES])
def test_every_rule_names_a_meaning_that_takes_what_the_rule_finds(kind: str, rule: Rule) -> None:
    found = [item.kind for item in rule.items if item.kind is not None and item.kind not in JOINING]

    inspect.signature(meanings()[rule.meaning]).bind("context", *found, *rule.extra)


def test_every_kind_that_a_rule_mentions_is_there() -> None:
    lists = {phrase.kind for child in ENGLISH.lexicon.after.values() for phrase in child.phrases} | {
        "OCLOCK",
        "HOLIDAY",
        "RELATIVE",
        "SOFT",
        "FLEXIBLE",
        "ORDER",
        "IGNORE",
        "WEEKDAYS",
    }
    mentioned = {item.kind for _, rule in RULES for item in rule.items if item.kind is not None}

    assert mentioned - lists - LEAVES - set(ENGLISH.rules) == set()


def test_every_meaning_is_named_by_a_rule() -> None:
    helpers = {"named_part", "point", "monday_of", "written_date", "length_of", "added", "following", "of_half"}

    assert set(meanings()) - {rule.meaning for _, rule in RULES} - helpers == set()


def test_every_part_of_a_day_and_holiday_in_the_word_lists_has_its_time() -> None:
    def values(kind: str) -> set[object]:
        nodes, found = [ENGLISH.lexicon], set()
        while nodes:
            node = nodes.pop()
            nodes.extend(node.after.values())
            found |= {phrase.value for phrase in node.phrases if phrase.kind == kind}
        return found

    assert values("PART") | values("PARTS") <= set(ENGLISH.parts)
    assert values("HOLIDAY") == set(ENGLISH.holidays)


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
