"""A series booked by hand: first what it comes to, date by date, then exactly that or nothing."""

from collections.abc import Sequence
from datetime import datetime

from booking import guard
from booking.desk.by_hand import ByHand
from booking.several.bundles import PartWish, confirm_bundle
from booking.several.series import Series, place_series
from booking.values import Catalogue, Source
from kernel.errors import Refused
from kernel.work import UnitOfWork


class SeriesChanged(Refused):
    """The dates that can be had are no longer those that staff saw."""

    code = "series-changed"


class _SeenEnough(Exception):
    """Gives back what was held only to see whether it can be."""

    def __init__(self, series: Series) -> None:
        super().__init__()
        self.series = series


def preview_series(
    work: UnitOfWork, catalogue: Catalogue, asked: ByHand, *, rule: str, now: datetime, actor: str
) -> Series:
    """Return which dates of `rule` can be had from `asked.starts_at` on, and why the others can't. Nothing stays written.

    The dates are held, as for the booking itself, and given back: so both say the same. Locks and raises as `place_series`.
    """
    try:
        with guard.all_or_nothing(work):
            raise _SeenEnough(_place(work, catalogue, asked, rule=rule, now=now, actor=actor))
    except _SeenEnough as seen:
        return seen.series


def book_series(
    work: UnitOfWork,
    catalogue: Catalogue,
    asked: ByHand,
    *,
    rule: str,
    agreed: Sequence[datetime],
    now: datetime,
    actor: str,
) -> tuple[str, ...]:
    """Book the dates `agreed`, which a preview said can be had, and return the ids of the Appointments, by start.

    Each call books. Raises SeriesChanged where others can be had by now, what `place_series` raises, and what
    `confirm_bundle` raises; nothing is written then.
    """
    with guard.all_or_nothing(work):
        series = _place(work, catalogue, asked, rule=rule, now=now, actor=actor)
        if [visit.starts_at for visit in series.visits] != list(agreed):
            raise SeriesChanged
        booked = confirm_bundle(
            work,
            catalogue,
            bundle_id=series.bundle_id,
            patient_ids=asked.patient_id,
            now=now,
            actor=actor,
            override_reason=asked.override_reason,
        )
        return tuple(visit.id for visit in booked)


def _place(work: UnitOfWork, catalogue: Catalogue, asked: ByHand, *, rule: str, now: datetime, actor: str) -> Series:
    first = PartWish(
        asked.service_id,
        asked.location_id,
        asked.starts_at,
        asked.practitioner_ids,
        asked.patient_id or None,
        asked.duration,
    )
    return place_series(
        work,
        catalogue,
        rule=rule,
        first=first,
        conversation_id=None,
        source=Source.STAFF,
        now=now,
        actor=actor,
        override_reason=asked.override_reason,
    )
