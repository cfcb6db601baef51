"""Listening to a recorded call: fetched from the vendor while it is heard, and kept nowhere here."""

from http import HTTPStatus

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue

from frontdesk.console.access_log import Access, log_access
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from voice.consent import find_recording
from voice.ports import RecordingGone


def add_recording_pages(blueprint: Blueprint, services: ConsoleServices) -> None:
    """Add the address from which a page plays a recording."""

    @blueprint.get("/recordings/<recording_sid>")
    def recording(recording_sid: str) -> ResponseReturnValue:
        with services.db.read() as session:
            found = find_recording(session, clinic_id=current_staff().clinic_id, recording_sid=recording_sid)
        if found is None:
            abort(HTTPStatus.NOT_FOUND)
        log_access(services, what=Access.RECORDING, subject_id=recording_sid)
        try:
            audio = services.recordings.fetch(recording_sid)
        except RecordingGone:
            abort(HTTPStatus.NOT_FOUND)
        response = Response(audio.pieces, content_type=audio.media_type)
        if audio.length is not None:
            response.content_length = audio.length
        response.headers["Cache-Control"] = "no-store"
        return response
