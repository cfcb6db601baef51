"""Settings of this process, read once from the environment and checked before anything starts.

What a clinic decides (rules, wording, hours) is not here: that is data of the clinic.
"""

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal, cast
from urllib.parse import unquote, urlsplit

from kernel.mail import MailServer, Security
from kernel.outbound import PUBLIC_ONLY, Outbound, allowing
from kernel.telephony import TwilioAccount


class BadSetting(Exception):
    """A setting cannot be used. The text is one line for the operator and names the variable."""


class Mode(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


StructuredOutput = Literal["json_schema", "function_calling", "json_mode"]


@dataclass(frozen=True)
class ModelSettings:
    """The language model. `name` may carry a vendor as in `anthropic:…`; without one it is OpenAI or compatible."""

    name: str
    api_key: str = field(repr=False)
    base_url: str | None = None
    structured_output: StructuredOutput = "function_calling"
    price_in: float | None = None  # of a million tokens, in the operator's currency; both prices or neither
    price_out: float | None = None


@dataclass(frozen=True)
class Settings:
    data_dir: Path
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)  # None: an embedded server in the data folder
    host: str
    port: int
    public_base_url: str  # without a slash at the end
    secret_key: str = field(repr=False)
    twilio: TwilioAccount
    model: ModelSettings | None
    fixed_now: datetime | None
    mode: Mode
    log_level: str
    outbound: Outbound = PUBLIC_ONLY  # where requests may go to addresses that staff typed
    mail_server: MailServer | None = None  # None: no mails are sent
    live_every_ms: int = 2500  # between two looks of a page that shows what is going on now
    proxies: int = 0  # between who asks and this server, each of which says whom it asks for

    @property
    def is_embedded_database(self) -> bool:
        return self.database_url.startswith("sqlite")


_OURS = {
    "FRONTDESK_DATA",
    "FRONTDESK_SECRET_KEY",
    "FRONTDESK_MODEL",
    "FRONTDESK_MODEL_OUTPUT",
    "FRONTDESK_MODEL_PRICE_IN",
    "FRONTDESK_MODEL_PRICE_OUT",
    "FRONTDESK_NOW",
    "FRONTDESK_MODE",
    "FRONTDESK_LOG_LEVEL",
    "FRONTDESK_ALLOW_INTERNAL",
    "FRONTDESK_SMTP_URL",
    "FRONTDESK_PROXIES",
}


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings. Makes the data folder and, in development mode, the secrets that are not given.

    Raises BadSetting with one clear line for the first thing that is wrong.
    """
    env = {name: value.strip() for name, value in (os.environ if environ is None else environ).items()}
    unknown = sorted(name for name in env if name.startswith("FRONTDESK_") and name not in _OURS)
    if unknown:
        raise BadSetting(f"{unknown[0]} is not a setting; known are {', '.join(sorted(_OURS))}")
    mode = _mode(env)
    data_dir = Path(env.get("FRONTDESK_DATA") or "var").absolute()
    kept = _KeptSecrets(data_dir, may_make=mode is Mode.DEVELOPMENT)
    host, port = env.get("HOST") or "127.0.0.1", _port(env)
    database_url = _database_url(env, data_dir)
    return Settings(
        data_dir=data_dir,
        database_url=database_url,
        redis_url=_url(env, "REDIS_URL", {"redis", "rediss", "unix"}),
        host=host,
        port=port,
        public_base_url=(_url(env, "PUBLIC_BASE_URL", {"http", "https"}) or f"http://127.0.0.1:{port}").rstrip("/"),
        secret_key=_secret_key(env, kept),
        twilio=_twilio(env, kept),
        model=_model(env),
        fixed_now=_fixed_now(env, mode),
        mode=mode,
        log_level=_one_of(env, "FRONTDESK_LOG_LEVEL", ["INFO", "DEBUG", "WARNING", "ERROR"]),
        outbound=_outbound(env, mode),
        mail_server=_mail_server(env),
        proxies=_proxies(env),
    )


class _KeptSecrets:
    """Secrets made at first start, kept in the data folder and readable by its owner only."""

    def __init__(self, data_dir: Path, *, may_make: bool) -> None:
        self._path = data_dir / "secrets.json"
        self._may_make = may_make

    def get(self, name: str, *, setting: str) -> str:
        kept = json.loads(self._path.read_text()) if self._path.exists() else {}
        if name not in kept:
            if not self._may_make:
                raise BadSetting(f"{setting} must be set in production mode")
            kept[name] = secrets.token_hex(32)
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with os.fdopen(os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
                    json.dump(kept, file)
            except OSError as error:
                raise BadSetting(f"FRONTDESK_DATA: cannot write {self._path}: {error.strerror}") from None
        return cast(str, kept[name])


def _mode(env: Mapping[str, str]) -> Mode:
    return Mode(_one_of(env, "FRONTDESK_MODE", [Mode.DEVELOPMENT.value, Mode.PRODUCTION.value]))


def _one_of(env: Mapping[str, str], name: str, allowed: list[str]) -> str:
    """Return the value if it is allowed; the first of `allowed` is the default."""
    value = env.get(name) or allowed[0]
    if value not in allowed:
        raise BadSetting(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def _port(env: Mapping[str, str]) -> int:
    text = env.get("PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise BadSetting(f"PORT must be a number from 1 to 65535, not {text!r}")
    return int(text)


def _proxies(env: Mapping[str, str]) -> int:
    text = env.get("FRONTDESK_PROXIES") or "0"
    if not re.fullmatch("[0-9]", text):
        raise BadSetting(f"FRONTDESK_PROXIES must be how many stand before this server, from 0 to 9, not {text!r}")
    return int(text)


def _url(env: Mapping[str, str], name: str, schemes: set[str]) -> str | None:
    text = env.get(name)
    if not text:
        return None
    parts = urlsplit(text)
    if parts.scheme not in schemes or not (parts.netloc or parts.path):
        raise BadSetting(
            f"{name} must be an address that begins with {' or '.join(sorted(s + '://' for s in schemes))}"
        )
    return text


def _database_url(env: Mapping[str, str], data_dir: Path) -> str:
    text = env.get("DATABASE_URL")
    if not text:
        return f"sqlite:///{data_dir / 'frontdesk.db'}"
    for short in ("postgres://", "postgresql://"):
        if text.startswith(short):
            return "postgresql+psycopg://" + text.removeprefix(short)
    if not text.startswith(("postgresql+psycopg://", "sqlite:///")):
        raise BadSetting("DATABASE_URL must begin with postgresql:// or sqlite:///")
    return text


def _secret_key(env: Mapping[str, str], kept: _KeptSecrets) -> str:
    given = env.get("FRONTDESK_SECRET_KEY")
    if given and len(given) < 32:
        raise BadSetting("FRONTDESK_SECRET_KEY must have at least 32 characters")
    return given or kept.get("secret_key", setting="FRONTDESK_SECRET_KEY")


def _twilio(env: Mapping[str, str], kept: _KeptSecrets) -> TwilioAccount:
    sid, tokens = env.get("TWILIO_ACCOUNT_SID"), env.get("TWILIO_AUTH_TOKEN")
    base_url = _url(env, "TWILIO_API_BASE_URL", {"http", "https"})
    if sid and not (sid.startswith("AC") and len(sid) == 34):
        raise BadSetting("TWILIO_ACCOUNT_SID must be AC and 32 characters")
    if bool(sid) and not tokens:
        raise BadSetting("TWILIO_ACCOUNT_SID is set, so TWILIO_AUTH_TOKEN must be set too")
    auth_tokens = tuple(t.strip() for t in (tokens or "").split(",") if t.strip())
    if not auth_tokens:
        auth_tokens = (kept.get("twilio_auth_token", setting="TWILIO_AUTH_TOKEN"),)
    return TwilioAccount(sid=sid or "AC" + "0" * 32, auth_tokens=auth_tokens, api_base_url=base_url, is_real=bool(sid))


def _model(env: Mapping[str, str]) -> ModelSettings | None:
    name = env.get("FRONTDESK_MODEL")
    if not name:
        return None
    base_url = _url(env, "OPENAI_BASE_URL", {"http", "https"})
    key = env.get("OPENAI_API_KEY")
    if not key and not base_url and ":" not in name:
        raise BadSetting("FRONTDESK_MODEL is set, so OPENAI_API_KEY or OPENAI_BASE_URL must be set too")
    output = _one_of(env, "FRONTDESK_MODEL_OUTPUT", ["function_calling", "json_schema", "json_mode"])
    price_in, price_out = _price(env, "FRONTDESK_MODEL_PRICE_IN"), _price(env, "FRONTDESK_MODEL_PRICE_OUT")
    if (price_in is None) != (price_out is None):
        raise BadSetting("FRONTDESK_MODEL_PRICE_IN and FRONTDESK_MODEL_PRICE_OUT must be set together")
    return ModelSettings(
        name=name,
        api_key=key or "none",
        base_url=base_url,
        structured_output=cast(StructuredOutput, output),
        price_in=price_in,
        price_out=price_out,
    )


def _price(env: Mapping[str, str], name: str) -> float | None:
    text = env.get(name)
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text):
        raise BadSetting(f"{name} must be what a million tokens cost, a number such as 0.15")
    return float(text)


def _outbound(env: Mapping[str, str], mode: Mode) -> Outbound:
    # The demo's calendars are on this machine.
    usual = "" if mode is Mode.PRODUCTION else "127.0.0.0/8,::1"
    try:
        return allowing(env.get("FRONTDESK_ALLOW_INTERNAL", usual).split(","))
    except ValueError as bad:
        raise BadSetting(
            f"FRONTDESK_ALLOW_INTERNAL must be names, addresses or networks with commas between them; {bad} is none"
        ) from None


def _mail_server(env: Mapping[str, str]) -> MailServer | None:
    text = _url(env, "FRONTDESK_SMTP_URL", {"smtp", "smtps"})
    if text is None:
        return None
    parts = urlsplit(text)
    security = _MAIL_SECURITY.get((parts.scheme, parts.query))
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or security is None or parts.path not in {"", "/"}:
        raise BadSetting(
            "FRONTDESK_SMTP_URL must be like smtps://name:password@mail.example, with %40 for an @ in the name"
        )
    if security is Security.NONE and parts.username is not None:
        raise BadSetting("FRONTDESK_SMTP_URL has a log-in, so tls=off would send it in plain sight")
    username = None if parts.username is None else unquote(parts.username)
    password = unquote(parts.password or "")
    if not f"{username}{password}".isascii():
        raise BadSetting("FRONTDESK_SMTP_URL: mail servers take only ASCII in a log-in")
    return MailServer(
        host=host, port=port or _MAIL_PORTS[security], security=security, username=username, password=password
    )


# By what stands before the server's name and after it.
_MAIL_SECURITY = {
    ("smtps", ""): Security.TLS,
    ("smtp", ""): Security.STARTTLS,
    ("smtp", "tls=off"): Security.NONE,
}
_MAIL_PORTS = {Security.TLS: 465, Security.STARTTLS: 587, Security.NONE: 25}


def _fixed_now(env: Mapping[str, str], mode: Mode) -> datetime | None:
    text = env.get("FRONTDESK_NOW")
    if not text:
        return None
    if mode is Mode.PRODUCTION:
        raise BadSetting("FRONTDESK_NOW stops the clock and is refused in production mode")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadSetting(f"FRONTDESK_NOW must be a time like 2027-03-10T10:00:00-05:00, not {text!r}") from None
    if at.tzinfo is None:
        raise BadSetting("FRONTDESK_NOW needs a zone, as in 2027-03-10T10:00:00-05:00")
    return at
