"""All conversations of a run: the worlds they need, made once, and the goals played in them one after the other."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from benchmarks.patients.goals import Goal, read_goals, write_goals
from benchmarks.patients.learned import Learned
from benchmarks.patients.making import clocks, make_goals
from benchmarks.patients.noise import Recogniser
from benchmarks.patients.playing import Played, play
from benchmarks.patients.storage import PostgresDatabase, SqliteFile
from benchmarks.patients.world import CLINICS, World
from kernel.config import ModelSettings
from tests.support.postgres import PostgresServer


class Session:
    """Keeps the worlds in `folder`, and their diaries there too, or on a server of PostgreSQL. Close it when it is over."""

    def __init__(
        self,
        folder: Path,
        *,
        noise: float = 0.0,
        model: ModelSettings | None = None,
        learned: Learned | None = None,
        server: PostgresServer | None = None,
        language: str = "en",
    ) -> None:
        if noise and language != "en":
            raise SystemExit("What a recogniser makes of a bad line is modelled for English only.")
        self._folder, self._noise, self._model, self._learned, self._server = folder, noise, model, learned, server
        self._language = language
        self._worlds: dict[tuple[str, datetime], World] = {}
        self._recognisers: dict[str, Recogniser] = {}

    @property
    def word_error_rate(self) -> float | None:
        """The measured share of words that arrived wrong; None without noise."""
        said = sum(one.said for one in self._recognisers.values())
        return sum(one.wrong for one in self._recognisers.values()) / said if said else None

    def goals(
        self, which: str, *, seed: int, families: Sequence[str] = (), at: Sequence[tuple[str, datetime]] = ()
    ) -> list[Goal]:
        """Make as many goals as `which` says, or read them if it is a file. `at`: clinics and instants, the usual ones if none."""
        if not which.isdigit():
            return list(read_goals(Path(which)))
        worlds = [self.world(clinic, now) for clinic, now in at or clocks()]
        return make_goals(worlds, count=int(which), seed=seed, families=families)

    def write(self, path: Path, goals: Sequence[Goal]) -> None:
        write_goals(path, goals)

    def play(self, goals: Sequence[Goal], *, runs: int, seed: int, channel: str) -> Iterator[Played]:
        """Play each goal `runs` times, each time in other words."""
        for goal in goals:
            for run in range(runs):
                yield self._played(goal, run=seed * 1000 + run, channel=channel)

    def replay(self, played: Played, *, channel: str) -> Played:
        """Play again what was played in another session: the same patient, who talks in the same way."""
        return self._played(played.goal, run=played.run, channel=channel)

    def _played(self, goal: Goal, *, run: int, channel: str) -> Played:
        world = self.world(goal.clinic, goal.now)
        return play(
            goal, run=run, world=world, channel=channel, recogniser=self._recogniser(world), learned=self._learned
        )

    def world(self, clinic: str, now: datetime) -> World:
        """Return the clinic at that instant, made when it is first needed. Raises SystemExit for a clinic there is not."""
        if clinic not in CLINICS:
            raise SystemExit(f"There is no clinic {clinic!r}; there are {', '.join(CLINICS)}.")
        key = (clinic, now)
        if key not in self._worlds:
            folder = self._folder / f"{clinic}-{len(self._worlds)}"
            folder.mkdir(parents=True)
            storage = PostgresDatabase(self._server) if self._server else SqliteFile(folder)
            self._worlds[key] = World(
                clinic=clinic, now=now, folder=folder, storage=storage, language=self._language, model=self._model
            )
        return self._worlds[key]

    def close(self) -> None:
        for world in self._worlds.values():
            world.close()

    def _recogniser(self, world: World) -> Recogniser | None:
        if not self._noise:
            return None
        if world.name not in self._recognisers:
            catalogue = world.catalogue
            names = [
                *((one.name, *one.aliases) for one in catalogue.services),
                *((one.name, *one.aliases) for one in catalogue.practitioners),
                *((one.name, *one.aliases) for one in catalogue.locations),
            ]
            vocabulary = [word for some in names for name in some for word in name.split()]
            people = [word for one in world.people for word in one.name.split()]
            self._recognisers[world.name] = Recogniser(rate=self._noise, vocabulary=[*vocabulary, *people])
        return self._recognisers[world.name]
