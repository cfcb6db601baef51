"""Who may do what in the console: one table of pages and actions. A page that is not in it is nobody's.

What a practitioner sees of patients is only their own: the table lets them to the page, and what the page reads is bounded
by `Staff.practitioner_id`.
"""

from collections.abc import Mapping

from frontdesk.users import Role

ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
DESK = ADMINISTRATOR | {Role.FRONT_DESK}
READERS = DESK | {Role.AUDITOR}
CARERS = DESK | {Role.PRACTITIONER}
EVERYBODY = frozenset(Role)

# By endpoint, without the blueprint's name.
MAY: Mapping[str, frozenset[Role]] = {
    "home": EVERYBODY,
    "log_out": EVERYBODY,
    "choose_language": EVERYBODY,
    "choose_look": EVERYBODY,
    "account": EVERYBODY,
    "change_password": EVERYBODY,
    "change_own_email": EVERYBODY,
    "propose_factor": EVERYBODY,
    "factor_image": EVERYBODY,
    "confirm_factor": EVERYBODY,
    "leave_second_factor": EVERYBODY,
    "renew_recovery_codes": EVERYBODY,
    "end_own_session": EVERYBODY,
    "end_other_sessions": EVERYBODY,
    "staff_accounts": ADMINISTRATOR | {Role.AUDITOR},
    "staff_account": ADMINISTRATOR,
    "add_account": ADMINISTRATOR,
    "change_staff_account": ADMINISTRATOR,
    "switch_account_off": ADMINISTRATOR,
    "switch_account_on": ADMINISTRATOR,
    "make_password_link": ADMINISTRATOR,
    "remove_factor": ADMINISTRATOR,
    "set_log_in_policy": ADMINISTRATOR,
    "access_log": ADMINISTRATOR | {Role.AUDITOR},
    "conversations": EVERYBODY,
    "find_conversations": EVERYBODY,
    "conversation": EVERYBODY,
    "diary": EVERYBODY,
    "diary_week": EVERYBODY,
    "diary_rooms": READERS,
    "appointment": EVERYBODY,
    # Practitioners note who came of their own; whose time it is, the desk decides.
    "mark_arrived": CARERS,
    "mark_noshow": CARERS,
    "mark_fulfilled": CARERS,
    "undo_attendance": CARERS,
    "write_note": CARERS,
    "accept_appointment": DESK,
    "reject_appointment": DESK,
    "cancel_appointment": DESK,
    "other_times": DESK,
    "move_appointment": DESK,
    "new_appointment": DESK,
    "book_appointment": DESK,
    "absences": DESK,
    "settle_absence": DESK,
    "absence_report": DESK,
    "take_back_absence": DESK,
    "tasks": READERS,
    "finish_task": DESK,
    "reopen_task": DESK,
    "take_task": DESK,
    "give_task": DESK,
    "release_task": DESK,
    "note_task": DESK,
    "replay_job": DESK,
    "replay_jobs": DESK,
    "send_mail_again": DESK,
    "booking_request": READERS,
    "accept_request": DESK,
    "reject_request": DESK,
    "grant_request": DESK,
    "patients": EVERYBODY,
    "find_patients": EVERYBODY,
    "patient": EVERYBODY,
    "new_patient": DESK,
    "add_patient": DESK,
    "edit_patient": DESK,
    "change_patient": DESK,
    "note_patient": CARERS,
    "change_consent": DESK,
    "block_patient": DESK,
    "unblock_patient": DESK,
    "merging": DESK,
    "merge_patient": DESK,
    "export_patient": DESK | {Role.AUDITOR},
    "erasing": ADMINISTRATOR,
    "erase_patient": ADMINISTRATOR,
    "calendars": READERS,
    "calendar": READERS,
    "repair_calendar": ADMINISTRATOR,
    "test_calendar": ADMINISTRATOR,
    "pause_calendar": ADMINISTRATOR,
    "resume_calendar": ADMINISTRATOR,
    "new_webhook_secret": ADMINISTRATOR,
    "leave_calendar": ADMINISTRATOR,
    "change_calendar": ADMINISTRATOR,
    "calendar_services": ADMINISTRATOR,
    "calendar_log_in": ADMINISTRATOR,
    "choose_calendars": ADMINISTRATOR,
    "set_up": READERS,
    "set_up_part": READERS,
    "save_part": ADMINISTRATOR,
    "remove_part": ADMINISTRATOR,
    "clinic_file": ADMINISTRATOR,
    "import_file": ADMINISTRATOR,
    "export_file": ADMINISTRATOR | {Role.AUDITOR},
    "own_hours": frozenset({Role.PRACTITIONER}),
    "save_own_hours": frozenset({Role.PRACTITIONER}),
    "make_practitioner_feed": ADMINISTRATOR,
    "revoke_practitioner_feed": ADMINISTRATOR,
}


def may(role: Role, page: str) -> bool:
    """Say whether somebody with this role may use a page or an action of the console, by its endpoint's own name."""
    return role in MAY.get(page, frozenset())
