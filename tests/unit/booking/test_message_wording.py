"""A clinic's own words for a text: what they must hold, and what they may not."""

import pytest

from booking.message_wording import Fault, WordedKind, WordingFault, faults

pytestmark = pytest.mark.unit

GOOD = {
    WordedKind.MAIL_REMINDER: "See you {when}.\n\nPlease cancel in time: reply STOP and we will {or_call}",
    WordedKind.SUBJECT_BOOKED: "Your visit",
    WordedKind.BOOKED: "{clinic}: see you on {when} at {place}.",
    WordedKind.REMINDER: "{clinic}: see you {when}? Reply 1 for yes, 2 to move{or_call}. Please cancel in time.",
    WordedKind.REMINDERS: "{clinic}, {visits}: responda 1 para confirmar, 2 para cambiar.",
    WordedKind.OFFER: "{clinic}: {when} is free until {until}. 1 takes it, 2 passes. Yes, really!",
}


@pytest.mark.parametrize(("kind", "text"), GOOD.items())
def test_words_that_hold_what_they_must_are_fit(kind: WordedKind, text: str) -> None:
    assert list(faults(kind, text)) == []


@pytest.mark.parametrize(
    ("kind", "text", "fault"),
    [
        (WordedKind.BOOKED, "  ", Fault(WordingFault.EMPTY)),
        (WordedKind.BOOKED, "{clinic} {when} " + "x" * 400, Fault(WordingFault.TOO_LONG)),
        (WordedKind.BOOKED, "{clinic} {when", Fault(WordingFault.MALFORMED)),
        (WordedKind.BOOKED, "{clinic.__class__} {when}", Fault(WordingFault.MALFORMED)),
        (WordedKind.BOOKED, "{clinic!r} {when}", Fault(WordingFault.MALFORMED)),
        (WordedKind.BOOKED, "{clinic} {when} {}", Fault(WordingFault.MALFORMED)),
        (WordedKind.BOOKED, "{clinic} {when} {service}", Fault(WordingFault.UNKNOWN_FIELD, "service")),
        (WordedKind.BOOKED, "See you on {when}.", Fault(WordingFault.MISSING_FIELD, "clinic")),
        (WordedKind.REMINDER, "{clinic}: {when}. Reply 1 to confirm.", Fault(WordingFault.MISSING_DIGIT, "2")),
        (WordedKind.MAIL_OFFER, "{when} is free at {clinic}.", Fault(WordingFault.MISSING_FIELD, "until")),
        (WordedKind.MAIL_BOOKED, "{when} " + "x" * 1000, Fault(WordingFault.TOO_LONG)),
        (WordedKind.SUBJECT_MOVED, "{clinic}: {when}", Fault(WordingFault.UNKNOWN_FIELD, "when")),
        (WordedKind.BOOKED, "{clinic}: {when}. Reply CANCEL to cancel.", Fault(WordingFault.NETWORK_WORD, "CANCEL")),
        (WordedKind.BOOKED, "{clinic}: {when}. Reply with 'stop'.", Fault(WordingFault.NETWORK_WORD, "stop")),
        (WordedKind.BOOKED, "{clinic}: {when}. Responda baja.", Fault(WordingFault.NETWORK_WORD, "baja")),
        (WordedKind.BOOKED, "{clinic}: {when}. Text YES to confirm.", Fault(WordingFault.NETWORK_WORD, "YES")),
    ],
)
def test_words_that_do_not_serve_are_refused(kind: WordedKind, text: str, fault: Fault) -> None:
    assert fault in list(faults(kind, text))
