"""Races in the diary, many rounds of each kind, on both databases: `python -m benchmarks.races [--rounds N]`.

Prints a table for each database and fails if anything was booked twice, lost, or came to a caller as an error.
"""

import argparse
import math
import sys
import tempfile
import time
from pathlib import Path

from kernel.work import Database
from tests.races.kinds import KINDS
from tests.races.running import run_races, table
from tests.support.databases import SECRET, make_tables
from tests.support.postgres import postgres_server


def main() -> int:
    """Run them and say how it went."""
    parser = argparse.ArgumentParser(prog="benchmarks.races", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000, help="on each database, over all kinds (default: 1000)")
    rounds = math.ceil(parser.parse_args().rounds / len(KINDS))
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server:
        sqlite_url = f"sqlite:///{Path(folder) / 'races.db'}"
        make_tables(sqlite_url)
        urls = {"PostgreSQL": server.fresh_database(make_template=make_tables), "SQLite": sqlite_url}
        results = [_run(name, url, rounds=rounds) for name, url in urls.items()]
    return 0 if all(results) else 1


def _run(name: str, url: str, *, rounds: int) -> bool:
    db = Database(url, secret=SECRET)
    began = time.monotonic()
    tallies = run_races(db, rounds=rounds)
    db.dispose()
    print(
        f"{name}: {sum(one.rounds for one in tallies)} rounds in {time.monotonic() - began:.0f} s\n{table(tallies)}\n"
    )
    for one in tallies:
        for what in (*one.lost, *one.errors)[:5]:
            print(f"  {one.kind}: {what}")
    return all(one.is_sound for one in tallies)


if __name__ == "__main__":
    sys.exit(main())
