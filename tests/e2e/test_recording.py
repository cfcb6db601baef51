"""Calls are recorded where the clinic wants it and the caller said yes; staff play them, fetched from the vendor."""

import re
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from sqlalchemy import select

from booking.model.clinic import Clinic
from dialog.model import Conversation, Turn
from frontdesk.users import Role, add_user
from tests.support.product import ANN, CLINIC_NUMBER, Product, running_product, stored, twiml
from voice.model import Call, CallRecording

pytestmark = pytest.mark.e2e

SOUND = b"ID3" + b"sound" * 1000
PASSWORD = "a password of the tests"


class Vendor(BaseHTTPRequestHandler):
    """The part of the vendor's REST interface that gives recordings to whoever logs in."""

    def do_GET(self) -> None:
        is_there = re.fullmatch(r"/2010-04-01/Accounts/AC[0-9a-f]{32}/Recordings/RE1\.mp3", self.path)
        is_ours = self.headers.get("Authorization", "").startswith("Basic ")
        self.send_response(200 if is_there and is_ours else 404)
        self.send_header("Content-Type", "audio/mpeg")
        self.send_header("Content-Length", str(len(SOUND) if is_there else 0))
        self.end_headers()
        if is_there and is_ours:
            self.wfile.write(SOUND)

    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture
def vendor() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def product(tmp_path: Path, redis_url: str, vendor: str) -> Iterator[Product]:
    url = f"sqlite:///{tmp_path / 'frontdesk.db'}"
    real = {"TWILIO_ACCOUNT_SID": f"AC{'0' * 32}", "TWILIO_AUTH_TOKEN": "f" * 32, "TWILIO_API_BASE_URL": vendor}
    with running_product(data_dir=tmp_path, database_url=url, redis_url=redis_url, **real) as running:
        with running.services.db.begin() as work:
            clinic = work.session.scalars(select(Clinic)).one()
            clinic.records_calls, clinic.version = True, clinic.version + 1
            add_user(
                work, clinic_id=clinic.id, login="kim", password=PASSWORD, role=Role.ADMINISTRATOR,
                now=running.services.clock.now(),
            )  # fmt: skip
        yield running


class Caller:
    def __init__(self, product: Product) -> None:
        self.product = product
        self.fields = {"CallSid": f"CA{uuid.uuid4().hex}", "From": ANN, "To": CLINIC_NUMBER}

    def post(self, path: str, **fields: str) -> str:
        answer = self.product.post(path, {**self.fields, "CallStatus": "in-progress", **fields})
        twiml(answer)
        return answer.text

    def begin(self, **answer: str) -> str:
        asked = self.post("/twilio/voice", CallStatus="ringing")
        assert "May we record this call" in asked
        assert "/twilio/voice/consent" in asked
        return self.post("/twilio/voice/consent", **answer)

    def recorded(self, sid: str = "RE1") -> int:
        fields = {**self.fields, "RecordingSid": sid, "RecordingStatus": "completed", "RecordingDuration": "61"}
        return self.product.post("/twilio/voice/recording", fields).status_code


def test_after_a_yes_the_call_is_recorded_and_staff_play_it(product: Product) -> None:
    caller = Caller(product)

    answer = caller.begin(SpeechResult="yes, that's fine", Confidence="0.9")
    assert caller.recorded() == 204
    assert caller.recorded() == 204

    assert f'recordingStatusCallback="{product.base_url}/twilio/voice/recording"' in answer
    assert "automated assistant" in answer
    [call] = stored(product, Call)
    assert (call.recording_consent, call.consent_version) == ("given", "en:1")
    [recording] = stored(product, CallRecording)
    assert recording.duration_s == 61
    page, sound = heard(product)
    assert "The caller agreed to be recorded" in page
    assert 'src="/console/recordings/RE1"' in page
    assert sound.content == SOUND
    assert sound.headers["Content-Type"] == "audio/mpeg"


def heard(product: Product) -> tuple[str, requests.Response]:
    """Log in, open the conversation, and play RE1."""
    browser = requests.Session()
    form = browser.get(f"{product.base_url}/console/log-in", timeout=60).text
    seal = re.search(r'name="csrf_token" value="([^"]+)"', form)
    assert seal
    sent = {"login": "kim", "password": PASSWORD, "csrf_token": seal[1]}
    browser.post(f"{product.base_url}/console/log-in", data=sent, timeout=60)
    [conversation] = stored(product, Conversation)
    page = browser.get(f"{product.base_url}/console/conversations/{conversation.id}", timeout=60).text
    assert browser.get(f"{product.base_url}/console/recordings/RE2", timeout=60).status_code == 404
    return page, browser.get(f"{product.base_url}/console/recordings/RE1", timeout=60)


def test_after_a_no_and_after_silence_nothing_is_recorded_or_kept(product: Product) -> None:
    for answer in ({"Digits": "2"}, {}):
        caller = Caller(product)
        reply = caller.begin(**answer)
        assert "<Recording" not in reply
        assert "automated assistant" in reply
        assert caller.recorded(f"RE{uuid.uuid4().hex}") == 204

    assert {call.recording_consent for call in stored(product, Call)} == {"refused"}
    assert stored(product, CallRecording) == []


def test_who_comes_straight_to_the_point_is_heard_and_not_recorded(product: Product) -> None:
    caller = Caller(product)

    reply = caller.begin(SpeechResult="I can't breathe and my chest hurts", Confidence="0.9")
    again = caller.post("/twilio/voice/consent", SpeechResult="I can't breathe and my chest hurts", Confidence="0.9")

    assert "911" in reply.replace(" ", "")
    assert again == reply
    assert "<Recording" not in reply
    assert [turn.kind for turn in sorted(stored(product, Turn), key=lambda turn: turn.number)] == ["start", "said"]
