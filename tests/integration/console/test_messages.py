"""What was written to patients, and the clinic's own wording of it, in the console."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from booking.message_wording import FIELDS, Medium, faults
from booking.model.clinic import Clinic
from kernel.db import new_id
from sms.model import PatientMail, SmsKind, SmsMessage, SmsState
from sms.samples import sample, usual_text
from tests.integration.console.conftest import Site, seal_of
from tests.integration.console.test_pages import queries_during
from tests.support.visits import NOW

pytestmark = pytest.mark.integration

WORDING = "/console/messages/wording"


def press(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    seal = seal_of(client.get("/console/messages"))
    return client.post(path, data={**fields, "csrf_token": seal}, follow_redirects=True)


def said(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def a_text(site: Site, body: str, *, state: SmsState = SmsState.FAILED, kind: SmsKind = SmsKind.REMINDER) -> str:
    message_id = new_id()
    with site.db.begin() as work:
        work.session.add(
            SmsMessage(
                id=message_id,
                clinic_id=site.catalogue.clinic_id,
                kind=kind,
                to="+12125550123",
                sender="+12125550100",
                body=body,
                state=state,
                error_code=30007,
                vendor_sid=f"SM{message_id}",
                due_at=NOW,
                created_at=NOW,
            )
        )
    return message_id


def a_mail(site: Site, body: str) -> None:
    with site.db.begin() as work:
        work.session.add(
            PatientMail(
                clinic_id=site.catalogue.clinic_id,
                kind=SmsKind.REMINDER,
                sender="desk@elm.example",
                sender_name="Elm",
                to="ann@example.org",
                to_hash="",
                subject="A reminder",
                body=body,
                state=SmsState.SENT,
                due_at=NOW,
                created_at=NOW,
            )
        )


def test_texts_and_mails_are_listed_and_what_failed_is_found_and_sent_again(site: Site):
    desk = site.logged_in("desk")
    message_id = a_text(site, "It did not <b>arrive</b>", kind=SmsKind.STAFF)
    a_text(site, "It arrived", state=SmsState.DELIVERED)
    a_mail(site, "By mail")

    everything, failed = said(desk.get("/console/messages")), said(desk.get("/console/messages?state=failed"))
    assert all(words in everything for words in ("It did not &lt;b&gt;arrive", "It arrived", "By mail"))
    assert "It did not" in failed
    assert "It arrived" not in failed

    again = press(desk, f"/console/messages/{message_id}/again")
    assert "The message is sent again." in said(again)
    assert press(desk, f"/console/messages/{message_id}/again").status_code == 404
    with site.db.read() as session:
        assert session.get_one(SmsMessage, message_id).state == SmsState.QUEUED


def test_staff_see_to_whom_and_why_it_failed_but_not_the_link_that_lets_a_patient_in(site: Site):
    a_text(site, "Elm: your appointments are here: https://clinic.example/my/s3cret", kind=SmsKind.LINK)

    listed = said(site.logged_in("desk").get("/console/messages"))

    assert "+1 212-555-0123" in listed
    assert "filtered by the network (code 30007)" in listed
    assert "https://clinic.example/..." in listed
    assert "s3cret" not in listed
    assert "Send again" not in listed, "by then it lets nobody in"


def test_the_list_asks_the_same_number_of_questions_however_long_it_is(site: Site):
    desk = site.logged_in("desk")
    a_text(site, "One")
    few = queries_during(site.db, lambda: desk.get("/console/messages"))
    for number in range(5):
        a_text(site, f"Text {number}")

    assert queries_during(site.db, lambda: desk.get("/console/messages")) == few


def test_a_wording_is_kept_read_and_taken_back(site: Site):
    admin = site.logged_in("admin")
    text = "{clinic}: see you on {when}? 1 is yes, 2 moves it{or_call}."

    preview = admin.get("/console/messages/preview", query_string={"kind": "reminder", "language": "en", "text": text})
    assert "1 part" in said(preview)
    assert "see you on" in said(preview)
    kept = press(admin, WORDING, kind="reminder", language="en", text=text, do="keep")

    assert "The wording is kept." in said(kept)
    assert "{clinic}: see you on {when}?" in said(admin.get(f"{WORDING}?kind=reminder&language=en"))
    assert "see you on {when}?" not in said(admin.get(f"{WORDING}?kind=reminder&language=es"))
    press(admin, WORDING, kind="reminder", language="en", do="reset")
    with site.db.read() as session:
        assert session.get_one(Clinic, site.catalogue.clinic_id).messages["wording"] == {}


def test_a_mail_is_worded_apart_from_the_text_and_says_what_the_text_says_until_then(site: Site):
    admin = site.logged_in("admin")
    press(admin, WORDING, kind="booked", language="en", text="{clinic}: see you {when}.", do="keep")

    assert "{clinic}: see you {when}." in said(admin.get(f"{WORDING}?kind=mail-booked&language=en"))
    mail = "Dear patient,\r\n\r\nwe  expect you on {when}: médico."
    press(admin, WORDING, kind="subject-booked", language="en", text="We expect\n you", do="keep")
    press(admin, WORDING, kind="mail-booked", language="en", text=mail, do="keep")
    shown = said(admin.get(f"{WORDING}?kind=mail-booked&language=en"))

    assert "<b>We expect you</b>" in shown
    assert "Dear patient,\n\nwe expect you on Tue" in shown
    assert "médico.\n\nElm Street Clinic" in shown
    press(admin, WORDING, kind="mail-booked", language="en", do="reset")
    with site.db.read() as session:
        wording = session.get_one(Clinic, site.catalogue.clinic_id).messages["wording"]["en"]
    assert wording == {"booked": "{clinic}: see you {when}.", "subject-booked": "We expect you"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{clinic}: {when}, 1 or 2. Reply STOP.", "on this word the network acts"),
        ("{clinic}: {when}, 1 or 2, {patient}", "there is no such field"),
        ("{clinic", "a brace is open"),
        ("", "there is no text"),
    ],
)
def test_a_wording_that_does_not_serve_is_refused_with_the_reason(site: Site, text: str, why: str):
    admin = site.logged_in("admin")

    refused = press(admin, WORDING, kind="reminder", language="en", text=text, do="keep")

    assert refused.status_code == 422
    assert why in said(refused)
    with site.db.read() as session:
        assert not session.get_one(Clinic, site.catalogue.clinic_id).messages.get("wording")


def test_every_kind_of_text_reads_well_in_every_language(site: Site):
    for language in ("en", "es"):
        for kind in FIELDS:
            text = usual_text(site.catalogue, language=language, kind=kind)
            read = sample(site.catalogue, language=language, kind=kind, text=text, now=NOW)
            assert list(faults(kind, text)) == []
            assert (kind.medium is Medium.TEXT) == (read.parts is not None and read.parts.count <= 2)
            assert site.catalogue.name in read.text
