"""What is free, kept for showing only: a minute in the process, five in Redis. Booking always reads afresh.

Every answer is kept under the versions of the Schedules it was made from, so that nothing has to be found and deleted: who
changes a Schedule makes its version another, and what was kept under the old one is never asked for again. From just before
the commit until just after it the version says that it is changing, and nothing made of it meanwhile is kept: a process that
dies in between leaves that behind until everything older has run out.
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from booking import availability
from booking.guard import schedule_tag
from booking.queries import find_slots_many
from booking.rules import earliest_start
from booking.several import packages
from booking.values import Catalogue, Slot, SlotQuery
from kernel.db import new_id
from kernel.log import get_logger

_IN_PROCESS = timedelta(seconds=60)
_IN_REDIS = timedelta(minutes=5)
_AT_MOST = 512  # answers kept in the process
_CHANGING = "~"

_log = get_logger()


class ShownSlots:
    """Free times for pages and programs that only show them. Safe with threads; without Redis everything is read afresh.

    Is the `kernel.work.Watcher` of the database, too.
    """

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self._kept: OrderedDict[str, tuple[datetime, list[Slot]]] = OrderedDict()
        self._lock = Lock()

    def find_slots_many(
        self, session: Session, catalogue: Catalogue, *, queries: Sequence[SlotQuery], now: datetime
    ) -> list[list[Slot]]:
        """Return what `queries.find_slots_many` would, at most a few minutes old, and never from before a committed change.

        A Hold that ran out since may still look taken. What is not kept is read afresh, all of it at once.
        """
        keys = [self._key(catalogue, query, now) for query in queries]
        found = [None if key is None else self._kept_for(key, now) for key in keys]
        missing = [number for number, slots in enumerate(found) if slots is None]
        if missing:
            asked = [queries[number] for number in missing]
            for number, slots in zip(missing, find_slots_many(session, catalogue, queries=asked, now=now), strict=True):
                found[number] = slots
                self._keep(keys[number], slots, now)
        earliest = {place.id: earliest_start(catalogue.rules_at(place.id), now) for place in catalogue.locations}
        return [[slot for slot in slots or () if slot.starts_at >= earliest[slot.location_id]] for slots in found]

    def changing(self, tags: frozenset[str]) -> None:
        """Let nothing be kept of what is about to change, and make what was kept of it old."""
        self._tell(tags, _CHANGING, _IN_REDIS)

    def changed(self, tags: frozenset[str]) -> None:
        """Let what was changed be kept again."""
        # Kept for longer than any answer: when it is gone, so is what was kept before it was there.
        self._tell(tags, "", _IN_REDIS * 2)

    def _tell(self, tags: frozenset[str], prefix: str, lifetime: timedelta) -> None:
        if self._redis is None:
            return
        version = prefix + new_id()
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for tag in sorted(tags):
                    pipe.set(_version_name(tag), version, ex=lifetime)
                pipe.execute()
        except RedisError as error:
            # What was kept before may be shown for some minutes more.
            _log.warning("booking.shown.untold", error=type(error).__name__)

    def _key(self, catalogue: Catalogue, query: SlotQuery, now: datetime) -> str | None:
        """Return the name of the answer, or None while it may not be kept."""
        if self._redis is None:
            return None
        tags = sorted(
            {
                schedule_tag(schedule_id)
                for step in packages.step_queries(catalogue, query)
                for wanted, people in availability.search_places(catalogue, step)
                for schedule_id in wanted.schedule_ids(people)
            }
        )
        try:
            versions = self._redis.mget([_version_name(tag) for tag in tags]) if tags else []
        except RedisError:
            return None
        known = ["" if version is None else bytes(version).decode() for version in versions]
        if any(version.startswith(_CHANGING) for version in known):
            return None
        asked = [
            catalogue.clinic_id,
            catalogue.version,
            query.service_id,
            [query.span.start.timestamp(), query.span.end.timestamp()],
            query.practitioner_ids,
            query.location_ids,
            None if query.duration is None else query.duration.total_seconds(),
            None if query.place is None else [query.place.latitude, query.place.longitude],
            len(catalogue.practitioners),  # what patients see and what staff see
            known,
        ]
        return "frontdesk:shown:" + json.dumps(asked, separators=(",", ":"))

    def _kept_for(self, key: str, now: datetime) -> list[Slot] | None:
        found = self._from_process(key, now)
        if found is None:
            found = self._from_redis(key)
            if found is not None:
                self._put_in_process(key, found, now)
        return found

    def _keep(self, key: str | None, slots: list[Slot], now: datetime) -> None:
        if key is not None:
            self._put_in_redis(key, slots)
            self._put_in_process(key, slots, now)

    def _from_process(self, key: str, now: datetime) -> list[Slot] | None:
        with self._lock:
            kept = self._kept.get(key)
        return kept[1] if kept is not None and now - kept[0] < _IN_PROCESS else None

    def _put_in_process(self, key: str, slots: list[Slot], now: datetime) -> None:
        with self._lock:
            self._kept[key] = (now, slots)
            self._kept.move_to_end(key)
            while len(self._kept) > _AT_MOST:
                self._kept.popitem(last=False)

    def _from_redis(self, key: str) -> list[Slot] | None:
        try:
            text = self._redis.get(key)
        except RedisError:
            return None
        return None if text is None else [_read(one) for one in json.loads(text)]

    def _put_in_redis(self, key: str, slots: Sequence[Slot]) -> None:
        try:
            self._redis.set(key, json.dumps([_written(slot) for slot in slots]), ex=_IN_REDIS)
        except RedisError as error:
            _log.warning("booking.shown.unkept", error=type(error).__name__)


def _version_name(tag: str) -> str:
    return f"frontdesk:version:{tag}"


def _written(slot: Slot) -> list[Any]:
    return [
        slot.starts_at.timestamp(),
        slot.ends_at.timestamp(),
        slot.practitioner_id,
        slot.location_id,
        slot.service_id,
        slot.is_contingent,
        slot.session_id,
        [_written(part) for part in slot.parts],
    ]


def _read(written: Sequence[Any]) -> Slot:
    start, end, practitioner_id, location_id, service_id, is_contingent, session_id, parts = written
    return Slot(
        starts_at=datetime.fromtimestamp(start, UTC),
        practitioner_id=practitioner_id,
        location_id=location_id,
        service_id=service_id,
        ends_at=datetime.fromtimestamp(end, UTC),
        is_contingent=is_contingent,
        session_id=session_id,
        parts=tuple(_read(part) for part in parts),
    )
