"""What commands share: options, in whose name they act, and what the command line gives them."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import click
from sqlalchemy.orm import Session

from frontdesk.bootstrap import Services

ACTOR = "staff:command-line"
"""Who it was, as written into histories."""

OpenServices = Callable[[], AbstractContextManager[Services]]
FindClinic = Callable[[Session, str | None], str]
"""Gives the id of the clinic with a key, or of the only one."""

CLINIC = click.option("--clinic", "clinic_key", help="Its key; needed where there are several.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
