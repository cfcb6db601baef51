"""What the network acts on by itself is told from what a patient says to us."""

import pytest

from sms.keywords import Action, language_of, read, wants_visit_cancelled

pytestmark = pytest.mark.unit


def action(body: str, *, opt_out_type: str = "", is_opted_out: bool = False) -> Action:
    return read(body, opt_out_type=opt_out_type, is_opted_out=is_opted_out)


@pytest.mark.parametrize(
    "body",
    [
        "STOP",
        "stop",
        " Stop. ",
        "STOP!!",
        "“stop”",
        "StopAll",
        "UNSUBSCRIBE",
        "end",
        "Quit",
        "CANCEL",
        "revoke",
        "OPTOUT",
        "opt-out",
    ],
)
def test_one_word_of_the_stop_family_opts_out(body: str):
    assert action(body) is Action.OPT_OUT


@pytest.mark.parametrize(
    "body",
    [
        "please stop",
        "cancel my appointment",
        "Cancel it",
        "stop by tomorrow?",
        "the end",
        "when does it end",
        "canceled",
        "yes cancel",
        "1",
        "",
        "👍",
        "?!",
    ],
)
def test_the_same_words_in_a_sentence_are_for_the_dialog(body: str):
    assert action(body) is Action.CONVERSE


@pytest.mark.parametrize("body", ["ALTO", "alto.", "Parar", "BAJA", "¡Pare!"])
@pytest.mark.parametrize("is_opted_out", [True, False])
def test_a_spanish_word_of_the_stop_family_opts_out_and_is_ours_to_answer(body: str, is_opted_out: bool):
    assert action(body, is_opted_out=is_opted_out) is Action.OPT_OUT_HERE


@pytest.mark.parametrize(
    ("body", "language"),
    [
        ("Please stop texting me!", "en"),
        ("STOP sending me these messages", "en"),
        ("don't text me again, thank you", "en"),
        ("No more texts please", "en"),
        ("Remove me from your text list", "en"),
        ("Por favor, no me manden más mensajes", "es"),
        ("dejen de escribirme", "es"),
        ("Quiero darme de baja", "es"),
    ],
)
def test_whoever_asks_for_no_texts_in_a_sentence_opts_out_and_is_answered_in_their_language(body: str, language: str):
    assert action(body) is Action.OPT_OUT_HERE
    assert language_of(body) == language


@pytest.mark.parametrize(
    "body",
    [
        "don't text me, call me",
        "No more appointments on Mondays please",
        "stop my reminders from saying the wrong name",
        "no me manden a la otra sede",
        "take me off the list",
    ],
)
def test_what_asks_for_something_else_is_for_the_dialog(body: str):
    assert action(body) is Action.CONVERSE


@pytest.mark.parametrize("body", ["cancelar", "CANCELAR mi cita", "no pare de doler", "estoy de baja", "mi alto nivel"])
def test_spanish_words_about_a_visit_are_for_the_dialog(body: str):
    assert action(body) is Action.CONVERSE


def test_help_in_spanish_is_ours_to_answer_but_not_to_who_wants_no_texts():
    assert action("AYUDA") is Action.HELP_HERE
    assert action("ayuda", is_opted_out=True) is Action.UNREACHABLE


@pytest.mark.parametrize("body", ["START", "unstop", "Start!"])
def test_start_opts_in_whether_or_not_one_had_stopped(body: str):
    assert action(body) is Action.OPT_IN
    assert action(body, is_opted_out=True) is Action.OPT_IN


@pytest.mark.parametrize("body", ["HELP", "info", "Help?"])
def test_help_is_answered_by_the_vendor(body: str):
    assert action(body) is Action.LEAVE_TO_VENDOR


@pytest.mark.parametrize("body", ["YES", "yes", "Yes!", " yes."])
def test_a_yes_is_an_answer_unless_the_sender_had_stopped(body: str):
    assert action(body) is Action.CONVERSE
    assert action(body, is_opted_out=True) is Action.OPT_IN


def test_words_of_somebody_who_stopped_cannot_be_answered():
    assert action("can I come on Friday", is_opted_out=True) is Action.UNREACHABLE
    assert action("yes please", is_opted_out=True) is Action.UNREACHABLE


@pytest.mark.parametrize(
    ("opt_out_type", "expected"),
    [("STOP", Action.OPT_OUT), ("START", Action.OPT_IN), ("HELP", Action.LEAVE_TO_VENDOR), ("stop", Action.OPT_OUT)],
)
def test_the_vendors_own_reading_wins(opt_out_type: str, expected: Action):
    assert action("arrêt", opt_out_type=opt_out_type) is expected
    assert action("help", opt_out_type=opt_out_type) is expected


def test_only_cancel_was_probably_meant_for_a_visit():
    assert wants_visit_cancelled("Cancel!")
    assert not wants_visit_cancelled("STOP")
