"""Every script in this folder, played through the real webhooks and graded on the diary afterwards."""

import re
from importlib import resources
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from frontdesk.scenario import run_script

pytestmark = pytest.mark.scenario

FOLDER = Path(__file__).parent
# What tells that somebody has been asked or told, or will be in touch.
PROMISE = re.compile(
    r"(asked|told) our staff|(have been|were) told|(staff|somebody|we) will (get (your|back|in)|call|contact)"
    r"|(pedido|dicho|avisé) a nuestro personal|est[aá] avisado|(alguien|personal) (le (responder|llamar)|recibir)",
    re.IGNORECASE,
)


def promises(text: str) -> list[str]:
    """Return the sentences that promise something of staff. "Shall I ask our staff to call you?" promises nothing."""
    return [one for one in re.findall(r"[^.!?]+[.!?]?", text) if PROMISE.search(one) and not one.endswith("?")]


def promising(language: str) -> set[str]:
    """Return where the agent's words promise something of staff."""
    words = YAML(typ="safe").load(resources.files("dialog.wording").joinpath(f"{language}.yaml").read_text())
    return {where for where, text in texts_in(words, "") if promises(text)}


def texts_in(tree: object, where: str) -> list[tuple[str, str]]:
    if not isinstance(tree, dict | list):
        return [(where, str(tree))]
    named = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return [found for name, part in named for found in texts_in(part, f"{where} {name}".strip())]


SCRIPTS = sorted((*FOLDER.glob("asking/*.yaml"), *FOLDER.glob("conversations/*.yaml")))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_diary_is_right_afterwards(script: Path) -> None:
    result = run_script(script)

    spoken = "\n".join(f"> {turn['said']}\n< {turn['reply']}" for turn in result.turns)
    assert result.failures == [], spoken
    promised = [sentence for turn in result.turns for sentence in promises(turn["reply"])]
    assert not promised or result.tasks, f"nobody knows of {promised}\n{spoken}"


def test_what_promises_something_is_known_by_its_words() -> None:
    promised = {where.split()[0] for where in promising("en")}

    assert {"staff-told", "message-taken", "call-back", "not-found-staff", "refused", "move-by-staff"} <= promised
    assert not promised & {"offer-message", "nothing-free", "staff-may", "ask-message", "goodbye", "welcome"}


def test_a_promise_is_known_in_every_language() -> None:
    assert promising("es") == promising("en")


def test_there_are_as_many_scripts_as_we_say() -> None:
    asking = [path for path in SCRIPTS if path.parent.name == "asking"]

    assert len(asking) >= 40
    assert len(SCRIPTS) - len(asking) >= 30
