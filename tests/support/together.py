"""The clinic of the tests with a package, and a group that meets."""

import dataclasses
from datetime import timedelta

from booking.values import Catalogue, GroupSize
from tests.support.clinics import a_service, elm_catalogue

PACKAGE, GROUP = "service-health-check", "service-back-school"
STEPS = ("service-blood-test", "service-physical")


def elm_with_more() -> Catalogue:
    """Give the Elm Street Clinic with a health check (a blood test, then the yearly check-up) and a back school for three."""
    elm = elm_catalogue()
    package = a_service(
        "health-check",
        "Health check",
        duration=timedelta(minutes=60),
        steps=STEPS,
        step_gap=timedelta(minutes=30),
    )
    group = a_service("back-school", "Back school", duration=timedelta(minutes=60), group=GroupSize(2, 3))
    novak = elm.practitioner("practitioner-novak")
    teaching = dataclasses.replace(novak, service_ids=novak.service_ids | {GROUP})
    return dataclasses.replace(
        elm,
        services=(*elm.services, package, group),
        practitioners=tuple(teaching if one.id == novak.id else one for one in elm.practitioners),
        _by_id={},
    )
