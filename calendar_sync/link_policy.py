"""What holds for one link: the clinic's policy, with what staff chose otherwise for this calendar."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from booking.catalogue import policy_of, stored_rules
from booking.values import CalendarPolicy
from calendar_sync.model import CalendarLink

OF_A_LINK = ("stale_after", "failed_after", "when_failed", "check_at_commit")
"""The parts of the policy that may be chosen for each link: what is done about changes there is one for the clinic."""


def policy_for(link: CalendarLink, clinic: CalendarPolicy) -> CalendarPolicy:
    """Return the policy that holds for the link."""
    own = policy_of(link.policy)
    return replace(clinic, **{name: getattr(own, name) for name in OF_A_LINK if name in link.policy})


def stored_policy(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was chosen for a link as it is stored with it. What is None is as the clinic has it."""
    return stored_rules({name: chosen[name] for name in OF_A_LINK if chosen.get(name) is not None})
