"""Every endpoint there is."""

from frontdesk.api.calls import appointments, catalogue, patients, protocol, slots
from frontdesk.api.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = tuple(
    endpoint
    for section in (
        catalogue.section,
        slots.section,
        appointments.section,
        patients.section,
        protocol.section,
    )
    for endpoint in section.endpoints
)
