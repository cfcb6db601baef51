"""Every endpoint there is."""

from frontdesk.api.calls import (
    appointments,
    bundles,
    catalogue,
    desk,
    groups,
    patients,
    protocol,
    requests,
    slots,
    waitlist,
)
from frontdesk.api.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = tuple(
    endpoint
    for section in (
        catalogue.section,
        slots.section,
        appointments.section,
        requests.section,
        bundles.section,
        groups.section,
        waitlist.section,
        patients.section,
        desk.section,
        protocol.section,
    )
    for endpoint in section.endpoints
)
