"""Pages of a list by the place of the last row shown: nothing is missed or shown twice while others write."""

import base64
import binascii
import json
from datetime import datetime

from frontdesk.api.problems import Problem
from frontdesk.api.reading import is_id


def cursor_after(at: datetime, row_id: str) -> str:
    """Return the cursor of the page that begins after the row of this instant and id."""
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), row_id]).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Return the instant and id of a cursor. Raises Problem for text that is none."""
    try:
        whole = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        at, row_id = json.loads(whole)
        instant = datetime.fromisoformat(at)
        if instant.tzinfo is None or not isinstance(row_id, str):
            raise ValueError
        if not 1900 <= instant.year < 2200 or not is_id(row_id):
            raise ValueError
    except (ValueError, TypeError, binascii.Error):
        raise Problem("bad-cursor") from None
    return instant, row_id
