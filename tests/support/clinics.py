"""Clinics for tests, as frozen values: no database, the same every time."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from booking.values import (
    Answer,
    BookingRules,
    Catalogue,
    ClinicId,
    DateSpan,
    LocationInfo,
    PractitionerInfo,
    Profile,
    ResourceInfo,
    ServiceInfo,
    WeeklyHours,
    WorkingHours,
)
from kernel.money import Money

NEW_YORK = ZoneInfo("America/New_York")


def weekly(*weekdays: int, start: float, end: float) -> tuple[WeeklyHours, ...]:
    """Give the same hours on each of `weekdays` (0 = Monday); `start` and `end` in hours after midnight."""
    return tuple(WeeklyHours(day, timedelta(hours=start), timedelta(hours=end)) for day in weekdays)


def a_service(key: str, name: str, **changes: object) -> ServiceInfo:
    """Make a service of half an hour with the id `service-KEY`; `changes` are its other fields."""
    fields: dict[str, object] = {
        "aliases": (),
        "description": None,
        "category": None,
        "duration": timedelta(minutes=30),
        "buffer_before": timedelta(0),
        "buffer_after": timedelta(0),
        "price": None,
        "skills": frozenset(),
        "resources": (),
        "preparation": None,
    }
    return ServiceInfo(id=f"service-{key}", key=key, name=name, **{**fields, **changes})  # type: ignore[arg-type]  # a builder of tests


def a_practitioner(
    key: str,
    name: str,
    *,
    services: tuple[str, ...],
    skills: tuple[str, ...],
    hours: dict[str, tuple[WeeklyHours, ...]],
    gender: str,
    languages: tuple[str, ...] = ("en",),
    aliases: tuple[str, ...] = (),
    time_off: tuple[DateSpan, ...] = (),
    bio: str | None = None,
) -> PractitionerInfo:
    """Make a practitioner with the id `practitioner-KEY` who works `hours` (location key to weekly hours)."""
    return PractitionerInfo(
        id=f"practitioner-{key}",
        key=key,
        name=name,
        aliases=aliases,
        gender=gender,
        languages=languages,
        skills=frozenset(skills),
        service_ids=frozenset(f"service-{service}" for service in services),
        schedule_id=f"schedule-{key}",
        hours=tuple(WorkingHours(f"location-{place}", one) for place, week in hours.items() for one in week),
        time_off=time_off,
        profile=Profile(bio=bio),
    )


def elm_catalogue() -> Catalogue:
    """Give a group practice in Albany: two locations, six practitioners (two of them named Carter), twelve services."""
    return Catalogue(
        clinic_id=ClinicId("clinic-elm"),
        key="elm",
        version=1,
        name="Elm Street Clinic",
        country="US",
        zone=NEW_YORK,
        languages=("en", "es"),
        phone="+12125550100",
        transfer_to="+12125550199",
        rules=BookingRules(),
        locations=_locations(),
        services=_dental() + _medical() + _physiotherapy(),
        practitioners=_practitioners(),
        resources=_resources(),
        answers=(
            Answer("insurance", "We take Aetna, Cigna and MVP.", ("what insurance do you take", "do you take aetna")),
            Answer("other", "Yes, both entrances have a ramp.", ("is there wheelchair access", "is it accessible")),
        ),
    )


def _locations() -> tuple[LocationInfo, ...]:
    return (
        LocationInfo(
            id="location-main",
            key="main",
            name="Main Street",
            address="1 Main Street, Albany",
            zone=NEW_YORK,
            phone="+12125550100",
            transfer_to="+12125550199",
            hours=weekly(0, 1, 2, 3, 4, start=8, end=18) + weekly(5, start=9, end=13),
            closures=(DateSpan(date(2027, 7, 5), date(2027, 7, 6)),),
            directions="Opposite the library; buses 10 and 12 stop outside.",
            parking="Free parking behind the building.",
            aliases=("downtown",),
        ),
        LocationInfo(
            id="location-riverside",
            key="riverside",
            name="Riverside",
            address="240 River Road, Troy",
            zone=NEW_YORK,
            phone=None,
            transfer_to=None,
            hours=weekly(0, 1, 2, 3, 4, start=9, end=17),
            closures=(),
            parking="Two hours free in the street.",
            aliases=("Troy", "the river office"),
        ),
    )


def _dental() -> tuple[ServiceInfo, ...]:
    return (
        a_service(
            "cleaning",
            "Dental cleaning",
            aliases=("cleaning", "teeth cleaning", "hygiene visit"),
            category="dental",
            duration=timedelta(minutes=45),
            buffer_before=timedelta(minutes=5),
            buffer_after=timedelta(minutes=10),
            price=Money(9500, "USD"),
            skills=frozenset({"hygiene"}),
            resources=("chair",),
            reasons=("tartar", "my teeth need cleaning"),
        ),
        a_service(
            "dental-exam",
            "Dental check-up",
            aliases=("dental exam", "teeth check"),
            category="dental",
            price=Money(8000, "USD"),
            skills=frozenset({"dentistry"}),
            resources=("chair",),
            reasons=("look at my teeth", "bleeding gums"),
        ),
        a_service(
            "filling",
            "Filling",
            aliases=("cavity filling",),
            category="dental",
            duration=timedelta(minutes=60),
            price=Money(22000, "USD"),
            skills=frozenset({"dentistry"}),
            resources=("chair",),
            reasons=("cavity", "hole in my tooth", "my filling fell out"),
        ),
        a_service(
            "urgent-dental",
            "Urgent dental visit",
            aliases=("emergency dentist", "dental emergency"),
            category="dental",
            price=Money(12000, "USD"),
            skills=frozenset({"dentistry"}),
            resources=("chair",),
            reasons=("toothache", "my tooth broke", "chipped tooth", "tooth hurts", "lost a crown"),
        ),
    )


def _medical() -> tuple[ServiceInfo, ...]:
    return (
        a_service(
            "physical",
            "Annual check-up",
            aliases=("checkup", "physical", "yearly exam", "annual exam"),
            description="A full examination once a year.",
            category="medical",
            duration=timedelta(minutes=45),
            price=Money(18000, "USD"),
            skills=frozenset({"medicine"}),
            preparation="Please bring a list of your medicines.",
        ),
        a_service(
            "child-checkup",
            "Well-child visit",
            aliases=("child checkup", "kids checkup", "school physical", "pediatric visit"),
            category="medical",
            price=Money(15000, "USD"),
            skills=frozenset({"medicine"}),
        ),
        a_service(
            "sick-visit",
            "Sick visit",
            aliases=("same day visit",),
            description="For something new: a cough, fever, stomach ache or infection.",
            category="medical",
            duration=timedelta(minutes=20),
            price=Money(11000, "USD"),
            skills=frozenset({"medicine"}),
            reasons=(
                "cough",
                "fever",
                "sore throat",
                "stomach ache",
                "earache",
                "i feel sick",
                "flu symptoms",
                "headache",
            ),
        ),
        a_service(
            "flu-shot",
            "Flu shot",
            aliases=("flu vaccine", "flu jab", "vaccination"),
            category="medical",
            duration=timedelta(minutes=15),
            price=Money(4000, "USD"),
        ),
        a_service(
            "blood-test",
            "Blood test",
            aliases=("blood work", "lab work", "blood draw"),
            category="medical",
            duration=timedelta(minutes=15),
            price=Money(6000, "USD"),
            preparation="Please do not eat for eight hours before.",
        ),
        a_service(
            "skin-check",
            "Skin check",
            aliases=("dermatology visit", "dermatologist", "mole check"),
            category="medical",
            price=Money(16000, "USD"),
            skills=frozenset({"dermatology"}),
            reasons=("rash", "a mole that changed", "acne", "eczema", "itchy skin"),
        ),
    )


def _physiotherapy() -> tuple[ServiceInfo, ...]:
    return (
        a_service(
            "physio-first",
            "First physiotherapy visit",
            aliases=("physio assessment", "first physio"),
            category="physiotherapy",
            duration=timedelta(minutes=60),
            price=Money(14000, "USD"),
            skills=frozenset({"physiotherapy"}),
            reasons=("back pain", "knee pain", "my shoulder hurts", "sprained ankle", "stiff neck"),
        ),
        a_service(
            "physio-followup",
            "Physiotherapy follow-up",
            aliases=("follow up physio", "physio session"),
            category="physiotherapy",
            price=Money(9000, "USD"),
            skills=frozenset({"physiotherapy"}),
        ),
    )


def _practitioners() -> tuple[PractitionerInfo, ...]:
    lunch_free = weekly(0, 1, 2, 3, start=9, end=12) + weekly(0, 1, 2, 3, start=13, end=17)
    return (
        a_practitioner(
            "lee",
            "Dr. Mina Lee",
            aliases=("Doctor Lee",),
            gender="female",
            languages=("en", "ko"),
            skills=("hygiene", "dentistry"),
            services=("cleaning", "dental-exam", "filling", "urgent-dental"),
            hours={"main": lunch_free},
            time_off=(DateSpan(date(2027, 3, 17), date(2027, 3, 18)), DateSpan(date(2027, 4, 1), date(2027, 4, 6))),
            bio="Dentist, also for anxious patients.",
        ),
        a_practitioner(
            "ben-carter",
            "Ben Carter",
            gender="male",
            skills=("hygiene",),
            services=("cleaning", "flu-shot", "blood-test"),
            hours={"main": weekly(0, 2, 4, 5, start=9, end=13), "riverside": weekly(1, 3, start=9, end=17)},
        ),
        a_practitioner(
            "ruiz",
            "Dr. Elena Ruiz",
            gender="female",
            languages=("en", "es"),
            skills=("medicine",),
            services=("physical", "child-checkup", "sick-visit", "flu-shot", "blood-test"),
            hours={"main": weekly(0, 1, 2, 3, 4, start=8, end=16)},
        ),
        a_practitioner(
            "ito",
            "Dr. Kenji Ito",
            gender="male",
            languages=("en", "ja"),
            skills=("medicine",),
            services=("physical", "child-checkup", "sick-visit", "flu-shot"),
            hours={"main": weekly(3, 4, start=10, end=18), "riverside": weekly(0, 1, 2, start=9, end=17)},
        ),
        a_practitioner(
            "carter",
            "Dr. Olivia Carter",
            gender="female",
            skills=("dermatology",),
            services=("skin-check",),
            hours={"riverside": weekly(1, 2, 4, start=9, end=17)},
            bio="Dermatologist.",
        ),
        a_practitioner(
            "novak",
            "Tomas Novak",
            gender="male",
            languages=("en", "de"),
            skills=("physiotherapy",),
            services=("physio-first", "physio-followup"),
            hours={"riverside": weekly(0, 1, 2, 3, 4, start=9, end=17)},
        ),
    )


def _resources() -> tuple[ResourceInfo, ...]:
    return tuple(
        ResourceInfo(f"resource-{key}", key, kind="chair", location_id="location-main", schedule_id=f"schedule-{key}")
        for key in ("chair-1", "chair-2")
    )
