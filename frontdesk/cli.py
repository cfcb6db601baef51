"""The command line. Exit code 0: done; 1: refused or not found, with one line on stderr; 2: wrong usage.

With `--json` standard output is JSON and nothing else. Commands read words and print results; what they do is elsewhere.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import click
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from booking.clinic_file import ImportReport, export_clinic, import_clinic, json_schema, parse
from booking.clinic_file.remarks import sentence
from booking.model.clinic import Clinic
from frontdesk.accounts.passwords import new_password
from frontdesk.accounts.second_factor import drop_factor
from frontdesk.api.keys import Scope, add_key, list_keys, revoke_key
from frontdesk.bootstrap import Services, build
from frontdesk.case_commands import add_case_commands
from frontdesk.command_parts import ACTOR, AS_JSON, CLINIC
from frontdesk.files import read_text
from frontdesk.lifecycle_commands import add_commands
from frontdesk.schema import WrongSchema, check_schema, migrate, schema_state
from frontdesk.sync_commands import add_sync_commands
from frontdesk.users import Role, add_user, find_login, set_password
from frontdesk.waitlist_commands import add_waitlist_commands
from kernel import log
from kernel.config import BadSetting, ModelSettings, Settings, load_settings
from kernel.errors import Malformed, Refused, Unavailable
from kernel.phone import caller_number

_WITHHELD = "anonymous"  # as the vendor says it
_ROLES = [role.value for role in Role]
_SCOPES = [scope.value for scope in Scope]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Frontdesk: a booking agent for clinics, by phone and by text."""


def main() -> None:
    """Run a command; every refusal is one line on stderr and exit code 1."""
    try:
        cli()
    except (BadSetting, WrongSchema, Malformed, Unavailable, _CannotDo) as error:
        _fail(str(error))
    except Refused as refusal:
        _fail(_in_words(refusal))
    except RedisError:
        _fail("Redis cannot be reached; frontdesk doctor tries every connection.")
    except DBAPIError as error:
        _fail(f"The database cannot be used: {str(error.orig).splitlines()[0]}")


class _CannotDo(Exception):
    """What was asked for can't be done. The text is one line."""


# Processes.


@cli.command()
def serve() -> None:
    """Run everything: embedded servers where none are configured, the web server and a worker."""
    from frontdesk.children import ChildFailed
    from frontdesk.embedded import CannotServe
    from frontdesk.serve import serve as run

    settings = _settings()
    try:
        run(settings, say=lambda line: print(line, flush=True))
    except (CannotServe, ChildFailed) as error:
        raise _CannotDo(str(error)) from None


@cli.command()
def worker() -> None:
    """Run a worker: queued jobs, the outbox and what is due."""
    from frontdesk.worker import run_worker

    settings = _settings()
    log.configure(level=settings.log_level)
    run_worker(settings)


@cli.command("migrate")
def migrate_command() -> None:
    """Bring the database's tables up to date."""
    with _services(checked=False) as services:
        before = schema_state(services.db.engine)
        migrate(services.db.engine)
        print(f"The database was {before.value} and is current.", file=sys.stderr)


@cli.command()
@AS_JSON
def doctor(as_json: bool) -> None:
    """Say what is missing, and try every connection."""
    from frontdesk.doctor import examine

    findings = examine(_settings())
    if as_json:
        print(json.dumps({"checks": {one.what: {"ok": one.is_ok, "text": one.text} for one in findings}}))
    else:
        for one in findings:
            print(f"{'ok  ' if one.is_ok else 'FAIL'}  {one.what}: {one.text}")
    if not all(one.is_ok for one in findings):
        sys.exit(1)


# The clinic's data.


@cli.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check and compare, change nothing.")
def import_command(file: Path, dry_run: bool) -> None:
    """Load a clinic file. Twice is the same as once."""
    parsed = parse(read_text(file), path=str(file))
    with _services() as services, services.db.begin() as work:
        report = import_clinic(work, parsed, now=services.clock.now())
        if dry_run:
            work.session.rollback()
    for warning in report.warnings:
        print(f"{file}: warning: {sentence(warning)}", file=sys.stderr)
    print(_import_summary(report, dry_run=dry_run), file=sys.stderr)


@cli.command()
@CLINIC
def export(clinic_key: str | None) -> None:
    """Print the clinic as a file that imports to the same."""
    with _services() as services, services.db.read() as session:
        print(export_clinic(session, _clinic_id(session, clinic_key)), end="")


@cli.command()
def schema() -> None:
    """Print the JSON Schema of the clinic file."""
    print(json.dumps(json_schema(), indent=2))


@cli.command("seed-demo")
def seed_demo_command() -> None:
    """Put the demo clinic into the database, with appointments around today."""
    from frontdesk.demo.clinic import seed_demo

    with _services() as services:
        seed_demo(services.db, now=services.clock.now())
    print("The demo clinic is in the database.", file=sys.stderr)


@cli.command()
@click.option("--service", "service_key", required=True)
@click.option("--practitioner", "practitioner_key")
@click.option("--location", "location_key")
@click.option(
    "--from", "first", required=True, type=click.DateTime(["%Y-%m-%d"]), help="First day, in the clinic's zone."
)
@click.option("--to", "end", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day after the last.")
@CLINIC
@AS_JSON
def slots(
    *,
    service_key: str,
    practitioner_key: str | None,
    location_key: str | None,
    first: datetime,
    end: datetime,
    clinic_key: str | None,
    as_json: bool,
) -> None:
    """List the times at which a service could be booked."""
    from frontdesk.listing import list_slots

    with _services() as services, services.db.read() as session:
        found = list_slots(
            session,
            clinic_id=_clinic_id(session, clinic_key),
            service_key=service_key,
            practitioner_key=practitioner_key,
            location_key=location_key,
            first=first.date(),
            end=end.date(),
            now=services.clock.now(),
        )
    if as_json:
        print(json.dumps({"slots": found}))
    else:
        for slot in found:
            print(f"{slot['start']}  {slot['practitioner']}  {slot['location']}")


# Staff and calendars.


@cli.group()
def user() -> None:
    """Accounts of staff."""


@user.command("add")
@click.argument("login")
@click.option("--role", type=click.Choice(_ROLES), default=Role.ADMINISTRATOR.value, show_default=True)
@click.option("--practitioner", help="Key of whose patients it sees, with the role practitioner.")
@CLINIC
def user_add(login: str, role: str, practitioner: str | None, clinic_key: str | None) -> None:
    """Make an account and print its password, this once."""
    from frontdesk.listing import practitioner_id_of

    if practitioner and role != Role.PRACTITIONER:
        raise _CannotDo("--practitioner goes with --role practitioner")
    password = new_password()
    with _services() as services, services.db.begin() as work:
        clinic_id = _clinic_id(work.session, clinic_key)
        add_user(
            work,
            clinic_id=clinic_id,
            login=login,
            password=password,
            role=Role(role),
            practitioner_id=practitioner_id_of(work.session, clinic_id=clinic_id, key=practitioner)
            if practitioner
            else None,
            now=services.clock.now(),
        )
    print(password)
    if role == Role.PRACTITIONER and not practitioner:
        print("It sees no patients until an administrator says whose, under Staff accounts.", file=sys.stderr)


@user.command("reset")
@click.argument("login")
@click.option("--second-factor", is_flag=True, help="Remove the second factor as well.")
def user_reset(login: str, *, second_factor: bool) -> None:
    """Give an account a new password and print it, this once. Whoever is logged in with it no longer is."""
    password = new_password()
    with _services() as services, services.db.begin() as work:
        user = find_login(work.session, login=login)
        set_password(work, user_id=user.id, password=password)
        if second_factor:
            drop_factor(work, user_id=user.id)
    print(password)


@cli.group("api-key")
def api_key() -> None:
    """Keys of programs that use the JSON API."""


@api_key.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(_SCOPES), help="May be repeated.")
@CLINIC
def api_key_add(name: str, scopes: tuple[str, ...], clinic_key: str | None) -> None:
    """Make a key and print it, this once."""
    with _services() as services, services.db.begin() as work:
        clinic_id = _clinic_id(work.session, clinic_key)
        key = add_key(
            work,
            clinic_id=clinic_id,
            name=name,
            scopes=[Scope(scope) for scope in scopes],
            now=services.clock.now(),
        )
    print(key)


@api_key.command("list")
@CLINIC
@AS_JSON
def api_key_list(clinic_key: str | None, as_json: bool) -> None:
    """List the keys, those that were revoked included. The keys themselves are stored nowhere."""
    with _services() as services, services.db.read() as session:
        keys = list_keys(session, clinic_id=_clinic_id(session, clinic_key))
    told = [
        {
            "name": key.name,
            "scopes": sorted(key.scopes),
            "created_at": key.created_at.isoformat(),
            "revoked_at": None if key.revoked_at is None else key.revoked_at.isoformat(),
        }
        for key in keys
    ]
    if as_json:
        print(json.dumps({"keys": told}))
        return
    for key in keys:
        print(f"{key.name}  {' '.join(sorted(key.scopes))}  {'revoked' if key.revoked_at else 'in use'}")


@api_key.command("revoke")
@click.argument("name")
@CLINIC
def api_key_revoke(name: str, clinic_key: str | None) -> None:
    """Let a key open nothing any more."""
    with _services() as services, services.db.begin() as work:
        clinic_id = _clinic_id(work.session, clinic_key)
        revoke_key(work, clinic_id=clinic_id, name=name, now=services.clock.now())


@cli.group()
def calendar() -> None:
    """Calendars of practitioners."""


@calendar.command("link")
@click.argument("practitioner")
@click.argument("url")
@click.option("--username", required=True)
@click.option("--password", envvar="CALENDAR_PASSWORD", prompt=True, hide_input=True, help="Or CALENDAR_PASSWORD.")
@CLINIC
def calendar_link(practitioner: str, url: str, username: str, password: str, clinic_key: str | None) -> None:
    """Show a practitioner's visits in the CalDAV calendar at URL. Linking it again replaces the log-in."""
    from calendar_sync.links import link_calendar
    from frontdesk.listing import practitioner_id_of

    with _services() as services, services.db.begin() as work:
        clinic_id = _clinic_id(work.session, clinic_key)
        link_calendar(
            work,
            clinic_id=clinic_id,
            practitioner_id=practitioner_id_of(work.session, clinic_id=clinic_id, key=practitioner),
            url=url,
            username=username,
            password=password,
            now=services.clock.now(),
        )
    print(f"Visits of {practitioner} will appear there; frontdesk doctor says whether they do.", file=sys.stderr)


@calendar.command("link-calcom")
@click.argument("practitioner")
@click.argument("url")
@click.option("--email", required=True, help="The clinic's own address, which attends the visits there.")
@click.option("--key", envvar="CALENDAR_PASSWORD", prompt=True, hide_input=True, help="Or CALENDAR_PASSWORD.")
@CLINIC
def calendar_link_calcom(practitioner: str, url: str, email: str, key: str, clinic_key: str | None) -> None:
    """Keep a practitioner's visits and their Cal.com bookings together. Prints what to enter there as a webhook.

    URL names the kind of booking that visits become, https://api.cal.com/v2/event-types/ID: docs/calcom.md.
    """
    from calendar_sync.links import link_calendar, read_link
    from calendar_sync.model import CALCOM
    from frontdesk.listing import practitioner_id_of

    with _services() as services, services.db.begin() as work:
        clinic_id = _clinic_id(work.session, clinic_key)
        link_id = link_calendar(
            work,
            clinic_id=clinic_id,
            practitioner_id=practitioner_id_of(work.session, clinic_id=clinic_id, key=practitioner),
            url=url,
            username=email,
            password=key,
            kind=CALCOM,
            auth="bearer",
            now=services.clock.now(),
        )
        secret = read_link(work.session, clinic_id=clinic_id, link_id=link_id).webhook_secret
        notices_to = f"{services.settings.public_base_url}/calcom/{link_id}"
    print(f"Subscriber URL: {notices_to}\nSecret: {secret}")


@calendar.command("feed")
@click.argument("practitioner")
@click.option("--revoke", is_flag=True, help="Let the address open nothing any more.")
@CLINIC
def calendar_feed(practitioner: str, revoke: bool, clinic_key: str | None) -> None:
    """Make a private address at which a practitioner's visits can be subscribed to, and print it, this once.

    Whoever knows it reads the visits. An earlier address of theirs opens nothing any more.
    """
    from calendar_sync.feeds import feed_address, make_feed, revoke_feed
    from frontdesk.listing import practitioner_id_of

    with _services() as services, services.db.begin() as work:
        clinic_id = _clinic_id(work.session, clinic_key)
        practitioner_id = practitioner_id_of(work.session, clinic_id=clinic_id, key=practitioner)
        if revoke:
            if not revoke_feed(work, clinic_id=clinic_id, practitioner_id=practitioner_id, actor=ACTOR):
                raise _CannotDo(f"{practitioner} has no feed")
            print(f"The feed of {practitioner} opens nothing any more.", file=sys.stderr)
            return
        secret = make_feed(
            work, clinic_id=clinic_id, practitioner_id=practitioner_id, now=services.clock.now(), actor=ACTOR
        )
        address = feed_address(services.settings.public_base_url, secret)
    print(address)


# Talking.


def _number(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if value != _WITHHELD and caller_number(value) is None:
        raise click.BadParameter(f"{value!r} is not a number like +12125550123; {_WITHHELD} withholds it")
    return value


@cli.command()
@click.option("--script", type=click.Path(path_type=Path), help="Play this file instead of asking you.")
@click.option("--channel", type=click.Choice(["sms", "voice"]), default="sms", show_default=True)
@click.option("--from", "caller", default="+12125550123", show_default=True, callback=_number, help="Your number.")
@click.option(
    "--clinic", "clinic_file", type=click.Path(path_type=Path), help="A clinic file; without it the demo clinic."
)
@click.option("--json", "as_json", is_flag=True, help="With --script: print JSON.")
def chat(script: Path | None, channel: str, caller: str, clinic_file: Path | None, as_json: bool) -> None:
    """Talk to the agent here. Nothing of it is kept: it has a clinic and a database of its own."""
    from frontdesk.chat import talk
    from frontdesk.scenario import run_script
    from frontdesk.stage import BadScript

    if as_json and script is None:
        raise click.UsageError("--json goes with --script")
    log.configure(level="CRITICAL", json_lines=False)
    try:
        if script is None:
            talk(
                channel=channel,
                caller=caller,
                clinic_file=clinic_file,
                model=_model(),
                hear=_ask,
                say=print,
            )
            return
        result = run_script(script, model=_model())
    except BadScript as error:
        raise _CannotDo(str(error)) from None
    print(json.dumps(result.to_json()) if as_json else _as_dialogue(result.turns))
    if result.failures:
        _fail("; ".join(result.failures))


@cli.command()
@click.option(
    "--clinic", "clinic_file", type=click.Path(path_type=Path), help="A clinic file; without it the demo clinic."
)
@click.option("--json", "as_json", is_flag=True, required=True, help="Lines of JSON in, lines of JSON out.")
def understand(clinic_file: Path | None, as_json: bool) -> None:  # noqa: ARG001 -- the form asks for the flag
    """Say what utterances mean: one JSON object a line in, one out."""
    from frontdesk.understand import Ear

    _log_beside_the_answer()
    ear = Ear(clinic_file=clinic_file, model=_model())
    for number, line in enumerate(sys.stdin, start=1):
        if line.strip():
            try:
                print(ear.understand(line), flush=True)
            except Malformed as error:
                raise _CannotDo(f"line {number}: {error}") from None


# What they share.


@contextmanager
def _services(*, checked: bool = True) -> Iterator[Services]:
    services = build(_settings())
    try:
        if checked:
            check_schema(services.db.engine)
        yield services
    finally:
        services.close()


def _settings() -> Settings:
    _log_beside_the_answer()
    return load_settings()


def _log_beside_the_answer() -> None:
    # A command answers on standard output; of its log only what somebody should know is shown, on the other one.
    log.configure(level="WARNING", json_lines=False)


def _model() -> ModelSettings | None:
    """Return the language model, for commands that need nothing else of the settings and shall leave no data folder behind."""
    with tempfile.TemporaryDirectory() as folder:
        return load_settings({**os.environ, "FRONTDESK_DATA": folder}).model


def _import_summary(report: ImportReport, *, dry_run: bool) -> str:
    done = "would change" if dry_run else "changed"
    what = f"{done} (version {report.version})" if report.changed else "nothing to change"
    return f"{what}; {report.patients_added} patients and {report.appointments_added} appointments added"


def _clinic_id(session: Any, key: str | None) -> str:
    clinics = session.execute(select(Clinic.id, Clinic.key).order_by(Clinic.key)).all()
    if not clinics:
        raise _CannotDo("There is no clinic yet; run: frontdesk import FILE, or frontdesk seed-demo")
    if key is None and len(clinics) > 1:
        raise _CannotDo(f"There are several clinics; say which with --clinic: {', '.join(one.key for one in clinics)}")
    for one in clinics:
        if key in {None, one.key}:
            return str(one.id)
    raise _CannotDo(f"There is no clinic {key!r}; there is: {', '.join(one.key for one in clinics)}")


def _in_words(refusal: Refused) -> str:
    fields = ", ".join(f"{name} {value}" for name, value in refusal.fields.items())
    return f"Refused: {refusal.code}" + (f" ({fields})" if fields else "")


def _as_dialogue(turns: list[dict[str, Any]]) -> str:
    return "\n".join(f"> {turn['said']}\n{turn['reply']}" for turn in turns)


def _ask() -> str | None:
    try:
        return input("> ")
    except EOFError:
        return None


def _fail(line: str) -> NoReturn:
    print(line, file=sys.stderr)
    sys.exit(1)


add_commands(cli, open_services=_services, find_clinic=_clinic_id)
add_waitlist_commands(cli, open_services=_services, find_clinic=_clinic_id)
add_sync_commands(cli, open_services=_services, find_clinic=_clinic_id)
add_case_commands(cli, open_services=_services, find_clinic=_clinic_id)
