"""What the console and the simulator need of the assembled product."""

from typing import Any, Protocol

from booking.catalogue import CatalogueCache
from calendar_sync.discovery import FindCalendars
from jobs.context import JobServices
from kernel.clock import Clock
from kernel.config import Settings
from kernel.work import Database
from voice.ports import Calls, Recordings


class ConsoleServices(Protocol):
    @property
    def settings(self) -> Settings: ...

    @property
    def db(self) -> Database: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def redis(self) -> Any:
        """A Redis client; its library's types are too loose to be of use."""
        ...

    @property
    def catalogues(self) -> CatalogueCache: ...

    @property
    def jobs(self) -> JobServices: ...

    @property
    def find_calendars(self) -> FindCalendars: ...

    @property
    def recordings(self) -> Recordings: ...

    @property
    def calls(self) -> Calls: ...
