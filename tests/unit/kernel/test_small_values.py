"""Numbers, amounts, keys, clocks and log lines."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import log
from kernel.clock import FixedClock
from kernel.crypto import CannotDecrypt, Keyring
from kernel.money import Money
from kernel.phone import caller_number, masked, may_take_texts, readable, to_e164

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("(212) 555-0123", "US", "+12125550123"),
        ("212 555 0123", "US", "+12125550123"),
        ("+34 612 34 56 78", "US", "+34612345678"),
        ("612 34 56 78", "ES", "+34612345678"),
        ("12", "US", None),
        ("call me", "US", None),
        ("", "US", None),
        ("9" * 40, "US", None),
    ],
)
def test_numbers_are_kept_in_one_form(text: str, country: str, number: str | None) -> None:
    assert to_e164(text, country=country) == number


@pytest.mark.parametrize(
    "text", ["anonymous", "Anonymous", "+266696687", "", None, "sip:ann@example.org", "client:ann"]
)
def test_a_withheld_number_is_no_number(text: str | None) -> None:
    assert caller_number(text) is None


def test_a_shown_number_keeps_two_digits() -> None:
    assert masked("+12125550123") == "…23"
    assert masked(None) == "withheld"


@pytest.mark.parametrize(
    ("text", "minor"), [("95.00 USD", 9500), ("95 EUR", 9500), ("0.5 EUR", 50), ("1200.05 USD", 120005)]
)
def test_amounts_are_kept_in_minor_units(text: str, minor: int) -> None:
    assert Money.parse(text).amount_minor == minor


@pytest.mark.parametrize("text", ["95", "$95", "95.000 USD", "-5 USD", "95 usd", "ninety USD"])
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Money.parse(text)


def test_an_amount_is_written_as_it_was_read() -> None:
    assert str(Money.parse("95.5 USD")) == "95.50 USD"


KEYS = Keyring("a secret that is long enough, surely")


@given(st.text())
def test_what_is_encrypted_comes_back(text: str) -> None:
    assert KEYS.decrypt(KEYS.encrypt(text)) == text


@given(st.text(min_size=1, max_size=50), st.sampled_from((20, 100, 300)))
def test_what_is_long_comes_back_as_it_was(text: str, times: int) -> None:
    assert KEYS.decrypt(KEYS.encrypt(text * times)) == text * times


def test_what_repeats_itself_takes_little_room() -> None:
    assert len(KEYS.encrypt('{"starts_at": "2027-03-15T13:00:00Z"}' * 250)) < 500


def test_another_key_cannot_read_it_and_says_why() -> None:
    sealed = Keyring("one secret that is long enough, surely").encrypt("1984-05-02")

    with pytest.raises(CannotDecrypt, match="FRONTDESK_SECRET_KEY") as stopped:
        Keyring("another secret, long enough as well").decrypt(sealed)

    assert stopped.value.__cause__ is None


def test_the_same_value_is_found_by_its_hash_and_only_with_the_same_key() -> None:
    one, other = Keyring("one secret that is long enough, surely"), Keyring("another secret, long enough as well")

    assert one.lookup_hash("+12125550123") == one.lookup_hash("+12125550123")
    assert one.lookup_hash("+12125550123") != other.lookup_hash("+12125550123")
    assert one.lookup_hash("+12125550123") != one.signature("+12125550123")


def test_a_fixed_clock_moves_only_when_told() -> None:
    clock = FixedClock(datetime(2027, 3, 10, 15, tzinfo=UTC))

    clock.advance(timedelta(minutes=20))

    assert clock.now() == datetime(2027, 3, 10, 15, 20, tzinfo=UTC)


def test_a_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        FixedClock(datetime(2027, 3, 10, 15))  # noqa: DTZ001 -- that is the mistake


def test_personal_data_does_not_reach_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(level="INFO")

    log.get_logger().info("booking.hold.placed", appointment_id="a1", pii_name="Ann Smith", phone_pii="+12125550123")

    line = json.loads(capsys.readouterr().out)
    assert line["event"] == "booking.hold.placed"
    assert line["appointment_id"] == "a1"
    assert not {"pii_name", "phone_pii"} & set(line)


def test_a_number_is_shown_as_people_write_it():
    assert readable("+12125550100") == "+1 212-555-0100"


@pytest.mark.parametrize(
    ("number", "may"),
    [("+442072343456", False), ("+447911123456", True), ("+12125550123", True), ("+34612345678", True)],
)
def test_only_a_certain_landline_takes_no_texts(number: str, may: bool):
    assert may_take_texts(number) is may
