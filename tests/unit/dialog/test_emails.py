"""E-mail addresses: as they are said, written and misheard, and what the dialog does with them."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog import commands as c
from dialog.acts import Act, Say
from dialog.errands import KeepEmail
from dialog.inbound import Channel
from dialog.interpreter import Asked, Listening
from dialog.understanding.local import LocalInterpreter
from dialog.wording.render import render
from tests.support.clinics import elm_catalogue
from tests.unit.dialog.talk import ANN, ANNS_NUMBER, Talk, on

pytestmark = pytest.mark.unit

NOW = datetime.fromisoformat("2027-03-10T10:00")
ELM = elm_catalogue()
INVITING = replace(ELM, email="desk@elm.example", calendars=replace(ELM.calendars, invitations=True))
INTERPRETER = LocalInterpreter()
LANDLINE = None


def heard(text: str, *, asked: Asked = Asked.EMAIL, language: str = "en") -> tuple[c.Command, ...]:
    return INTERPRETER.interpret(text, Listening(catalogue=ELM, now=NOW, asked=asked, language=language)).commands


def addresses(text: str, *, asked: Asked = Asked.EMAIL, language: str = "en") -> list[str | None]:
    return [one.value for one in heard(text, asked=asked, language=language) if isinstance(one, c.GiveEmail)]


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("ruth.marsh@example.com", "ruth.marsh@example.com"),
        ("It's Ruth_Marsh+clinic@Example.co.uk, thanks!", "ruth_marsh+clinic@example.co.uk"),
        ("ruth dot marsh at gmail dot com", "ruth.marsh@gmail.com"),
        ("it's r u t h underscore marsh at yahoo dot com", "ruth_marsh@yahoo.com"),
        ("R as in Romeo, U, T, H, at outlook dot com", "ruth@outlook.com"),
        ("romeo uniform tango hotel at icloud dot com", "ruth@icloud.com"),
        ("ruth marsh all one word at g mail dot com", "ruthmarsh@gmail.com"),
        ("ruth nineteen sixty two at hot mail dot com please", "ruth1962@hotmail.com"),
        ("smyth s m y t h e dash b at elm street dental dot org", "smythe-b@elmstreetdental.org"),
        ("ruth double s seven at a o l dot com", "ruthss7@aol.com"),
        ("yes you can use ruth at my company dot co dot uk", "ruth@mycompany.co.uk"),
        ("ruth at gmail", "ruth@gmail.com"),
        ("ruth at gmail com", "ruth@gmail.com"),
        ("ruth dot marsh and g male dot com", "ruth.marsh@gmail.com"),
        ("ruth dot marsh gmail dot com", "ruth.marsh@gmail.com"),
        ("r.u.t.h at gmail dot com", "ruth@gmail.com"),
    ],
)
def test_an_address_is_understood_however_it_is_said(said: str, address: str) -> None:
    assert heard(said) == (c.GiveEmail(address),)


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("rut punto mar arroba gmail punto com", "rut.mar@gmail.com"),
        ("es rut guion bajo mar ochenta y cuatro arroba jotmail punto com", "rut_mar84@hotmail.com"),
        ("r u t de tomate arroba yahoo punto com punto mx", "rut@yahoo.com.mx"),
        ("be de burro a r i todo junto arroba outlook punto es", "bari@outlook.es"),
    ],
)
def test_an_address_is_understood_in_spanish(said: str, address: str) -> None:
    assert addresses(said, language="es") == [address]


@pytest.mark.parametrize(
    "said",
    [
        "my email is ruth dot marsh at gmail dot com",
        "please send it to ruth dot marsh at gmail dot com",
        "ruth dot marsh at gmail dot com",
        "you can write to me at ruth.marsh@gmail.com",
    ],
)
@pytest.mark.parametrize("asked", [Asked.WHAT_TO_DO, Asked.ANYTHING_ELSE])
def test_an_address_needs_no_question(said: str, asked: Asked) -> None:
    assert addresses(said, asked=asked) == ["ruth.marsh@gmail.com"]


def test_a_wish_beside_an_address_stays_one() -> None:
    meant = heard("a cleaning on Monday at nine, my email is ruth at gmail dot com", asked=Asked.WHAT_TO_DO)

    assert {"give_service", "give_time", "give_email"} <= {one.name for one in meant}
    assert not {"give_name", "give_birth_date"} & {one.name for one in meant}


@pytest.mark.parametrize("said", ["tuesday at nine or at ten", "at Main Street at two", "I was at the dentist", "no"])
def test_what_is_no_address_is_none(said: str) -> None:
    assert addresses(said, asked=Asked.WHEN) == []


@pytest.mark.parametrize("said", ["ruth at", "marsh dot dot", "dot com"])
def test_an_answer_with_signs_of_an_address_that_is_none_was_misheard(said: str) -> None:
    assert addresses(said) == [None]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ruth@gmial.com", "ruth@gmail.com"),
        ("ruth@gmail.con", "ruth@gmail.com"),
        ("ruth@hotnail.com", "ruth@hotmail.com"),
        ("ruth@yaho.com", "ruth@yahoo.com"),
        ("ruth@gmail.com", None),
        ("ruth@mail.com", None),
        ("ruth@yahoo.co.uk", None),
        ("ruth@elm.example", None),
    ],
)
def test_a_likely_slip_of_the_pen_is_noticed(written: str, meant: str | None) -> None:
    assert heard(written) == (c.GiveEmail(written, meant),)


@pytest.mark.parametrize(
    "said",
    [
        "can you email me the confirmation?",
        "could you send that by email please",
        "I'd like a confirmation by email",
        "I can't get texts",
    ],
)
def test_a_wish_for_mail_is_understood(said: str) -> None:
    assert c.WantEmail() in heard(said, asked=Asked.ANYTHING_ELSE)


@pytest.mark.parametrize("said", ["¿me lo puede mandar por correo?", "mándeme la confirmación por correo"])
def test_a_wish_for_mail_is_understood_in_spanish(said: str) -> None:
    assert c.WantEmail() in heard(said, asked=Asked.ANYTHING_ELSE, language="es")


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    words=st.lists(
        st.sampled_from(
            ["ruth", "at", "dot", "gmail", "com", "a", "as", "in", "@", ".", "_", "double", "7", "all", "the"]
        ),
        max_size=9,
    )
)
def test_no_words_of_an_address_break_its_reading(words: list[str]) -> None:
    assert all(one is None or one.count("@") == 1 for one in addresses(" ".join(words)))


# The dialog


def a_call(*, caller: str | None = LANDLINE, number_patients: tuple[str, ...] = ()) -> Talk:
    talk = Talk(channel=Channel.VOICE, caller=caller, number_patients=number_patients)
    talk.catalogue = INVITING
    return talk


def booked_by_a_newcomer(talk: Talk) -> Talk:
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(date(2027, 3, 15)))
    talk.hear(c.Choose(0))
    talk.hear(c.GiveName("Jon Smith"))
    talk.hear(c.GiveBirthDate(date(1990, 3, 13)))
    if Say.ASK_PHONE in talk.said:
        talk.hear(c.GivePhone("+12125550188"))
    talk.hear(c.Affirm())
    assert Say.BOOKED in talk.said
    return talk


def kept(talk: Talk) -> list[KeepEmail]:
    return talk.diary.emails


def test_a_caller_whose_number_takes_no_texts_is_told_of_mail_and_gives_an_address() -> None:
    talk = booked_by_a_newcomer(a_call())
    assert Say.EMAIL_HINT in talk.said

    talk.hear(c.GiveEmail("jon@gmail.com"))
    assert talk.acts[-1] == Act(Say.EMAIL_READ_BACK, {"email": "jon@gmail.com"})
    talk.hear(c.Affirm())

    assert Say.EMAIL_NOTED in talk.said
    assert [(one.patient_id, one.address) for one in kept(talk)] == [(talk.booked()[0].patient_id, "jon@gmail.com")]


def test_an_address_given_with_the_wish_is_read_back_once_the_visit_is_booked() -> None:
    talk = a_call()
    talk.hear(c.GiveEmail("jon@gmail.com"), c.StartBooking(), c.GiveService(("cleaning",)), on(date(2027, 3, 15)))
    booked_by_a_newcomer(talk)
    assert talk.acts[-1] == Act(Say.EMAIL_READ_BACK, {"email": "jon@gmail.com"})

    talk.hear(c.Affirm())

    assert kept(talk) == [KeepEmail(talk.booked()[0].patient_id or "", "jon@gmail.com")]


def test_an_address_given_while_booking_is_kept_with_the_visit() -> None:
    talk = a_call()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(date(2027, 3, 15)))
    talk.hear(c.GiveEmail("jon@gmail.com"))
    assert talk.said == [Say.EMAIL_READ_BACK]
    talk.hear(c.Affirm())
    assert talk.said == [Say.EMAIL_NOTED, Say.OFFER]

    booked_by_a_newcomer(talk)

    assert kept(talk) == [KeepEmail(talk.booked()[0].patient_id or "", "jon@gmail.com")]


def test_an_address_that_was_misheard_is_spelled_and_then_left_out() -> None:
    talk = booked_by_a_newcomer(a_call())
    talk.hear(c.WantEmail())
    assert talk.said == [Say.ASK_EMAIL]

    talk.hear(c.GiveEmail("john@gmail.com"))
    talk.hear(c.Deny())
    assert talk.said == [Say.EMAIL_SPELLED]
    talk.hear(c.GiveEmail("jean@gmail.com"))
    talk.hear(c.Deny())

    assert Say.EMAIL_DROPPED in talk.said
    assert kept(talk) == []


def test_the_right_address_beside_a_no_is_read_back() -> None:
    talk = booked_by_a_newcomer(a_call())
    talk.hear(c.GiveEmail("john@gmail.com"))

    talk.hear(c.Correct(), c.GiveEmail("jon@gmail.com"))

    assert talk.acts[-1] == Act(Say.EMAIL_READ_BACK, {"email": "jon@gmail.com"})


def test_an_address_that_does_not_arrive_is_given_up_and_not_the_caller() -> None:
    talk = booked_by_a_newcomer(a_call())
    talk.hear(c.WantEmail())

    talk.hear(c.GiveEmail(None))
    assert talk.said == [Say.NOT_UNDERSTOOD, Say.ASK_EMAIL]
    talk.hear(c.GiveEmail(None))

    assert Say.EMAIL_DROPPED in talk.said
    assert not talk.decision.ends


@pytest.mark.parametrize(("answer", "address"), [(c.Affirm(), "jon@gmail.com"), (c.Deny(), "jon@gmial.com")])
def test_a_likely_slip_of_the_pen_is_asked_about(answer: c.Command, address: str) -> None:
    talk = Talk(number_patients=(), caller=ANNS_NUMBER)
    talk.catalogue = INVITING
    booked_by_a_newcomer(talk)

    talk.hear(c.GiveEmail("jon@gmial.com", meant="jon@gmail.com"))
    assert talk.acts[-1] == Act(Say.EMAIL_MEANT, {"email": "jon@gmail.com"})
    talk.hear(answer)

    assert [one.address for one in kept(talk)] == [address]


def test_nobody_writes_to_a_record_without_proof_that_it_is_theirs() -> None:
    talk = Talk()
    talk.catalogue = INVITING
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(date(2027, 3, 15)))
    talk.hear(c.Choose(0))
    talk.hear(c.Affirm())
    assert Say.BOOKED in talk.said

    talk.hear(c.GiveEmail("ann@gmail.com"))
    assert talk.said == [Say.ASK_NAME]
    talk.hear(c.GiveName("Ann Smith"))
    assert kept(talk) == []
    talk.hear(c.GiveBirthDate(date(1984, 5, 2)))

    assert kept(talk) == [KeepEmail(ANN, "ann@gmail.com")]


def test_a_clinic_that_sends_no_mail_says_so() -> None:
    talk = Talk()

    talk.hear(c.WantEmail())

    assert Say.NO_EMAILS in talk.said


def test_never_mind_leaves_the_address_out_and_the_booking_open() -> None:
    talk = a_call()
    talk.hear(c.StartBooking(), c.GiveService(("cleaning",)), on(date(2027, 3, 15)))
    talk.hear(c.Choose(0))
    held = talk.state.flow and talk.state.flow.hold
    talk.hear(c.WantEmail())
    assert talk.said == [Say.ASK_EMAIL]

    talk.hear(c.Stop())

    assert Say.EMAIL_DROPPED in talk.said
    assert talk.state.flow is not None
    assert talk.state.flow.hold == held


def test_an_address_is_spelled_for_the_ear_and_written_for_the_eye() -> None:
    asked = [Act(Say.EMAIL_READ_BACK, {"email": "jo_s7@gmail.com"})]

    assert (
        render(asked, catalogue=ELM, channel=Channel.VOICE)
        == "I heard j, o, underscore, s, 7, at gmail dot com. Is that right?"
    )
    assert render(asked, catalogue=ELM, channel=Channel.SMS) == "Is jo_s7@gmail.com right?"
