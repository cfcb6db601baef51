"""The private address at which a practitioner's visits are read: made, shown once, and revoked."""

from flask import Blueprint, abort, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from booking.asked import UnknownPractitioner
from calendar_sync.feeds import feed_address, make_feed, revoke_feed
from frontdesk.console.guard import administrators_only
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words
from kernel.log import get_logger

log = get_logger()


def add_practitioner_feeds(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add `/calendars/feed/<practitioner>` and what revokes it, for administrators only and noted in the log."""

    @blueprint.post("/calendars/feed/<practitioner_id>")
    def make_practitioner_feed(practitioner_id: str) -> ResponseReturnValue:
        administrators_only()
        staff = current_staff()
        try:
            with services.db.begin() as work:
                secret = make_feed(
                    work,
                    clinic_id=staff.clinic_id,
                    practitioner_id=practitioner_id,
                    now=g.now,
                    actor=f"staff:{staff.login}",
                )
        except UnknownPractitioner:
            abort(404)
        log.info("console.feed.made", login=staff.login, practitioner_id=practitioner_id)
        # In the answer to the form itself: the browser does not keep it, and it is in no address of ours.
        address = feed_address(services.settings.public_base_url, secret)
        return render_template("console/practitioner_feed.html", address=address)

    @blueprint.post("/calendars/feed/<practitioner_id>/revoke")
    def revoke_practitioner_feed(practitioner_id: str) -> ResponseReturnValue:
        administrators_only()
        staff = current_staff()
        with services.db.begin() as work:
            was_there = revoke_feed(
                work, clinic_id=staff.clinic_id, practitioner_id=practitioner_id, actor=f"staff:{staff.login}"
            )
        if not was_there:
            abort(404)
        log.info("console.feed.revoked", login=staff.login, practitioner_id=practitioner_id)
        flash(page_words()("calendars.feed_was_revoked"))
        return redirect(url_for("console.calendars"))
