"""The staff console: its pages, put together."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from frontdesk.console.guard import guard
from frontdesk.console.pages.access_log import add_access_log_page
from frontdesk.console.pages.account import add_account_pages
from frontdesk.console.pages.calendar_buttons import add_calendar_buttons
from frontdesk.console.pages.calendar_changes import add_calendar_changes
from frontdesk.console.pages.calendar_set_up import add_calendar_set_up
from frontdesk.console.pages.calendars import add_calendar_pages
from frontdesk.console.pages.conversations import add_conversation_pages
from frontdesk.console.pages.corrections import add_correction_pages
from frontdesk.console.pages.diary import add_diary_pages
from frontdesk.console.pages.diary_absence import add_absences
from frontdesk.console.pages.diary_booking import add_booking_by_hand
from frontdesk.console.pages.diary_move import add_moving
from frontdesk.console.pages.diary_visit import add_visit_pages
from frontdesk.console.pages.display import add_display_switches
from frontdesk.console.pages.insight import add_insight_pages
from frontdesk.console.pages.live import add_live_pages
from frontdesk.console.pages.log_in import add_log_in
from frontdesk.console.pages.messages import add_message_pages
from frontdesk.console.pages.notices import add_notices
from frontdesk.console.pages.password_links import add_password_links
from frontdesk.console.pages.patient_edit import add_patient_forms
from frontdesk.console.pages.patient_leaving import add_patient_leaving
from frontdesk.console.pages.patient_merge import add_patient_merge
from frontdesk.console.pages.patients import add_patient_pages
from frontdesk.console.pages.practitioner_feeds import add_practitioner_feeds
from frontdesk.console.pages.recordings import add_recording_pages
from frontdesk.console.pages.replays import add_replay_pages
from frontdesk.console.pages.requests import add_request_pages
from frontdesk.console.pages.set_up import add_set_up_pages
from frontdesk.console.pages.staff_accounts import add_staff_account_pages
from frontdesk.console.pages.tasks import add_task_pages
from frontdesk.console.pages.test_call import add_test_call
from frontdesk.console.pages.transcript import add_transcript_pages
from frontdesk.console.services import ConsoleServices


def console_blueprint(services: ConsoleServices) -> Blueprint:
    """Return the pages under `/console`. Registering it also sets up the application's session cookie and form seal."""
    blueprint = Blueprint(
        "console",
        __name__,
        url_prefix="/console",
        template_folder="templates",
        static_folder="static",
    )
    guard(blueprint, services)
    add_log_in(blueprint, services)
    add_password_links(blueprint, services)
    add_account_pages(blueprint, services)
    add_staff_account_pages(blueprint, services)
    add_access_log_page(blueprint, services)
    add_display_switches(blueprint, services)
    add_conversation_pages(blueprint, services)
    add_transcript_pages(blueprint, services)
    add_correction_pages(blueprint, services)
    add_replay_pages(blueprint, services)
    add_live_pages(blueprint, services)
    add_notices(blueprint, services)
    add_diary_pages(blueprint, services)
    add_visit_pages(blueprint, services)
    add_moving(blueprint, services)
    add_booking_by_hand(blueprint, services)
    add_absences(blueprint, services)
    add_set_up_pages(blueprint, services)
    add_test_call(blueprint, services)
    add_recording_pages(blueprint, services)
    add_task_pages(blueprint, services)
    add_request_pages(blueprint, services)
    add_message_pages(blueprint, services)
    add_patient_pages(blueprint, services)
    add_patient_forms(blueprint, services)
    add_patient_merge(blueprint, services)
    add_patient_leaving(blueprint, services)
    add_insight_pages(blueprint, services)
    add_calendar_pages(blueprint, services)
    add_calendar_buttons(blueprint, services)
    add_calendar_set_up(blueprint, services)
    add_calendar_changes(blueprint, services)
    add_practitioner_feeds(blueprint, services)

    @blueprint.get("/", strict_slashes=False)
    def home() -> ResponseReturnValue:
        return redirect(url_for("console.conversations"))

    return blueprint
