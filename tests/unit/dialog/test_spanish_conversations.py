"""Which language a conversation is in, and how it changes; red flags in whatever language they come."""

from dataclasses import replace
from datetime import datetime

import pytest

from booking.values import TaskKind
from dialog import commands as c
from dialog.acts import Say
from dialog.inbound import Channel, InboundKind
from dialog.interpreter import Asked, Listening
from dialog.languages import first_language, spoken_at
from dialog.understanding.local import LocalInterpreter
from tests.support.clinics import elm_catalogue
from tests.unit.dialog.talk import Talk

pytestmark = pytest.mark.unit

CLINIC = elm_catalogue()
ENGLISH_ONLY = replace(CLINIC, languages=("en",))
INTERPRETER = LocalInterpreter()
NOW = datetime.fromisoformat("2027-03-10T10:00")


def switched(text: str, *, language: str, asked: Asked = Asked.NOTHING) -> str | None:
    """Give the language that `text` goes over to, None if it stays where it is."""
    meant = INTERPRETER.interpret(text, Listening(CLINIC, NOW, language, asked))
    return next((one.language for one in meant.commands if isinstance(one, c.SwitchLanguage)), None)


@pytest.mark.parametrize(
    "text",
    [
        "¿habla español?",
        "do you speak Spanish?",
        "Hola, necesito una cita para mañana",
        "me duele mucho la espalda",
        "español por favor",
        "quisiera cancelar mi cita",
        "no entiendo, ¿hablan español?",
    ],
)
def test_spanish_is_gone_over_to_when_it_is_asked_for_or_clearly_spoken(text: str) -> None:
    assert switched(text, language="en") == "es"


@pytest.mark.parametrize(
    "text",
    [
        "English please",
        "can we speak in English",
        "sorry, I don't understand, I would like to book an appointment",
        "¿podemos seguir en inglés?",
    ],
)
def test_english_is_gone_over_to_when_it_is_asked_for_or_clearly_spoken(text: str) -> None:
    assert switched(text, language="es") == "en"


def test_small_words_tell_the_language_though_a_reason_for_a_visit_holds_them_too() -> None:
    wordy = replace(CLINIC.services[0], reasons=("can I get my teeth looked at", "it is for the pain"))
    clinic = replace(CLINIC, services=(wordy, *CLINIC.services[1:]), _by_id={})

    meant = INTERPRETER.interpret("can I get a visit for my wife?", Listening(clinic, NOW, "es"))

    assert meant.commands[0] == c.SwitchLanguage("en")


@pytest.mark.parametrize("text", ["no", "si", "gracias", "hola", "ok", "the first one, gracias", "Dr. Ruiz", "adios"])
def test_a_short_word_that_both_use_changes_nothing_in_english(text: str) -> None:
    assert switched(text, language="en") is None


@pytest.mark.parametrize("text", ["no", "ok", "thanks", "hello", "Dr. Lee", "sí, ok", "Main Street", "bye"])
def test_a_short_word_that_both_use_changes_nothing_in_spanish(text: str) -> None:
    assert switched(text, language="es") is None


@pytest.mark.parametrize("asked", [Asked.NAME, Asked.SPELL_NAME, Asked.MESSAGE])
def test_a_name_or_a_message_tells_nothing_about_the_language(asked: Asked) -> None:
    assert switched("María de la Luz Reyes Mañana Domingo", language="en", asked=asked) is None


def test_what_is_said_with_the_change_is_understood_in_the_new_language() -> None:
    meant = INTERPRETER.interpret("necesito cambiar mi cita", Listening(CLINIC, NOW, "en"))

    assert meant.commands == (c.SwitchLanguage("es"), c.StartReschedule())
    assert meant.language == "es"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("me quiero morir", "en"),
        ("creo que es un infarto", "en"),
        ("I can't breathe", "es"),
        ("chest pain", "es"),
    ],
)
def test_a_red_flag_is_heard_in_any_language(text: str, language: str) -> None:
    meant = INTERPRETER.interpret(text, Listening(CLINIC, NOW, language))

    assert any(isinstance(one, c.Emergency) for one in meant.commands)
    assert meant.language != language


@pytest.mark.parametrize(
    "text",
    [
        "no tengo dolor en el pecho",
        "sin fiebre ni falta de aire, solo tos",
        "tuve un infarto hace tres años y quiero un chequeo",
        "mi papá murió de un derrame el año pasado",
        "nunca he tenido convulsiones",
        "hay historial de infartos en mi familia",
        "me duele la cabeza",
        "tengo tos y gripe",
        "no me duele el pecho",
        "no tengo dificultad para respirar",
        "mi hermano tuvo un infarto hace cinco años",
        "sin dolor de pecho ni falta de aire",
        "quiero una cita porque tuve un derrame en 2019 y necesito control",
        "me sangran las encías cuando me cepillo",
        "me duele el brazo",
        "me corté el dedo un poquito",
        "tengo alergia al polen",
        "se me durmió el pie al sentarme",
        "mi hija tiene fiebre",
        "¿es una emergencia si me duele la muela?",
        "no es ninguna emergencia",
        "estoy muerto de cansancio",
        "tengo una pregunta",
        "se me partió un diente",
        "necesito una urgencia dental",
        "me duele la espalda desde que cargué una caja",
        "estoy embarazada y quiero una cita",
        "me falta un empaste",
        "no puedo ir mañana",
        "me salió sangre de la nariz ayer",
        "mi padre murió de un infarto",
        "tengo la presión alta",
        "me duele el oído",
        "me tomé una pastilla para el dolor",
    ],
)
def test_what_is_denied_or_over_or_harmless_is_no_red_flag_in_spanish(text: str) -> None:
    meant = INTERPRETER.interpret(text, Listening(CLINIC, NOW, "es"))

    assert not any(isinstance(one, c.Emergency) for one in meant.commands)


@pytest.mark.parametrize(
    "text",
    [
        "tuve un infarto hace tres años y ahora me duele el pecho otra vez",
        "no me duele el brazo pero no puedo respirar",
        "desde ayer tengo opresión en el pecho",
    ],
)
def test_what_goes_on_now_is_a_red_flag_whatever_is_told_beside_it(text: str) -> None:
    meant = INTERPRETER.interpret(text, Listening(CLINIC, NOW, "es"))

    assert any(isinstance(one, c.Emergency) for one in meant.commands)


# The conversation.


def test_a_conversation_goes_on_in_the_language_that_was_asked_for() -> None:
    talk = Talk()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)))
    told = talk.hear(c.SwitchLanguage("es"))

    assert talk.state.language == "es"
    assert talk.said == [Say.LANGUAGE_SWITCHED, Say.OFFER]
    assert told.startswith("Claro, sigamos en español.")


def test_what_was_wished_with_the_change_is_not_lost() -> None:
    talk = Talk()
    told = talk.hear(c.SwitchLanguage("es"), c.StartBooking(), c.GiveService(("cleaning",)))

    assert talk.said == [Say.HELLO, Say.OFFER]
    assert "Limpieza dental" in told


def test_a_call_is_answered_in_the_language_of_who_calls_and_tells_how_to_change_it() -> None:
    spanish, english = Talk(channel=Channel.VOICE, language="es"), Talk(channel=Channel.VOICE)

    assert "For English, press 8." in spanish.event(InboundKind.START)
    assert "Para español, oprima 8." in english.event(InboundKind.START)


def test_a_key_changes_the_language_and_back() -> None:
    talk = Talk(channel=Channel.VOICE)
    talk.event(InboundKind.START)
    talk.press("8")
    once = talk.state.language
    talk.press("8")

    assert (once, talk.state.language) == ("es", "en")


def test_a_clinic_that_lists_no_spanish_is_not_spoken_for_in_it() -> None:
    talk = Talk()
    talk.catalogue = ENGLISH_ONLY
    told = talk.hear(c.SwitchLanguage("es"))

    assert talk.state.language == "en"
    assert [one.kind for one in talk.diary.tasks] == [TaskKind.CALL_BACK]
    assert "I can only write English so far." in told


def test_an_emergency_in_another_language_is_answered_in_it() -> None:
    talk = Talk(channel=Channel.VOICE)
    told = talk.hear(c.SwitchLanguage("es"), c.Emergency("infarto"))

    assert "llame al 9 1 1" in told


@pytest.mark.parametrize(
    ("text", "language", "told"),
    [
        ("does anyone speak Spanish?", "en", "Spanish: Dr. Ruiz."),
        ("¿quién habla español?", "es", "Español: la Dra. Ruiz."),
        ("quien habla espanol", "es", "Español: la Dra. Ruiz."),
    ],
)
def test_who_speaks_a_language_is_told_by_name(text: str, language: str, told: str) -> None:
    talk = Talk(language=language)

    assert told in talk.hear(c.AskClinic(c.Topic.LANGUAGES, text))


def test_starting_over_keeps_the_language() -> None:
    talk = Talk(language="es")
    talk.hear(c.StartOver())

    assert talk.state.language == "es"


@pytest.mark.parametrize(
    ("of_patients", "language"),
    [((), "en"), (("es",), "es"), (("es", "es"), "es"), (("es", "en"), "en"), (("fr",), "en"), ((None,), "en")],
)
def test_a_conversation_begins_in_the_language_of_the_patients_of_the_number(
    of_patients: tuple[str | None, ...], language: str
) -> None:
    assert first_language(CLINIC, of_patients=of_patients) == language


def test_a_spanish_clinic_is_spoken_for_in_spanish_first() -> None:
    clinic = replace(CLINIC, languages=("es", "en"))

    assert first_language(clinic, of_patients=()) == "es"
    assert spoken_at(replace(clinic, languages=("fr",))) == ("en",)


@pytest.mark.parametrize(
    ("text", "language"),
    [("cita por favor", "es"), ("turno, por favor", "es"), ("por favor", "en"), ("hi ai", "en"), ("ok AI", "en")],
)
def test_a_word_of_one_language_alone_tells_it_apart_from_what_is_said_in_both(text: str, language: str) -> None:
    assert INTERPRETER.interpret(text, Listening(CLINIC, NOW, "en")).language == language
