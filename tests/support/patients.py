"""Somebody who listens for claims that are not so, for the tests of the simulated patients."""

from datetime import date

from benchmarks.patients.claims import Checker
from benchmarks.patients.goals import Errand, Goal, Kind, Somebody, Wish
from benchmarks.patients.making import clocks
from benchmarks.patients.session import Session

ELM = clocks()[1]  # Wednesday 2027-03-10, 10:00


def listening(session: Session) -> Checker:
    """Return a checker for somebody who wants a cleaning and has not booked anything."""
    me = Somebody("Ann Smith", date(1984, 5, 2), "+12125550123")
    errands = (Errand(Kind.BOOK, Wish("cleaning")),)
    goal = Goal("0-known", "known", *ELM, caller="+12125550123", me=me, is_known=True, errands=errands)
    world = session.world(*ELM)
    world.open(goal, channel="text")
    return Checker(world, goal, world.rows())


def claimed(checker: Checker, reply: str) -> list[str]:
    """Return what the reply claims and is not so."""
    return checker.unsupported(reply, conversation="none", is_handed_over=False)
