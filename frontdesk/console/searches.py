"""What staff searched for lately. It may name a patient, so it is kept in their cookie, and an address, which logs keep, has only its number.

Several are kept, since whoever works in two tabs goes on in both.
"""

import json

from flask import session as cookie

_MOST_BYTES = 1200  # a browser keeps no cookie of more than 4096, and signing makes it longer


def keep_search(search: str) -> str:
    """Keep what was searched for and return its number. What was searched for longest ago goes where there is no room."""
    kept = dict(_kept())
    for number, known in kept.items():
        if known == search:
            return number
    number = str(max(map(int, kept), default=0) + 1)
    kept[number] = search
    while len(kept) > 1 and len(json.dumps(kept)) > _MOST_BYTES:
        del kept[min(kept, key=int)]
    cookie["searches"] = kept
    return number


def kept_search(number: str) -> str:
    """Return what was searched for under a number; nothing if that was too long ago."""
    return _kept().get(number, "")


def _kept() -> dict[str, str]:
    kept: dict[str, str] = cookie.get("searches", {})
    return kept
