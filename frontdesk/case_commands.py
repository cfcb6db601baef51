"""Commands for conversations that went wrong: what today's agent makes of them, and the cases that staff made of them."""

import json
from pathlib import Path
from typing import Any

import click

from booking.catalogue import load_catalogue
from frontdesk.bootstrap import Services
from frontdesk.command_parts import AS_JSON, CLINIC, FindClinic, OpenServices
from kernel import log


def add_case_commands(cli: click.Group, *, open_services: OpenServices, find_clinic: FindClinic) -> None:
    """Add `replay` and `cases` to the command line, which gives them its services and finds the clinic."""
    _add_replay(cli, open_services, find_clinic)
    _add_cases(cli, open_services, find_clinic)


def _add_replay(cli: click.Group, open_services: OpenServices, find_clinic: FindClinic) -> None:
    @cli.command("replay")
    @click.argument("conversation_id", required=False)
    @click.option("--last", default=50, show_default=True, type=click.IntRange(1), help="Without one: how many.")
    @CLINIC
    @AS_JSON
    def replay_command(*, conversation_id: str | None, last: int, clinic_key: str | None, as_json: bool) -> None:
        """Say what today's agent would make of one past conversation, or of the last ones. Nothing is written."""
        from frontdesk.console.reads.replays import WantedReplays, latest_conversations

        log.configure(level="CRITICAL", json_lines=False)
        with open_services() as services:
            with services.db.read() as session:
                clinic_id = find_clinic(session, clinic_key)
                wanted = WantedReplays(at_most=last)
                found = latest_conversations(session, clinic_id=clinic_id, wanted=wanted)
            ids = [line.id for line in found] if conversation_id is None else [conversation_id]
            told = [_replayed(services, clinic_id=clinic_id, conversation_id=each) for each in ids]
        if as_json:
            click.echo(json.dumps({"replays": told}))
            return
        for one in told:
            click.echo(f"{one['conversation']}  {_in_words(one)}")


def _replayed(services: Services, *, clinic_id: str, conversation_id: str) -> dict[str, Any]:
    from frontdesk.replay.replay import read_recording, replay
    from frontdesk.stage import BadScript

    with services.db.read() as session:
        recording = read_recording(session, clinic_id=clinic_id, conversation_id=conversation_id)
    if recording is None:
        raise click.ClickException(f"There is no conversation {conversation_id}.")
    try:
        played = replay(recording, secret_key=services.settings.secret_key)
    except BadScript as fault:
        return {"conversation": conversation_id, "error": str(fault)}
    return {
        "conversation": conversation_id,
        "ends_differently": played.ends_differently,
        "then": {"outcome": played.outcome_then, "wrote": list(played.written_then)},
        "now": {"outcome": played.outcome_now, "wrote": list(played.written_now)},
        "turns": [
            {
                "number": each.number,
                "said": each.said,
                "then": each.then.reply,
                "now": each.now.reply if each.now else None,
                "differs": each.differs,
            }
            for each in played.exchanges
        ],
        "exact": played.is_exact,
    }


def _in_words(told: dict[str, Any]) -> str:
    if "error" in told:
        return f"cannot be replayed: {told['error']}"
    if told["ends_differently"]:
        return f"ends differently: {told['then']['outcome'] or 'open'}, now {told['now']['outcome']}"
    differing = sum(turn["differs"] for turn in told["turns"])
    return f"ends the same, {differing} turns differ" if differing else "the same"


def _add_cases(cli: click.Group, open_services: OpenServices, find_clinic: FindClinic) -> None:
    @cli.group()
    def cases() -> None:
        """What staff said was misunderstood, as scripts for `frontdesk chat --script`."""

    @cases.command("export")
    @click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="Made if it is not there.")
    @CLINIC
    def export(*, folder: Path, clinic_key: str | None) -> None:
        """Write each case into a file of its own, without anybody's data. Those that staff must read first stay here."""
        from frontdesk.replay.cases import cases_of_clinic

        folder.mkdir(parents=True, exist_ok=True)
        written = left = 0
        with open_services() as services, services.db.read() as session:
            catalogue = load_catalogue(session, clinic_id=find_clinic(session, clinic_key))
            for made in cases_of_clinic(session, catalogue):
                if made.case.is_doubtful:
                    left += 1
                    continue
                (folder / made.file_name).write_text(made.case.text(), encoding="utf-8")
                written += 1
        click.echo(f"{written} written to {folder}")
        if left:
            click.echo(f"{left} must be read in the console first: somebody may be recognised in them.", err=True)
