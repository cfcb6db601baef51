"""The clinic that the races are run in: open every day, three people, two rooms."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from booking.values import (
    BookingRules,
    Catalogue,
    ClinicId,
    GroupSize,
    LocationInfo,
    Offering,
    ResourceInfo,
)
from tests.support.clinics import a_practitioner, a_service, weekly

ZONE = ZoneInfo("America/New_York")
DAY_ONE = datetime(2027, 1, 4, 12, 0, tzinfo=UTC)  # a Monday, 7:00 in New York
PEOPLE = ("ann", "bob", "cyd")


def race_catalogue() -> Catalogue:
    """Give a clinic with a visit that needs nothing, one with buffers that needs a room, one that staff confirm, a class, and
    a package of two visits.
    """
    every_day = weekly(*range(7), start=8, end=18)
    services = (
        a_service("visit", "Visit"),
        a_service(
            "room-visit",
            "Visit in a room",
            resources=("room",),
            buffer_before=timedelta(minutes=5),
            buffer_after=timedelta(minutes=10),
        ),
        a_service("asked-visit", "Visit to confirm", needs_confirmation=True),
        a_service("class", "Class of three", group=GroupSize(1, 3), resources=("room",)),
        a_service(
            "package",
            "Two visits in a row",
            duration=timedelta(minutes=60),
            steps=("service-visit", "service-visit"),
            step_gap=timedelta(minutes=30),
        ),
    )
    return Catalogue(
        clinic_id=ClinicId("clinic-races"),
        key="races",
        version=1,
        name="Races",
        country="US",
        zone=ZONE,
        languages=("en",),
        phone="+12125550100",
        transfer_to=None,
        rules=BookingRules(waitlist=Offering.ALL),
        locations=(LocationInfo("location-main", "main", "Main", "1 Main", ZONE, None, None, every_day, ()),),
        services=services,
        practitioners=tuple(
            a_practitioner(
                key,
                key.title(),
                services=tuple(service.key for service in services),
                skills=(),
                hours={"main": every_day},
                gender="female",
            )
            for key in PEOPLE
        ),
        resources=tuple(
            ResourceInfo(f"resource-{key}", key, "room", "location-main", f"schedule-{key}")
            for key in ("room-1", "room-2")
        ),
    )


def at(day: int, hour: float) -> datetime:
    """Return an instant on the day of a round: `hour` 8 is when the clinic opens in winter."""
    return DAY_ONE + timedelta(days=day, hours=hour - 7)


def eve(day: int) -> datetime:
    """Return the evening before the day of a round, which is now for all who take part in it."""
    return at(day, -6)
