"""The real services and the vendors' stand-ins do what the other tests rely on."""

import socket
import struct
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

import openai
import psycopg.errors
import pytest
import redis
import requests
import sqlalchemy
from sqlalchemy.exc import IntegrityError
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from kernel.db import Base
from kernel.telephony import TwilioAccount, make_client
from kernel.work import Database
from tests.support.browser import PHONE, WatchedPage, accessibility_faults
from tests.support.calendar_servers import Calendar
from tests.support.chat_server import Answer, ChatServer, ToolCall
from tests.support.postgres import PostgresServer
from tests.support.processes import running
from tests.support.twilio_server import CLINIC_NUMBER, Fault, FaultKind, TwilioServer
from tests.support.waiting import eventually
from tests.support.web_server import serving

pytestmark = pytest.mark.integration

PATIENT = "+12125550123"


def make_one_table(url: str) -> None:
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE EXTENSION btree_gist")
        connection.exec_driver_sql(
            "CREATE TABLE taken (schedule int, during tstzrange, CONSTRAINT no_overlap EXCLUDE USING gist (schedule WITH =, during WITH &&))"
        )
    engine.dispose()


def rows_of(url: str, change: str) -> int:
    """Make a change and say how many rows there are then."""
    engine = sqlalchemy.create_engine(url)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(change)
            return int(connection.exec_driver_sql("SELECT count(*) FROM taken").scalar_one())
    finally:
        engine.dispose()


@pytest.fixture
def client(twilio: TwilioServer) -> Client:
    return make_client(
        TwilioAccount(sid=twilio.account_sid, auth_tokens=(twilio.auth_token,), api_base_url=twilio.base_url)
    )


def test_a_fresh_postgres_database_is_as_its_template_and_refuses_an_overlap(postgres: PostgresServer):
    engine = sqlalchemy.create_engine(postgres.fresh_database(make_template=make_one_table))
    insert = sqlalchemy.text("INSERT INTO taken VALUES (1, tstzrange('2027-03-15 09:00Z', '2027-03-15 10:00Z'))")

    with engine.begin() as connection:
        connection.execute(insert)
    with pytest.raises(IntegrityError) as refused, engine.begin() as connection:
        connection.execute(insert)
    engine.dispose()

    assert isinstance(refused.value.orig, psycopg.errors.ExclusionViolation)


def test_a_database_that_is_given_back_is_empty_for_the_next_test_unless_its_tables_were_changed(
    postgres: PostgresServer,
):
    insert = "INSERT INTO taken VALUES (1, tstzrange('2027-03-15 09:00Z', '2027-03-15 10:00Z'))"
    first = postgres.fresh_database(make_template=make_one_table)
    assert rows_of(first, insert) == 1
    postgres.give_back(first)

    second = postgres.fresh_database(make_template=make_one_table)
    assert rows_of(second, "SELECT 1") == 0
    rows_of(second, "ALTER TABLE taken DROP CONSTRAINT no_overlap")
    postgres.give_back(second)

    third = postgres.fresh_database(make_template=make_one_table)
    assert (second == first, third == second) == (True, False)
    assert rows_of(third, insert) == 1
    with pytest.raises(IntegrityError):
        rows_of(third, insert)


def test_databases_of_one_template_do_not_see_each_other(postgres: PostgresServer):
    first, second = (sqlalchemy.create_engine(postgres.fresh_database(make_template=make_one_table)) for _ in range(2))

    with first.begin() as connection:
        connection.exec_driver_sql("INSERT INTO taken VALUES (1, NULL)")
    with second.begin() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM taken").scalar_one()
    first.dispose()
    second.dispose()

    assert count == 0


def test_a_fresh_database_of_either_kind_has_the_tables_and_no_rows(database: Database):
    with database.read() as session:
        rows = {
            table.name: session.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(table)).scalar_one()
            for table in Base.metadata.sorted_tables
        }

    assert {"appointment", "allocation", "outbox_entry"} <= rows.keys()
    assert set(rows.values()) == {0}


def test_redis_is_empty_and_runs_scripts(redis_url: str):
    with redis.Redis.from_url(redis_url) as server:
        assert server.dbsize() == 0
        assert server.eval("return redis.call('SET', KEYS[1], ARGV[1])", 1, "key", "value") == b"OK"
        assert server.get("key") == b"value"


def test_a_fresh_calendar_takes_an_event_once(remote_calendar: Calendar):
    event = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:one\r\nDTSTAMP:20270101T000000Z\r\n"
        "DTSTART:20270315T130000Z\r\nDTEND:20270315T140000Z\r\nSUMMARY:Visit\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )

    def put() -> int:
        headers = {"If-None-Match": "*", "Content-Type": "text/calendar"}
        auth = (remote_calendar.username, remote_calendar.password)
        return requests.put(
            f"{remote_calendar.url}one.ics", data=event, headers=headers, auth=auth, timeout=60
        ).status_code

    assert remote_calendar.objects() == {}
    assert [put(), put()] == [201, 412]
    assert ["UID:one" in text for text in remote_calendar.objects().values()] == [True]


def test_radicale_asks_for_the_password(radicale):
    calendar = radicale.fresh_calendar()

    assert requests.request("PROPFIND", calendar.url, auth=(calendar.username, "wrong"), timeout=60).status_code == 401


def test_a_message_is_queued_then_sent_and_found_again(client: Client, twilio: TwilioServer):
    sent = client.messages.create(to=PATIENT, from_=CLINIC_NUMBER, body="See you on Monday")

    assert sent.status == "queued"
    assert client.messages(sent.sid).fetch().status == "sent"
    assert [
        m.sid for m in client.messages.list(to=PATIENT, date_sent_after=sent.date_created - timedelta(minutes=1))
    ] == [sent.sid]
    assert client.messages.list(to="+12125550124") == []
    assert client.messages.list(to=PATIENT, date_sent_after=sent.date_created + timedelta(hours=1)) == []


def test_messages_are_listed_newest_first_and_by_pages(client: Client):
    sids = [client.messages.create(to=PATIENT, from_=CLINIC_NUMBER, body=str(number)).sid for number in range(5)]

    assert [message.sid for message in client.messages.list(page_size=2)] == sids[::-1]


def test_a_redacted_message_keeps_its_place_without_its_words(client: Client, twilio: TwilioServer):
    sid = client.messages.create(to=PATIENT, from_=CLINIC_NUMBER, body="See you on Monday").sid

    client.messages(sid).update(body="")

    assert [message.body for message in twilio.messages] == [""]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"to": "nobody"}, 21211),
        ({"to": "+12125550199"}, 21610),
        ({"to": "+12125550198"}, 21614),
        ({"body": "x" * 1601}, 21617),
        ({"body": ""}, 21602),
        ({"from_": "+12125559999"}, 21606),
    ],
)
def test_a_message_the_vendor_would_refuse_is_refused_with_its_number(
    client: Client, twilio: TwilioServer, message: dict[str, str], code: int
):
    twilio.opted_out.add("+12125550199")
    twilio.unreachable["+12125550198"] = 21614

    with pytest.raises(TwilioRestException) as refused:
        client.messages.create(**{"to": PATIENT, "from_": CLINIC_NUMBER, "body": "See you on Monday"} | message)

    assert refused.value.code == code
    assert twilio.messages == []


def test_wrong_credentials_are_refused(twilio: TwilioServer):
    stranger = make_client(TwilioAccount(sid=twilio.account_sid, auth_tokens=("wrong",), api_base_url=twilio.base_url))

    with pytest.raises(TwilioRestException) as refused:
        stranger.messages.create(to=PATIENT, from_=CLINIC_NUMBER, body="See you on Monday")

    assert (refused.value.status, refused.value.code) == (401, 20003)


def test_too_many_requests_say_when_to_come_back(twilio: TwilioServer):
    twilio.will_fail(Fault(FaultKind.TOO_MANY_REQUESTS, retry_after_s=7))

    answer = requests.post(f"{twilio.base_url}/2010-04-01/Accounts/{twilio.account_sid}/Messages.json", timeout=60)

    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["code"]) == (429, "7", 20429)


def test_a_server_error_does_nothing_and_passes(client: Client, twilio: TwilioServer):
    twilio.will_fail(Fault(FaultKind.SERVER_ERROR))

    with pytest.raises(TwilioRestException):
        client.messages.create(to=PATIENT, from_=CLINIC_NUMBER, body="See you on Monday")
    assert twilio.messages == []
    client.messages.create(to=PATIENT, from_=CLINIC_NUMBER, body="See you on Monday")

    assert len(twilio.messages) == 1


def test_a_message_whose_answer_was_lost_was_sent_all_the_same(client: Client, twilio: TwilioServer):
    twilio.will_fail(Fault(FaultKind.ANSWER_LOST))

    with pytest.raises(requests.ConnectionError):
        client.messages.create(to=PATIENT, from_=CLINIC_NUMBER, body="See you on Monday")

    assert [message.body for message in client.messages.list(to=PATIENT)] == ["See you on Monday"]


def test_a_slow_answer_outlasts_an_impatient_client(twilio: TwilioServer):
    twilio.will_fail(Fault(FaultKind.SLOW, method="GET", delay_s=30))

    with pytest.raises(requests.Timeout):
        requests.get(f"{twilio.base_url}/2010-04-01/Accounts/{twilio.account_sid}/Messages.json", timeout=0.2)


def test_a_request_against_the_document_is_noted(twilio: TwilioServer):
    url = f"{twilio.base_url}/2010-04-01/Accounts/{twilio.account_sid}/Messages.json"
    form = {"To": PATIENT, "From": CLINIC_NUMBER, "Body": "Hello", "ScheduleType": "whenever"}

    answer = requests.post(url, data=form, auth=(twilio.account_sid, twilio.auth_token), timeout=60)

    assert answer.status_code == 400
    assert "whenever" in twilio.violations.pop()


def test_an_answer_against_the_document_is_noted(client: Client, twilio: TwilioServer):
    message = client.messages.create(to=PATIENT, from_=CLINIC_NUMBER, body="See you on Monday")

    twilio.report_message(message.sid, "vanished")
    client.messages(message.sid).fetch()

    assert "vanished" in twilio.violations.pop()


def test_receipts_are_posted_with_a_signature_over_the_public_address(client: Client, twilio: TwilioServer):
    received: list[tuple[dict[str, str], str]] = []

    class Receiver(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class names it so
            pass

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            received.append(({name: values[0] for name, values in form.items()}, self.headers["X-Twilio-Signature"]))
            self.send_response(204)
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    public = "https://clinic.example/twilio/sms/status?m=1"
    sid = client.messages.create(to=PATIENT, from_=CLINIC_NUMBER, body="Hello", status_callback=public).sid

    status = twilio.report_message(sid, "undelivered", error_code=30003, via=f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()

    [(form, signature)] = received
    assert status == 204
    assert (form["MessageSid"], form["MessageStatus"], form["ErrorCode"]) == (sid, "undelivered", "30003")
    assert RequestValidator(twilio.auth_token).validate(public, form, signature)


def test_a_call_is_placed_steered_and_ended(client: Client, twilio: TwilioServer):
    placed = client.calls.create(to=PATIENT, from_=CLINIC_NUMBER, twiml="<Response/>")
    incoming = twilio.receive_call(caller=PATIENT)

    client.calls(incoming.sid).update(twiml="<Response><Hangup/></Response>")
    client.calls(placed.sid).update(status="completed")

    assert [call.status for call in twilio.calls] == ["completed", "in-progress"]
    assert twilio.calls[1].twiml == "<Response><Hangup/></Response>"
    assert [call.sid for call in client.calls.list(status="completed")] == [placed.sid]
    with pytest.raises(TwilioRestException) as refused:
        client.calls(placed.sid).update(twiml="<Response/>")
    assert refused.value.code == 21220


def openai_client(chat: ChatServer, *, timeout: float = 5) -> openai.OpenAI:
    return openai.OpenAI(base_url=chat.base_url, api_key="none", timeout=timeout, max_retries=0)


def ask(client: openai.OpenAI) -> openai.types.chat.ChatCompletion:
    return client.chat.completions.create(model="scripted", messages=[{"role": "user", "content": "hello"}])


def test_the_model_server_says_what_its_script_says(chat: ChatServer):
    chat.will_answer(Answer(content="hi"), Answer(tool_calls=[ToolCall("book", {"when": "today"})]))

    with openai_client(chat) as client:
        said, called = ask(client).choices[0], ask(client).choices[0]

    assert (said.message.content, said.finish_reason) == ("hi", "stop")
    assert called.message.tool_calls[0].function.arguments == '{"when": "today"}'
    assert [request.body["messages"][0]["content"] for request in chat.requests] == ["hello", "hello"]


def test_a_request_the_script_did_not_foresee_is_an_error(chat: ChatServer):
    with openai_client(chat) as client, pytest.raises(openai.InternalServerError):
        ask(client)


def test_the_model_server_can_be_slow_drop_the_line_and_stop_in_a_stream(chat: ChatServer):
    chat.will_answer(
        Answer(content="late", delay_s=30),
        Answer(drops_connection=True),
        Answer(content="one two three four", drops_connection=True),
    )

    with openai_client(chat, timeout=0.2) as client:
        with pytest.raises(openai.APITimeoutError):
            ask(client)
        with pytest.raises(openai.APIConnectionError):
            ask(client)
        with pytest.raises(openai.APIConnectionError):
            list(client.chat.completions.create(model="scripted", messages=[], stream=True))


def test_the_model_server_streams(chat: ChatServer):
    chat.will_answer(Answer(content="one two three"))

    with openai_client(chat) as client:
        chunks = list(client.chat.completions.create(model="scripted", messages=[], stream=True))

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "one two three "


def test_waiting_gives_up_and_says_for_what():
    with pytest.raises(AssertionError, match=r"the impossible did not come true within 0\.1 s"):
        eventually(lambda: False, deadline_s=0.1, what="the impossible")


def test_a_server_that_stops_at_once_fails_with_its_last_words(tmp_path: Path):
    command = ["/bin/sh", "-c", "echo no such luck; exit 3"]

    with (
        pytest.raises(AssertionError, match=r"stopped with 3(.|\n)*no such luck"),
        running(command, log=tmp_path / "log", is_ready=lambda: False),
    ):
        pass


@pytest.mark.browser
def test_the_browser_loads_nothing_from_outside_and_notes_what_goes_wrong(
    open_page: Callable[..., WatchedPage],
):
    watched = open_page(size=PHONE)

    watched.page.set_content('<img src="https://clinic.example/a.png"><script>console.error("broken")</script>')
    eventually(lambda: len(watched.faults) >= 2, what="two faults")

    assert watched.page.viewport_size == {"width": 390, "height": 844}
    assert {"left this machine: https://clinic.example", "console: broken"} <= set(watched.faults)


@pytest.mark.browser
def test_an_inaccessible_page_is_found_out(open_page: Callable[..., WatchedPage]):
    watched = open_page(size=PHONE)

    watched.page.set_content(
        "<html lang=en><title>t</title><main><h1>t</h1><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='></main>"
    )

    assert [fault.split(":")[0] for fault in accessibility_faults(watched.page)] == ["image-alt"]


def test_an_answer_is_closed_though_whoever_asked_has_gone_away():
    closed, gone, answer = Event(), Event(), b""

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield b"all"
            assert gone.wait(10)

        def close(self) -> None:
            closed.set()

    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
        return Body()

    with serving(app) as url, socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # to end with a reset
        asking.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while not answer.endswith(b"all"):
            answer += asking.recv(1000)
        asking.close()
        gone.set()

        assert closed.wait(10)
