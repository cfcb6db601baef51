"""A clinic that can be called, with a dialog that does as it is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from flask import Flask

from booking.catalogue import CatalogueCache
from kernel.clock import FixedClock
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.databases import SECRET
from tests.support.webhooks import ACCOUNT, PUBLIC, ScriptedDialog, Vendor
from voice.webhook import voice_blueprint

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    """The telephone line of Elm Street Clinic."""

    vendor: Vendor
    dialog: ScriptedDialog
    db: Database
    clock: FixedClock
    app: Flask


@pytest.fixture
def line(sqlite_url: str) -> Iterator[Line]:
    db = Database(sqlite_url, secret=SECRET)
    with db.begin() as work:
        store_catalogue(work, elm_catalogue())
    dialog, clock, app = ScriptedDialog(), FixedClock(NOW), Flask(__name__)
    app.register_blueprint(
        voice_blueprint(
            dialog=dialog,
            db=db,
            catalogues=CatalogueCache(),
            account=ACCOUNT,
            public_base_url=PUBLIC,
            clock=clock,
            filler_after_s=60,  # however slow the machine is
        )
    )
    yield Line(Vendor(app), dialog, db, clock, app)
    db.dispose()
