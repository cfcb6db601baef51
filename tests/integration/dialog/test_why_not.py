"""Why a wish can't be met, and what comes nearest: the same whether a patient asks by text or a program by the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from booking.catalogue import CatalogueCache
from booking.values import Slot
from dialog.errands import FindTimes, TimesFound
from dialog.inbound import Channel, Inbound, InboundKind
from dialog.model import Turn
from dialog.offers import one_day
from dialog.timewords import ClockRange, DayRange, TimeWish
from dialog.tools import Tools
from dialog.turn import Dialog
from dialog.understanding.local import LocalInterpreter
from kernel.clock import FixedClock
from kernel.turn_lock import InProcessTurnLock
from kernel.work import Database
from tests.integration.api.conftest import FOR_PATIENTS, Program, make_site
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW, book

pytestmark = pytest.mark.integration

ELM = elm_catalogue()
DENTISTS = ("practitioner-lee", "practitioner-ben-carter")
TUESDAY = date(2027, 3, 16)
TUESDAY_AT_TEN = datetime(2027, 3, 16, 14, 0, tzinfo=UTC)


@dataclass
class Front:
    """A clinic with Dr. Lee's Tuesday at ten taken, its text line, and a program with a key."""

    database: Database
    program: Program

    def ask(self, words: str) -> dict[str, Any]:
        """Text `words`; return the reasons that were told and the first time that was offered."""
        dialog = Dialog(
            db=self.database,
            clock=FixedClock(NOW),
            lock=InProcessTurnLock(),
            interpreter=LocalInterpreter(),
            catalogues=CatalogueCache(),
        )
        dialog.handle_turn(
            Inbound("clinic-elm", Channel.SMS, InboundKind.SAID, "thread", "sms:1", "+12125550188", words)
        )
        with self.database.read() as session:
            acts = session.scalars(select(Turn)).one().acts
        offered = next(one["fields"]["offers"][0] for one in acts if "offers" in one["fields"])
        return {
            "reasons": [one["fields"]["code"] for one in acts if one["say"] == "why-not"],
            "first": (datetime.fromisoformat(offered["starts_at"]), offered["practitioners"], offered["location"]),
        }

    def explain(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Ask the API; return the reasons and the nearest time that a patient can book."""
        told = self.program.post("/slots/explain", wish).json
        slot = next(one["slot"] for one in told["nearest"] if "notice" not in one["changes"])
        return {
            "reasons": [one["code"] for one in told["reasons"]],
            "first": (datetime.fromisoformat(slot["starts_at"]), [slot["practitioner_id"]], slot["location_id"]),
        }

    def find(self, wish: TimeWish, **others: Any) -> TimesFound:
        """Look for a cleaning, as the policy does."""
        request = FindTimes("service-cleaning", DENTISTS, DENTISTS, (), wish)
        with self.database.begin() as work:
            tools = Tools(work, ELM.for_patients(), "conversation-new", Channel.SMS, NOW)
            found = tools.carry_out(replace(request, **others))
        assert isinstance(found, TimesFound)
        return found

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """Note the statements that are sent."""
        sent: list[str] = []

        def note(*args: Any) -> None:
            sent.append(args[2])

        event.listen(self.database.engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(self.database.engine, "before_cursor_execute", note)


@pytest.fixture
def front(database: Database) -> Front:
    site = make_site(database, None)
    book(database, site.catalogue, practitioner="lee", starts_at=TUESDAY_AT_TEN)
    return Front(database, site.program(*FOR_PATIENTS))


def whole(day: str, **others: Any) -> dict[str, Any]:
    after = date.fromisoformat(day) + timedelta(days=1)
    return {"service": "cleaning", "from": day, "to": after.isoformat(), **others}


def at(wall: str, **others: Any) -> dict[str, Any]:
    start = datetime.fromisoformat(wall)
    end = start + timedelta(minutes=1)
    return {"service": "cleaning", "from": start.isoformat(), "to": end.isoformat(), **others}


@pytest.mark.parametrize(
    ("words", "wish", "reason"),
    [
        (
            "I'd like a teeth cleaning with Doctor Lee this Friday",
            whole("2027-03-12", practitioners=["lee"]),
            "not-working-then",
        ),
        (
            "teeth cleaning on March 17 with Dr. Lee please",
            whole("2027-03-17", practitioners=["lee"]),
            "practitioner-away",
        ),
        ("can I come for a cleaning on Sunday", whole("2027-03-14"), "location-closed"),
        (
            "cleaning with Dr Lee on March 16 at 10 am",
            at("2027-03-16T10:00:00-04:00", practitioners=["lee"]),
            "fully-booked",
        ),
        ("cleaning today at 11 am", at("2027-03-10T11:00:00-05:00"), "too-soon"),
        (
            "a mole check at Main Street on March 16 please",
            whole("2027-03-16", service="skin-check", locations=["main"]),
            "not-offered",
        ),
    ],
)
def test_a_conversation_and_a_program_get_the_same_reasons_and_the_same_first_alternative(
    front: Front, words: str, wish: dict[str, Any], reason: str
) -> None:
    told = front.ask(words)

    assert told == front.explain(wish)
    assert told["reasons"] == [reason]


def test_however_much_was_wished_as_many_statements_are_sent(front: Front) -> None:
    at_night = (ClockRange(0, 120),)
    with front.counting() as for_a_day:
        front.find(TimeWish(days=one_day(TUESDAY), clocks=at_night))
    with front.counting() as for_a_month:
        front.find(TimeWish(days=(DayRange(TUESDAY, TUESDAY + timedelta(days=12)),), clocks=at_night))

    assert len(for_a_month) == len(for_a_day)


def test_what_was_shown_what_they_have_and_who_was_refused_is_no_alternative(front: Front) -> None:
    sunday = TimeWish(days=one_day(date(2027, 3, 14)))

    def near(**others: Any) -> set[Slot]:
        found = front.find(sunday, **others)
        return {slot for one in found.nearest for slot in (one.slot, *one.further)}

    first = near()
    others = near(shown=tuple(one.starts_at for one in first))
    only_lee = near(wanted_ids=DENTISTS[:1], able_ids=DENTISTS[:1])

    assert first
    assert others
    ninety_minutes = timedelta(minutes=90)
    assert all(abs(one.starts_at - other.starts_at) >= ninety_minutes for one in first for other in others)
    assert {one.practitioner_id for one in only_lee} == {DENTISTS[0]}


def test_what_is_offered_instead_can_be_booked(front: Front) -> None:
    found = front.find(TimeWish(days=one_day(TUESDAY), at_minute=10 * 60), wanted_ids=DENTISTS[:1])

    bookable = [one.slot for one in found.nearest if "notice" not in one.changes]
    assert bookable
    for number, slot in enumerate(bookable):
        person = slot.practitioner_id.removeprefix("practitioner-")
        place = slot.location_id.removeprefix("location-")
        booked = book(
            front.database,
            ELM,
            practitioner=person,
            location=place,
            starts_at=slot.starts_at,
            phone=f"+1212555017{number}",
        )
        assert (booked.starts_at, booked.ends_at) == (slot.starts_at, slot.ends_at)
