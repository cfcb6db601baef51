"""Goals made by combination from a clinic's own data: every family of errands, with wishes that something in the diary meets.

A wish is drawn around a time that is free, so that it can be met; how narrow it is, and how it is said, is drawn too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import cycle, islice
from random import Random
from typing import Any, TypeVar

from benchmarks.patients.goals import Days, Errand, Existing, Goal, Kind, Part, Somebody, Times, Wish
from benchmarks.patients.wording import own_language, words
from benchmarks.patients.world import World
from booking.values import PractitionerInfo, ServiceInfo, Slot

_One = TypeVar("_One")
_NOON = 12 * 60
_HOUR = 60
_PATIENCE = 16
_MORE_PATIENCE = 8  # for each further errand, and whatever else makes it longer

# Out of two hundred.
FAMILIES: Mapping[str, int] = {
    "known": 38,
    "new": 20,
    "reason": 8,
    "child": 12,
    "relative": 8,
    "hidden": 18,
    "widen": 10,
    "change-of-mind": 12,
    "move": 18,
    "cancel": 12,
    "when": 6,
    "ask": 8,
    "several": 12,
    "wait": 4,
    "person": 3,
    "danger": 4,
    "wrong-number": 3,
    "digression": 10,
    "other-number": 5,
    "wrong-birth-date": 5,
}


class NothingFits(Exception):
    """What was drawn cannot be: draw again."""


@dataclass
class Maker:
    """Draws goals for one world."""

    world: World
    random: Random

    def goal(self, family: str, *, number: int) -> Goal:
        """Draw one goal of a family."""
        for attempt in range(200):
            self.random = Random(f"{self.random.random()} {family} {number} {attempt}")
            try:
                return replace(_FAMILY[family](self), id=f"{number:03}-{family}", family=family)
            except NothingFits:
                continue
        raise SystemExit(f"No goal of the family {family} can be made for {self.world.name}.")

    def known(self) -> Goal:
        return self._goal(self.a_patient(), [self.booking()])

    def new(self) -> Goal:
        return self._goal(self.a_newcomer(), [self.booking()], is_known=False)

    def reason(self) -> Goal:
        services = [
            one
            for one in self._services()
            if any(each.startswith(("my ", "I ")) for each in own_language(one.reasons, self.world.language))
        ]
        service = self._pick(services)
        errand = Errand(Kind.BOOK, self.wish(self.a_slot(service)), topic="reason")
        return self._goal(self.a_patient(), [errand])

    def child(self) -> Goal:
        me = self._pick([one for one in self._people() if self._children(one)])
        child = self._pick(self._children(me)) if self.random.random() < 0.5 else self._new_child(me)
        services = [one for one in self.world.catalogue.services if _is_for_children(one.key)]
        booking = self.booking()
        kinds = {one.name.split()[-1] for one in services}
        if booking.wish and any(kind in self._named(booking.wish.service).name for kind in kinds):
            raise NothingFits  # what such a visit is called is a child's visit for a child
        if services and self.random.random() < 0.4:
            booking = Errand(Kind.BOOK, self.wish(self.a_slot(self._pick(services))))
        errand = replace(booking, person=child, relation=self.random.choice(self._words["relations"]["child"]))
        return self._goal(me, [errand], more=1)

    def relative(self) -> Goal:
        me, other = self.a_patient(), self._pick([one for one in self._people() if not self._children(one)])
        if other == me:
            raise NothingFits
        errand = replace(
            self.booking(), person=other, relation=self.random.choice(self._words["relations"]["grown_up"])
        )
        return self._goal(me, [errand], more=1)

    def hidden(self) -> Goal:
        errand = self.booking(is_narrow=True)
        wish = errand.wish
        if wish is None:
            raise NothingFits
        has = {
            Part.PRACTITIONER: wish.practitioner,
            Part.LOCATION: wish.location,
            Part.DAYS: wish.days.shape != "any",
            Part.TIMES: wish.times.shape != "any",
        }
        parts = [part for part, is_there in has.items() if is_there]
        hidden = tuple(self.random.sample(parts, min(len(parts), self.random.choice([1, 2]))))
        me, is_known = (self.a_patient(), True) if self.random.random() < 0.7 else (self.a_newcomer(), False)
        return self._goal(me, [replace(errand, hidden=hidden)], is_known=is_known, more=1)

    def widen(self) -> Goal:
        return self._goal(self.a_patient(), [self._impossible(Kind.BOOK)], more=1)

    def wait(self) -> Goal:
        me = self._pick([one for one in self._people() if not self._shares_number(one)])
        return self._goal(me, [self._impossible(Kind.WAIT)])

    def change_of_mind(self) -> Goal:
        service = self._pick(self._services())
        before, after = self.wish(self.a_slot(service), is_narrow=True), self.wish(self.a_slot(service), is_narrow=True)
        if before.days == after.days or "any" in {before.days.shape, after.days.shape}:
            raise NothingFits
        after = replace(after, practitioner=before.practitioner, gender=before.gender, location=before.location)
        self._check_is_free(after)
        return self._goal(self.a_patient(), [Errand(Kind.BOOK, after, first=before)], more=1)

    def move(self) -> Goal:
        me = self.a_patient()
        return self._goal(me, [self._moving(me)], more=1)

    def cancel(self) -> Goal:
        me = self.a_patient()
        visit = self._existing(me)
        rest = [self._existing(me, apart_from=visit)] if self.random.random() < 0.5 else []
        return self._goal(me, [Errand(Kind.CANCEL, visit=visit)], diary=rest)

    def when(self) -> Goal:
        me = self.a_patient()
        return self._goal(me, [Errand(Kind.WHEN, visit=self._existing(me))])

    def ask(self) -> Goal:
        is_known = self.random.random() < 0.5
        return self._goal(self.a_patient() if is_known else self.a_newcomer(), [self._question()], is_known=is_known)

    def several(self) -> Goal:
        me = self.a_patient()
        combinations: list[Callable[[], list[Errand]]] = [
            lambda: [Errand(Kind.CANCEL, visit=self._existing(me)), self.booking()],
            lambda: [self.booking(), self.booking()],
            lambda: [self._question(), self.booking()],
            lambda: [self._moving(me), self._question()],
            lambda: [self.booking(), self._question(), self.booking()],
        ]
        errands = self._pick(combinations)()
        self._check_apart(errands)
        return self._goal(me, errands)

    def person(self) -> Goal:
        return self._goal(self.a_patient(), [Errand(Kind.PERSON)])

    def danger(self) -> Goal:
        return self._goal(self.a_patient(), [Errand(Kind.DANGER)])

    def wrong_number(self) -> Goal:
        return self._goal(self.a_newcomer(), [Errand(Kind.WRONG_NUMBER)], is_known=False)

    def digression(self) -> Goal:
        me, is_known = (self.a_patient(), True) if self.random.random() < 0.6 else (self.a_newcomer(), False)
        return self._goal(me, [self.booking()], is_known=is_known, digression=self._question(), more=1)

    def other_number(self) -> Goal:
        me = self.a_patient()
        errands = [self._moving(me)] if self.random.random() < 0.5 else [self.booking()]
        return replace(self._goal(me, errands, more=1), caller=self._new_number())

    def wrong_birth_date(self) -> Goal:
        me = self.a_patient()
        errand = self._moving(me) if self.random.random() < 0.5 else Errand(Kind.CANCEL, visit=self._existing(me))
        wrong = me.born + timedelta(days=self.random.choice([1, -1, 31, 365]))
        return self._goal(me, [errand], wrong_birth_date=wrong, more=1)

    def booking(self, *, is_narrow: bool = False) -> Errand:
        """Draw a visit that somebody wants."""
        return Errand(Kind.BOOK, self.wish(self.a_slot(self._pick(self._services())), is_narrow=is_narrow))

    def a_slot(self, service: ServiceInfo) -> Slot:
        return self._pick(self.world.free(service.key))

    def wish(self, slot: Slot, *, is_narrow: bool = False) -> Wish:
        """Draw a wish that `slot` meets."""
        service = self.world.catalogue.service(slot.service_id)
        who = self.world.catalogue.practitioner(slot.practitioner_id)
        wall = self.world.wall(slot)
        days = self._days_around(wall.date(), is_narrow=is_narrow)
        chance = self.random.random()
        wish = Wish(
            service=service.key,
            practitioner=who.key if chance < 0.4 else None,
            gender=who.gender if 0.4 <= chance < 0.47 and self._is_choice_of_gender(service) else None,
            location=self._location(slot) if self.random.random() < 0.2 else None,
            days=days,
            times=self._times_around(wall.hour * 60 + wall.minute, days=days, is_narrow=is_narrow),
        )
        self._check_is_free(wish)
        return wish

    def a_patient(self) -> Somebody:
        return self._pick(self._people())

    def a_newcomer(self) -> Somebody:
        names = self._words["names"]
        name = f"{self._pick(names['new_first'])} {self._pick(names['new_last'])}"
        born = date(self._number(1940, 2003), self._number(1, 12), self._number(1, 28))
        return Somebody(name, born, self._new_number())

    def _goal(
        self,
        me: Somebody,
        errands: Sequence[Errand],
        *,
        is_known: bool = True,
        diary: Sequence[Existing] = (),
        digression: Errand | None = None,
        wrong_birth_date: date | None = None,
        more: int = 0,
    ) -> Goal:
        visits = [one.visit for one in errands if one.visit is not None]
        return Goal(
            id="",
            family="",
            clinic=self.world.name,
            now=self.world.now,
            caller=me.phone or self._new_number(),
            me=me,
            is_known=is_known,
            errands=tuple(errands),
            diary=(*visits, *diary),
            digression=digression,
            wrong_birth_date=wrong_birth_date,
            patience=_PATIENCE + _MORE_PATIENCE * (len(errands) - 1 + more),
        )

    def _moving(self, me: Somebody) -> Errand:
        visit = self._existing(me)
        service = self._named(visit.service)
        same = [one for one in self.world.free(service.key) if self._practitioner(one).key == visit.practitioner]
        slot = self._pick([one for one in same if self.world.wall(one).date() != visit.start.date()])
        wish = replace(self.wish(slot), practitioner=None, gender=None, location=None)
        if wish.days.allow(visit.start.date()) and wish.days.shape != "any":
            raise NothingFits  # "move it to next week" of a visit that is next week means something else
        return Errand(Kind.MOVE, wish, visit=visit)

    def _impossible(self, kind: Kind) -> Errand:
        """Draw somebody on a day that they have nothing on, and what will do instead."""
        if kind is Kind.WAIT or self.random.random() < 0.5:
            taken = self._pick([one for one in self.world.taken if not _is_for_children(one.service)])
            day, minute = taken.start.date(), taken.start.hour * 60 + taken.start.minute
            first = Wish(
                taken.service,
                practitioner=taken.practitioner,
                days=Days("on", day, day),
                times=Times("at", minute, minute + 1, minute),
            )
        else:
            slot = self.a_slot(self._pick(self._services()))
            service, who = self.world.catalogue.service(slot.service_id).key, self._practitioner(slot).key
            day = self._today() + timedelta(days=self._number(2, 12))
            first = Wish(service, practitioner=who, days=Days("on", day, day))
        if self._met_by(first):
            raise NothingFits
        return Errand(kind, Wish(first.service, practitioner=first.practitioner), first=first)

    def _existing(self, me: Somebody, *, apart_from: Existing | None = None) -> Existing:
        slot = self.a_slot(self._pick(self._services()))
        wall = self.world.wall(slot)
        is_near = wall.date() < self._today() + timedelta(days=3)
        if is_near or (apart_from and (wall.date() == apart_from.start.date())):
            raise NothingFits
        service = self.world.catalogue.service(slot.service_id).key
        if apart_from and service == apart_from.service:
            raise NothingFits
        return Existing(service, self._practitioner(slot).key, self._location(slot), me, wall)

    def _question(self) -> Errand:
        catalogue = self.world.catalogue
        service = self._pick(self._services())
        place = self._pick(catalogue.locations)
        about = Wish(service.key)
        found = []
        if service.price is not None:
            found.append(Errand(Kind.ASK, about, topic="price", answer=str(service.price.amount_minor // 100)))
        if service.preparation:
            found.append(Errand(Kind.ASK, about, topic="preparation", answer=service.preparation))
        whole = Wish(service.key, location=place.key)
        found.append(Errand(Kind.ASK, whole, topic="address", answer=place.address.split(",")[0]))
        if place.parking:
            found.append(Errand(Kind.ASK, whole, topic="parking", answer=place.parking))
        found += [
            Errand(
                Kind.ASK, topic="own", words=self._pick(own_language(one.phrases, self.world.language)), answer=one.text
            )
            for one in catalogue.answers
            if own_language(one.phrases, self.world.language) and own_language([one.text], self.world.language)
        ]
        return self._pick([one for one in found if one.topic not in self._words.get("topics_left_out", ())])

    def _days_around(self, day: date, *, is_narrow: bool) -> Days:
        """Draw the days that will do, `day` among them."""
        shapes = ["on"] * 9 + ["week"] * 3 + ["either", "weekday", "from"] + ([] if is_narrow else ["any"] * 4)
        shape = self._pick(shapes)
        monday = day - timedelta(days=day.weekday())
        not_weekday = self._number(0, 4) if shape in {"week", "any"} and self.random.random() < 0.25 else None
        if not_weekday == day.weekday() or (shape == "any" and not_weekday is not None):
            not_weekday = None
        match shape:
            case "on":
                return Days("on", day, day)
            case "week":
                return Days("week", monday, monday + timedelta(days=6), not_weekday=not_weekday)
            case "either":
                other = day + timedelta(days=self._number(1, 3))
                return Days("either", day, day, others=(other,))
            case "weekday":
                return Days("weekday", weekday=day.weekday())
            case "from":
                return Days("from", day - timedelta(days=self._number(0, 2)))
            case _:
                return Days()

    def _times_around(self, minute: int, *, days: Days, is_narrow: bool) -> Times:
        """Draw the times that will do, `minute` among them."""
        hour = minute // 60 * 60
        shapes = ["after", "before", "between", "about", "half", "half"] + ["any"] * (1 if is_narrow else 6)
        if days.shape == "on" and minute % 30 == 0:
            shapes += ["at"] * 4
        match self._pick(shapes):
            case "at":
                return Times("at", minute, minute + 1, minute)
            case "about" if minute % 30 == 0:
                return Times("about", minute - _HOUR, minute + _HOUR + 1, minute)
            case "after" if hour != _NOON:
                return Times("after", hour, 24 * 60, hour)
            case "before":
                return Times("before", 0, hour + _HOUR, hour + _HOUR)
            case "between":
                return Times("between", hour, hour + 2 * _HOUR, hour)
            case "half":
                is_morning = minute < _NOON
                return Times("morning", 0, _NOON) if is_morning else Times("afternoon", _NOON, 24 * 60)
            case _:
                return Times()

    def _met_by(self, wish: Wish) -> list[Slot]:
        return [one for one in self.world.free(wish.service) if self.meets(one, wish)]

    def meets(self, slot: Slot, wish: Wish) -> bool:
        """Say whether a slot is as wished."""
        who, wall = self._practitioner(slot), self.world.wall(slot)
        return (
            wish.practitioner in {None, who.key}
            and wish.gender in {None, who.gender}
            and wish.location in {None, self._location(slot)}
            and wish.days.allow(wall.date())
            and wish.times.allow(wall.hour * 60 + wall.minute)
        )

    def _check_is_free(self, wish: Wish) -> None:
        if not self._met_by(wish):
            raise NothingFits

    def _check_apart(self, errands: Sequence[Errand]) -> None:
        """Draw again where one errand could stand in the way of another."""
        services = [one.wish.service for one in errands if one.wish and one.kind is not Kind.ASK]
        services += [one.visit.service for one in errands if one.visit and one.kind is Kind.CANCEL]
        booked = [one.wish for one in errands if one.wish and one.kind is Kind.BOOK]
        is_same_day = len(booked) > 1 and any(
            one.days.first is not None and booked[1].days.allow(one.days.first) for one in booked[:1]
        )
        if len(set(services)) < len(services) or is_same_day:
            raise NothingFits

    @property
    def _words(self) -> Mapping[str, Any]:
        return words(self.world.language)

    def _services(self) -> list[ServiceInfo]:
        """Return what grown-ups come for by themselves."""
        return [
            one
            for one in self.world.catalogue.services
            if not one.steps and not one.group and not _is_for_children(one.key)
        ]

    def _named(self, key: str) -> ServiceInfo:
        return next(one for one in self.world.catalogue.services if one.key == key)

    def _is_choice_of_gender(self, service: ServiceInfo) -> bool:
        able = [one for one in self.world.catalogue.practitioners if self.world.catalogue.offers(one, service)]
        return len({one.gender for one in able}) > 1

    def _people(self) -> list[Somebody]:
        """Return the grown-ups who may call."""
        grown = self._today().replace(day=1) - timedelta(days=365 * 18)
        return [one for one in self.world.people if one.born < grown and not one.name.startswith("Other ")]

    def _children(self, me: Somebody) -> list[Somebody]:
        return [one for one in self.world.people if one.phone == me.phone and one.born.year >= 2010]

    def _shares_number(self, me: Somebody) -> bool:
        return sum(one.phone == me.phone for one in self.world.people) > 1

    def _new_child(self, me: Somebody) -> Somebody:
        name = f"{self._pick(self._words['names']['new_first'])} {me.name.split()[-1]}"
        return Somebody(name, date(self._number(2012, 2024), self._number(1, 12), self._number(1, 28)))

    def _practitioner(self, slot: Slot) -> PractitionerInfo:
        return self.world.catalogue.practitioner(slot.practitioner_id)

    def _location(self, slot: Slot) -> str:
        return self.world.catalogue.location(slot.location_id).key

    def _today(self) -> date:
        return self.world.now.astimezone(self.world.catalogue.zone).date()

    def _new_number(self) -> str:
        return f"+1212555{self._number(4000, 8999)}"

    def _number(self, first: int, last: int) -> int:
        return self.random.randint(first, last)

    def _pick(self, some: Sequence[_One]) -> _One:
        if not some:
            raise NothingFits
        return self.random.choice(some)


def _is_for_children(service: str) -> bool:
    return "child" in service


_FAMILY: Mapping[str, Callable[[Maker], Goal]] = {name: getattr(Maker, name.replace("-", "_")) for name in FAMILIES}


def make_goals(worlds: Sequence[World], *, count: int, seed: int, families: Sequence[str] = ()) -> list[Goal]:
    """Draw `count` goals, of all families in their proportions unless some are named. The same for the same arguments."""
    left_out = words(worlds[0].language).get("families_left_out", ())
    plan = _plan({name: FAMILIES[name] for name in families or FAMILIES if name not in left_out})
    makers = [Maker(world, Random(f"{seed} {world.name} {world.now}")) for world in worlds]
    return [
        maker.goal(family, number=number)
        for number, (family, maker) in enumerate(zip(islice(cycle(plan), count), cycle(makers), strict=False))
    ]


def _plan(weights: Mapping[str, int]) -> list[str]:
    """Spread the families evenly, so that a small number of goals has all of them in proportion."""
    places = [((turn + 0.5) / weight, name) for name, weight in weights.items() for turn in range(weight)]
    return [name for _, name in sorted(places)]


def clocks() -> list[tuple[str, datetime]]:
    """Return the clinics and instants that goals are played at: before a change of clocks, at the end of a month, on a Friday afternoon."""
    instants = ["2027-03-10T10:00:00-05:00", "2027-06-28T08:30:00-04:00", "2027-10-15T14:20:00-04:00"]
    return [(clinic, datetime.fromisoformat(one)) for one in instants for clinic in ("harbor", "elm")]
