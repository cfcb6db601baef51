"""Every script in this folder, played through the real webhooks and graded on the diary afterwards."""

from pathlib import Path

import pytest

from frontdesk.scenario import run_script

pytestmark = pytest.mark.scenario

FOLDER = Path(__file__).parent
SCRIPTS = sorted((*FOLDER.glob("asking/*.yaml"), *FOLDER.glob("conversations/*.yaml")))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_diary_is_right_afterwards(script: Path) -> None:
    result = run_script(script)

    spoken = "\n".join(f"> {turn['said']}\n< {turn['reply']}" for turn in result.turns)
    assert result.failures == [], spoken


def test_there_are_as_many_scripts_as_we_say() -> None:
    asking = [path for path in SCRIPTS if path.parent.name == "asking"]

    assert len(asking) >= 40
    assert len(SCRIPTS) - len(asking) >= 30
