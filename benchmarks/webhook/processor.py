"""How long processes have had a processor, as Linux tells it."""

import os
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def processor_s(pid: int, *, of_parent: bool = False) -> float:
    """Return the seconds of a process and all that it started, ended ones too. `of_parent`: of the one that started it."""
    processes = {int(folder.name): _read(folder) for folder in Path("/proc").iterdir() if folder.name.isdigit()}
    wanted = {processes[pid][0] if of_parent else pid}
    while more := {child for child, (parent, _) in processes.items() if parent in wanted} - wanted:
        wanted |= more
    return sum(seconds for one, (_, seconds) in processes.items() if one in wanted)


def _read(folder: Path) -> tuple[int, float]:
    """Return the parent and the seconds of a process."""
    try:
        # The name, in brackets, may hold anything.
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, 0.0  # it has ended just now
    return int(fields[1]), sum(map(int, fields[11:15])) * _TICK_S
