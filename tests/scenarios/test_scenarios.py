"""Every script in this folder, played through the real webhooks and graded on the diary afterwards."""

import re
from importlib import resources
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from frontdesk.scenario import run_script

pytestmark = pytest.mark.scenario

FOLDER = Path(__file__).parent
# What is no question, and tells that somebody will call, or has been told.
PROMISE = re.compile(
    r"staff to call you[^?]*$|get back to you|have told our staff|(have been|were) told|staff will get your"
)


def promising() -> set[str]:
    """Return what the agent says that promises something of staff, by the words for it."""
    words = YAML(typ="safe").load(resources.files("dialog.wording").joinpath("en.yaml").read_text())
    return {say for say, texts in words.items() if any(PROMISE.search(text) for text in texts_in(texts))}


def texts_in(tree: object) -> list[str]:
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return [str(tree)] if parts is None else [text for part in parts for text in texts_in(part)]


PROMISING = promising()
SCRIPTS = sorted((*FOLDER.glob("asking/*.yaml"), *FOLDER.glob("conversations/*.yaml")))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_diary_is_right_afterwards(script: Path) -> None:
    result = run_script(script)

    spoken = "\n".join(f"> {turn['said']}\n< {turn['reply']}" for turn in result.turns)
    assert result.failures == [], spoken
    promised = {act["say"] for turn in result.turns for act in turn["acts"]} & PROMISING
    assert not promised or result.tasks, f"nobody knows of {promised}\n{spoken}"


def test_what_promises_something_is_known_by_its_words() -> None:
    assert {"staff-told", "staff-told-closed", "message-taken", "call-back", "not-found-staff"} <= PROMISING
    assert not PROMISING & {"offer-message", "goodbye", "welcome"}


def test_there_are_as_many_scripts_as_we_say() -> None:
    asking = [path for path in SCRIPTS if path.parent.name == "asking"]

    assert len(asking) >= 40
    assert len(SCRIPTS) - len(asking) >= 30
