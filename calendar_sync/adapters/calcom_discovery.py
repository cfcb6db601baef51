"""The kinds of booking of a Cal.com account: each may be the one that visits become."""

from calendar_sync.adapters.calcom_client import CalcomClient, NotThere
from calendar_sync.adapters.calcom_store import address_of
from calendar_sync.discovery import FoundCalendar
from calendar_sync.ports import AccessRefused, LinkAccess
from kernel.outbound import Outbound


def find_event_types(access: LinkAccess, *, outbound: Outbound) -> tuple[FoundCalendar, ...]:
    """Return the kinds of booking that the key in `access` opens: of `access.url` only where Cal.com's interface begins counts.

    Raises Unavailable and AccessRefused; an account without any kind of booking is the latter.
    """
    base_url, _ = address_of(access.url)
    client = CalcomClient(base_url=base_url, key=access.secret, outbound=outbound)
    try:
        owner, kinds = client.me(), client.event_types()
    except NotThere:
        raise AccessRefused("there is no interface of Cal.com at this address", code="not-there") from None
    if not kinds:
        raise AccessRefused("the account has no kind of booking", code="not-a-calendar")
    return tuple(
        FoundCalendar(
            url=f"{base_url}/event-types/{kind.id}",
            name=kind.title,
            can_read=True,
            can_write=True,
            owner_addresses=(owner.email,),
            slug=kind.slug,
        )
        for kind in kinds
    )
