"""Settings are read once, and a wrong one stops the start with one clear line."""

import stat
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest

from kernel.config import BadSetting, Mode, Settings, load_settings
from kernel.mail import MailServer, Security
from kernel.outbound import AddressRefused

pytestmark = pytest.mark.unit

PRODUCTION = {
    "FRONTDESK_MODE": "production",
    "FRONTDESK_SECRET_KEY": "k" * 40,
    "TWILIO_ACCOUNT_SID": "AC" + "a" * 32,
    "TWILIO_AUTH_TOKEN": "token",
}


def load(tmp_path: Path, **env: str) -> Settings:
    return load_settings({"FRONTDESK_DATA": str(tmp_path / "var"), **env})


def test_nothing_set_gives_the_embedded_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)

    assert settings.is_embedded_database
    assert settings.redis_url is None
    assert (settings.host, settings.port, settings.public_base_url) == ("127.0.0.1", 8000, "http://127.0.0.1:8000")
    assert settings.model is None
    assert settings.mail_server is None
    assert settings.mode is Mode.DEVELOPMENT
    assert not settings.twilio.is_real


def test_secrets_made_at_the_first_start_are_kept_and_private(tmp_path: Path) -> None:
    first, second = load(tmp_path), load(tmp_path)

    assert first.secret_key == second.secret_key
    assert first.twilio.auth_tokens == second.twilio.auth_tokens
    assert stat.S_IMODE((tmp_path / "var" / "secrets.json").stat().st_mode) == 0o600


def test_secrets_are_not_in_the_text_form(tmp_path: Path) -> None:
    settings = load(tmp_path, FRONTDESK_MODEL="m", OPENAI_API_KEY="sk-very-secret", **PRODUCTION)

    assert "k" * 40 not in repr(settings)
    assert "token" not in repr(settings).replace("auth_tokens", "")
    assert "sk-very-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FRONTDESK_MODLE", "x", "FRONTDESK_MODLE is not a setting"),
        ("PORT", "eighty", "PORT must be a number"),
        ("PORT", "70000", "PORT must be a number"),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL must begin with"),
        ("REDIS_URL", "localhost:6379", "REDIS_URL must be an address"),
        ("PUBLIC_BASE_URL", "example.org", "PUBLIC_BASE_URL must be an address"),
        ("TWILIO_ACCOUNT_SID", "AC1", "TWILIO_ACCOUNT_SID must be"),
        ("TWILIO_ACCOUNT_SID", "AC" + "a" * 32, "TWILIO_AUTH_TOKEN must be set"),
        ("FRONTDESK_SECRET_KEY", "short", "at least 32"),
        ("FRONTDESK_MODEL", "some-model", "OPENAI_API_KEY or OPENAI_BASE_URL"),
        ("FRONTDESK_PROXIES", "10.0.0.1", "FRONTDESK_PROXIES must be how many"),
        ("FRONTDESK_MODE", "live", "FRONTDESK_MODE must be one of"),
        ("FRONTDESK_SMTP_URL", "mail.example:25", "FRONTDESK_SMTP_URL must be an address"),
        ("FRONTDESK_SMTP_URL", "smtps://mail.example/inbox", "FRONTDESK_SMTP_URL must be like"),
        ("FRONTDESK_SMTP_URL", "smtp://mail.example:99999", "FRONTDESK_SMTP_URL must be like"),
        ("FRONTDESK_SMTP_URL", "smtp://mail.example?tls=of", "FRONTDESK_SMTP_URL must be like"),
        ("FRONTDESK_SMTP_URL", "smtps://mail.example?tls=off", "FRONTDESK_SMTP_URL must be like"),
        ("FRONTDESK_SMTP_URL", "smtps://elm:pa%C3%B1o@mail.example", "only ASCII"),
        ("FRONTDESK_SMTP_URL", "smtp://elm:word@mail.example?tls=off", "in plain sight"),
        ("FRONTDESK_NOW", "yesterday", "FRONTDESK_NOW must be a time like"),
        ("FRONTDESK_NOW", "2027-03-10T10:00:00", "FRONTDESK_NOW needs a zone"),
    ],
)
def test_a_bad_value_stops_with_one_line_that_names_it(tmp_path: Path, name: str, value: str, says: str) -> None:
    with pytest.raises(BadSetting, match=says) as stopped:
        load(tmp_path, **{name: value})

    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize("missing", ["FRONTDESK_SECRET_KEY", "TWILIO_AUTH_TOKEN"])
def test_production_makes_no_secrets_of_its_own(tmp_path: Path, missing: str) -> None:
    env = {name: value for name, value in PRODUCTION.items() if name != missing}

    with pytest.raises(BadSetting, match=missing):
        load(tmp_path, **env)


def test_production_refuses_a_fixed_clock(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="refused in production"):
        load(tmp_path, FRONTDESK_NOW="2027-03-10T10:00:00-05:00", **PRODUCTION)


def test_two_tokens_are_a_rotation(tmp_path: Path) -> None:
    settings = load(tmp_path, TWILIO_ACCOUNT_SID="AC" + "a" * 32, TWILIO_AUTH_TOKEN="new, old")

    assert settings.twilio.auth_tokens == ("new", "old")


def test_the_usual_short_form_of_a_postgresql_address_is_understood(tmp_path: Path) -> None:
    assert load(tmp_path, DATABASE_URL="postgres://u@h/d").database_url == "postgresql+psycopg://u@h/d"


def test_a_fixed_clock_keeps_its_instant(tmp_path: Path) -> None:
    fixed = load(tmp_path, FRONTDESK_NOW="2027-03-10T10:00:00-05:00").fixed_now

    assert fixed is not None
    assert fixed.utcoffset() == timedelta(hours=-5)


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("smtps://mail.example", MailServer("mail.example", 465, Security.TLS)),
        ("smtp://mail.example", MailServer("mail.example", 587, Security.STARTTLS)),
        ("smtp://mail.lan:2525?tls=off", MailServer("mail.lan", 2525, Security.NONE)),
        (
            "smtps://desk%40elm.example:p%2Fw@mail.example:2465",
            MailServer("mail.example", 2465, Security.TLS, "desk@elm.example", "p/w"),
        ),
    ],
)
def test_a_mail_server_is_one_address(tmp_path: Path, address: str, server: MailServer) -> None:
    settings = load(tmp_path, FRONTDESK_SMTP_URL=address)

    assert settings.mail_server == server
    assert "p/w" not in repr(settings)


@pytest.mark.parametrize(
    ("prices", "says"),
    [
        ({"FRONTDESK_MODEL_PRICE_IN": "0.15"}, "must be set together"),
        ({"FRONTDESK_MODEL_PRICE_IN": "cheap", "FRONTDESK_MODEL_PRICE_OUT": "1"}, "FRONTDESK_MODEL_PRICE_IN must be"),
    ],
)
def test_what_a_model_costs_is_two_plain_numbers(tmp_path: Path, prices: dict[str, str], says: str) -> None:
    with pytest.raises(BadSetting, match=says):
        load(tmp_path, FRONTDESK_MODEL="m", OPENAI_API_KEY="k", **prices)


def test_the_prices_of_a_model_are_read(tmp_path: Path) -> None:
    prices = {"FRONTDESK_MODEL_PRICE_IN": "0.15", "FRONTDESK_MODEL_PRICE_OUT": "0.6"}

    model = load(tmp_path, FRONTDESK_MODEL="m", OPENAI_API_KEY="k", **prices).model

    assert model is not None
    assert (model.price_in, model.price_out) == (0.15, 0.6)


@pytest.mark.parametrize(
    ("env", "is_allowed"),
    [
        ({}, True),
        (PRODUCTION, False),
        ({**PRODUCTION, "FRONTDESK_ALLOW_INTERNAL": "10.0.0.0/8, 127.0.0.1"}, True),
        ({"FRONTDESK_ALLOW_INTERNAL": ""}, False),
    ],
)
def test_calendars_on_this_machine_are_for_development_or_by_permission(
    tmp_path: Path, env: dict[str, str], is_allowed: bool
) -> None:
    outbound = load(tmp_path, **env).outbound

    with nullcontext() if is_allowed else pytest.raises(AddressRefused):
        outbound.check_peer("calendar.lan", "127.0.0.1")


def test_a_place_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"10\.0\.0\.1/8 is none"):
        load(tmp_path, FRONTDESK_ALLOW_INTERNAL="cloud.lan,10.0.0.1/8")
