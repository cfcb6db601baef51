"""Forms of verbs and words written by ear: what the Spanish phrase file is spared of listing."""

import pytest

from dialog.timewords.sounds import read_sounds
from dialog.understanding.phrasebook import phrase_book, spelled_right
from dialog.understanding.verbs import Endings, VerbRules

pytestmark = pytest.mark.unit

BOOK = phrase_book("es")
RULES = VerbRules(
    {
        "ar": Endings(
            plain=["ar", "a", "ando"], stressed=["o", "a"], wishing=["e"], carrying=frozenset({"ar", "a", "e"})
        )
    },
    {"me": ("me",), "mela": ("me", "la")},
)


def test_a_verb_has_all_its_forms_each_once() -> None:
    assert RULES.forms("cancelar") == ["cancelar", "cancela", "cancelando", "cancelo", "cancele"]


def test_stems_that_change_and_forms_without_a_rule_are_said_in_the_line() -> None:
    assert RULES.forms("sacar sac saqu : saco") == ["saco", "sacar", "saca", "sacando", "saque", "sace"]
    assert RULES.forms(": voy vas") == ["voy", "vas"]


def test_pronouns_are_taken_off_the_forms_that_carry_them() -> None:
    written = dict(RULES.with_pronouns("cancelar"))

    assert written["cancelamela"] == ("cancela", "me", "la")
    assert written["canceleme"] == ("cancele", "me")
    assert "canceloma" not in written


def test_a_verb_of_no_known_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="hablur"):
        RULES.forms("hablur")


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("cámbiamela", ("cambia", "me", "la")),
        ("cambiámela", ("cambia", "me", "la")),
        ("muévanmela", ("muevan", "me", "la")),
        ("movémelo", ("move", "me", "lo")),
        ("cancelarla", ("cancelar", "la")),
        ("decile", ("deci", "le")),
        ("póngame", ("ponga", "me")),
        ("pasamos", ("pasamos",)),
        ("toma", ("toma",)),
    ],
)
def test_usted_tu_and_vos_take_the_same_pronouns(written: str, plain: tuple[str, ...]) -> None:
    assert BOOK.rules.plain(written) == plain


@pytest.mark.parametrize(
    ("by_ear", "word"),
    [
        ("kiero", "quiero"),
        ("nesesito", "necesito"),
        ("ablar", "hablar"),
        ("orario", "horario"),
        ("yamar", "llamar"),
        ("mober", "mover"),
        ("jente", "gente"),
        ("garage", "garaje"),
    ],
)
def test_a_word_written_by_ear_is_found(by_ear: str, word: str) -> None:
    assert spelled_right(by_ear, BOOK) == word


@pytest.mark.parametrize("word", ["diaz", "cruz", "paz", "xochitl"])
def test_names_that_sound_like_words_stay_names(word: str) -> None:
    assert spelled_right(word, BOOK) == word


def test_without_rules_nothing_sounds_alike() -> None:
    silent = read_sounds("")

    assert silent.of("letter") == "letter"
    assert silent.by_sound(["letter"]) == {}
