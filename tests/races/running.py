"""Run rounds of races and count how they ended."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kernel.work import Database
from tests.races.arena import arena
from tests.races.clinic import race_catalogue
from tests.races.kinds import KINDS, Kind, Stage, take_on_patients
from tests.support.clinic_rows import store_catalogue
from tests.support.diary_faults import diary_faults, doubles


@dataclass
class Tally:
    """How the rounds of one kind ended. `lost`: what the diary should hold and does not, in words."""

    kind: str
    rounds: int = 0
    winners: int = 0
    refused: int = 0
    gave_up: int = 0
    doubles: int = 0
    lost: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not (self.doubles or self.lost or self.errors or self.gave_up)

    def worst_ms(self, share: float) -> float:
        """Return the time within which this share of the deeds ended."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def run_races(db: Database, *, rounds: int, kinds: Iterable[Kind] = KINDS) -> list[Tally]:
    """Run so many rounds of each kind in a fresh database, each round on a day of its own."""
    catalogue = race_catalogue()
    with db.begin() as work:
        store_catalogue(work, catalogue)
    patient_ids = take_on_patients(db, catalogue)
    url = db.engine.url.render_as_string(hide_password=False)
    tallies = []
    day = 0
    before = 0
    with arena(url, clinic_id=catalogue.clinic_id) as processes:
        for kind in kinds:
            tally = Tally(kind.name)
            for _ in range(rounds):
                day += 1
                deeds, judge = kind.prepare(Stage(db, catalogue, patient_ids, day))
                endings = processes.round(deeds)
                tally.rounds += 1
                tally.winners += sum(ending.how == "done" for ending in endings)
                tally.refused += sum(ending.how == "refused" for ending in endings)
                tally.gave_up += sum(ending.how == "gave up" for ending in endings)
                tally.errors += [ending.what for ending in endings if ending.how == "error"]
                tally.seconds += [ending.seconds for ending in endings]
                tally.lost += judge(endings)
            with db.read() as session:
                tally.doubles = doubles(session) - before
                tally.lost += diary_faults(session, catalogue)
            before += tally.doubles
            tallies.append(tally)
    return tallies


def table(tallies: Iterable[Tally]) -> str:
    """Return the tallies as lines of text; times are of single deeds, from the start signal to the answer."""
    columns = ("rounds", "winners", "refused", "gave up", "doubles", "lost", "errors", "p99 ms", "worst ms")
    lines = [f"{'kind':<32}" + "".join(f"{name:>10}" for name in columns)]
    for one in tallies:
        numbers = (one.rounds, one.winners, one.refused, one.gave_up, one.doubles, len(one.lost), len(one.errors))
        lines.append(
            f"{one.kind:<32}"
            + "".join(f"{number:>10}" for number in numbers)
            + f"{one.worst_ms(0.99):>10.1f}{one.worst_ms(1):>10.1f}"
        )
    return "\n".join(lines)
