"""What a text to somebody who was cut off says: the way on, and nothing that is nobody else's business."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dialog.due import DroppedCall
from dialog.languages import SPOKEN
from dialog.offers import Offer
from dialog.state import FlowKind
from sms import segments
from sms.pick_up_texts import compose_pick_up
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
CATALOGUE = elm_catalogue()
SERVICE, PLACE, PERSON = CATALOGUE.services[0], CATALOGUE.locations[0], CATALOGUE.practitioners[0]


def an_offer(starts_at: datetime) -> Offer:
    return Offer(SERVICE.id, PLACE.id, starts_at, starts_at + timedelta(minutes=45), (PERSON.id,))


OFFERS = tuple(an_offer(NOW + timedelta(days=day)) for day in (1, 2, 5))
CALL = DroppedCall("conversation-1", CATALOGUE.clinic_id, "+12125550123", "en", NOW, FlowKind.BOOK.value, OFFERS)


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("kind", FlowKind)
def test_whatever_was_open_has_words_of_at_most_two_parts_in_the_cheap_alphabet(kind: FlowKind, language: str) -> None:
    text = compose_pick_up(CATALOGUE, replace(CALL, doing=kind.value, offers=(), language=language), now=NOW)

    counted = segments.count(text)
    assert (counted.encoding, counted.count <= 2) == (segments.Encoding.GSM_7, True), text
    assert text.startswith("Elm Street Clinic: ")


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("offers", [OFFERS, OFFERS[:1]])
def test_neither_service_nor_practitioner_is_named(offers: tuple[Offer, ...], language: str) -> None:
    text = compose_pick_up(CATALOGUE, replace(CALL, offers=offers, language=language), now=NOW)

    assert SERVICE.name not in text
    assert PERSON.name not in text
    assert segments.count(text).count <= 3
    assert text.count(PLACE.name) == len(offers) * (len(CATALOGUE.locations) > 1)


@pytest.mark.parametrize(
    ("now", "names_times"),
    [
        (NOW + timedelta(minutes=1), True),
        (NOW + timedelta(minutes=90), True),
        (NOW + timedelta(minutes=91), False),  # the answer would come too late to be a number
        (NOW + timedelta(hours=10), False),
    ],
)
def test_times_are_told_as_long_as_their_numbers_can_be_answered(now: datetime, names_times: bool) -> None:
    assert ("1)" in compose_pick_up(CATALOGUE, CALL, now=now)) is names_times


def test_a_time_that_has_gone_by_is_not_told() -> None:
    text = compose_pick_up(CATALOGUE, replace(CALL, offers=(an_offer(NOW), *OFFERS)), now=NOW + timedelta(minutes=1))

    assert "1)" not in text
