"""Patients in the console: found, put right, blocked, merged, handed out and erased."""

import json
import re
from datetime import UTC, date, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from booking.asked import UnknownPatient
from booking.consent import is_opted_out, opt_out
from booking.history import patient_history
from booking.hold import place_hold
from booking.model.appointment import Appointment
from booking.model.patient import Patient, PatientMerge
from booking.patient_record import PatientChanges, change_patient, lock_patient, note_on_patient
from booking.patients import find_by_phone, register_patient
from booking.rules import PatientBlocked
from booking.task_words import TaskSays
from booking.tasks import open_task
from booking.values import AppointmentStatus, Source, TaskKind
from dialog.model import Conversation, ConversationNote, Turn
from frontdesk.console.views import save_view
from frontdesk.console.wanted import Wanted
from frontdesk.schema import Base
from kernel.db import new_id
from sms.model import SmsKind, SmsMessage, SmsState
from tests.integration.console.conftest import Site, seal_of
from tests.integration.console.test_conversations import a_conversation
from tests.integration.console.test_pages import queries_during
from tests.support.visits import NOW, PATIENT_PHONE, book
from voice.model import Call, CallRecording

pytestmark = pytest.mark.integration

BORN = date(1984, 5, 2)
LATER = datetime(2027, 3, 16, 15, 0, tzinfo=UTC)


def a_patient(
    site: Site, name: str, *, born: date | None = None, phone: str | None = None, emails: tuple[str, ...] = ()
) -> str:
    with site.db.begin() as work:
        made = register_patient(
            work, clinic_id=site.catalogue.clinic_id, name=name, birth_date=born, phone=phone, language="en", now=NOW,
            is_placeholder=born is None,
        )  # fmt: skip
        change_patient(
            work, clinic_id=site.catalogue.clinic_id, patient_id=made.id, changes=PatientChanges(emails=emails),
            now=NOW, actor="system", source=Source.STAFF,
        )  # fmt: skip
        return str(made.id)


def press(client: FlaskClient, patient_id: str, what: str, **fields: str) -> TestResponse:
    """Send one of the forms about a patient, with what the page of its kind sealed."""
    seal = seal_of(client.get(f"/console/patients/{patient_id}"))
    path = f"/console/patients/{patient_id}/{what}"
    return client.post(path, data={**fields, "csrf_token": seal}, follow_redirects=True)


def found_by(client: FlaskClient, search: str) -> list[str]:
    """Return the names that a search finds."""
    seal = seal_of(client.get("/console/patients"))
    page = client.post("/console/patients", data={"q": search, "csrf_token": seal}, follow_redirects=True)
    assert search not in page.request.full_path
    return names_on(page)


def names_on(page: TestResponse) -> list[str]:
    return re.findall(r'class="row-link"[^>]*>([^<]*)<', page.get_data(as_text=True))


def test_a_patient_is_found_by_any_part_of_the_name_however_spelt_and_by_whole_secrets(site: Site):
    a_patient(site, "José Ángel Núñez", born=date(1990, 12, 1), phone="+12125550188", emails=("jose@example.org",))
    client = site.logged_in()

    for search in (
        "nunez", "NÚÑ", "jose nun", "Jose Nunes", "(212) 555-0188", "1990-12-01", "12/1/1990", "Jose@Example.org",
        "12/1/90", "Dec 1 1990", "1 de diciembre de 1990", "Núñez, José 12/1/1990", "jose +1 212 555 0188",
    ):  # fmt: skip
        assert found_by(client, search) == ["José Ángel Núñez"], search
    for search in ("%", "212555", "o'; --", "1990-13-44", "@", "Smith 12/1/1990", "jose 12/2/1990", "1 2", "² ٣"):
        assert found_by(client, search) == [], search
    assert found_by(site.logged_in("oak"), "nunez") == []


def test_the_list_goes_on_after_each_page_and_asks_no_more_for_many(site: Site):
    client = site.logged_in()
    client.get("/console/patients")
    few = queries_during(site.db, lambda: client.get("/console/patients"))
    for number in range(30):
        a_patient(site, f"Zoe {'abcdefghijklmnopqrstuvwxyzäöüß'[number]}-Test", born=BORN)

    assert queries_during(site.db, lambda: client.get("/console/patients")) == few <= 8
    first = client.get("/console/patients")
    after = first.get_data(as_text=True).partition("after=")[2].partition('"')[0]
    second = client.get(f"/console/patients?after={after}")

    assert len(names_on(first)) == 25
    assert len({*names_on(first), *names_on(second)}) == 31
    assert names_on(client.get("/console/patients?shown=recent")) == []


def test_what_is_on_file_is_put_right_unless_somebody_else_was_faster(site: Site):
    patient_id = a_patient(site, "Bo", phone="+12125550188")
    with site.db.begin() as work:
        open_task(
            work, clinic_id=site.catalogue.clinic_id, kind=TaskKind.PLACEHOLDER, says=TaskSays.NEW_PATIENT,
            details={"name": "Bo"}, now=NOW, patient_id=patient_id,
        )  # fmt: skip
    client = site.logged_in("desk")
    form = client.get(f"/console/patients/{patient_id}/edit").get_data(as_text=True)
    revision = form.partition('name="revision" value="')[2].partition('"')[0]
    right = {
        "name": "Bo  Jensen", "birth_date": "1970-01-31", "phone": "(212) 555-0199", "email": "Bo@Example.ORG",
        "language": "es", "revision": revision, "is_complete": "on",
    }  # fmt: skip

    wrong = press(client, patient_id, "edit", **{**right, "birth_date": "2070-01-31", "phone": "12"})
    saved = press(client, patient_id, "edit", **right).get_data(as_text=True)
    late = press(client, patient_id, "edit", **{**right, "name": "Somebody Else"})

    assert wrong.status_code == 422
    assert "Nobody who lives was born then" in wrong.get_data(as_text=True)
    assert "no telephone number" in wrong.get_data(as_text=True)
    for words in ("Bo Jensen", "Jan 31, 1970", "+1 212-555-0199", "Bo@example.org", "Spanish", "Name: Bo → Bo Jensen"):
        assert words in saved
    assert "Bo is a new patient" not in client.get("/console/tasks").get_data(as_text=True).partition("Done lately")[0]
    assert "Somebody else changed this record meanwhile" in late.get_data(as_text=True)
    assert "Somebody Else" not in late.get_data(as_text=True)


def test_a_new_patient_who_may_be_known_is_added_only_when_staff_insist(site: Site):
    client = site.logged_in("desk")
    seal = seal_of(client.get("/console/patients/new"))
    form = {"name": "Anne Smith", "birth_date": BORN.isoformat(), "phone": "", "csrf_token": seal}

    asked = client.post("/console/patients/new", data=form)
    added = client.post("/console/patients/new", data={**form, "anyway": "on"}, follow_redirects=True)

    assert asked.status_code == 409
    assert "Ann Smith" in asked.get_data(as_text=True)
    assert "is now a patient of" in added.get_data(as_text=True)


def test_notes_consent_and_blocking_are_kept_with_who_and_why(site: Site):
    patient_id, client = str(site.visit.patient_id), site.logged_in("desk")
    with site.db.begin() as work:
        opt_out(work, clinic_id=site.catalogue.clinic_id, phone=PATIENT_PHONE, now=NOW)

    press(client, patient_id, "note", text="Prefers <mornings>")
    press(client, patient_id, "consent", phone=PATIENT_PHONE, texts="yes", reason="Asked at the desk")
    unreasoned = press(client, patient_id, "block", reason=" ")
    page = press(client, patient_id, "block", reason="Did not come five times").get_data(as_text=True)

    assert "Please say why" in unreasoned.get_data(as_text=True)
    assert press(client, patient_id, "consent", phone="+12125550000", texts="no", reason="x").status_code == 404
    for words in ("Prefers &lt;mornings&gt;", "Wants texts", "Asked at the desk", "Did not come five times", "desk"):
        assert words in page
    with site.db.begin() as work:
        assert not is_opted_out(work.session, clinic_id=site.catalogue.clinic_id, phone=PATIENT_PHONE)
        with pytest.raises(PatientBlocked):
            place_hold(
                work, site.catalogue, service_id="service-cleaning", location_id="location-main", starts_at=LATER,
                practitioner_ids=("practitioner-lee",), conversation_id="c", patient_id=patient_id, source=Source.SMS,
                now=NOW,
            )  # fmt: skip
    assert "The patient can book again" in press(client, patient_id, "unblock").get_data(as_text=True)


def test_two_records_of_one_person_become_one_and_old_links_lead_there(site: Site):
    kept_id = str(site.visit.patient_id)
    other = book(site.db, site.catalogue, practitioner="lee", starts_at=LATER, phone="+12125550199")
    gone_id = str(other.patient_id)
    talk = a_conversation(site, said="hello", patient_id=gone_id)
    of_parent = a_conversation(site, said="my son's visit")
    with site.db.begin() as work:
        for each in (talk, of_parent):
            work.session.get_one(Conversation, each).state = json.dumps({"verified_id": gone_id})
        work.session.get_one(Conversation, of_parent).ended_at = None
    client = site.logged_in("desk")
    likely = client.get(f"/console/patients/{kept_id}/merge").get_data(as_text=True)
    preview = client.get(f"/console/patients/{kept_id}/merge?with={gone_id}").get_data(as_text=True)

    unsure = press(client, kept_id, "merge", other=gone_id)
    merged = press(client, kept_id, "merge", other=gone_id, sure="on").get_data(as_text=True)
    again = press(client, kept_id, "merge", other=gone_id, sure="on")
    itself = press(client, kept_id, "merge", other=kept_id, sure="on")

    assert gone_id in likely
    assert "The record that goes" in preview
    assert "+1 212-555-0199" in merged
    assert (unsure.status_code, again.status_code, itself.status_code) == (422, 404, 404)
    assert "confirm that both are the same person" in unsure.get_data(as_text=True)
    assert client.get(f"/console/patients/{gone_id}").headers["Location"] == f"/console/patients/{kept_id}"
    with site.db.begin() as work:
        session = work.session
        assert session.scalars(select(Appointment.patient_id).distinct()).all() == [kept_id]
        for each, whose in ((talk, kept_id), (of_parent, None)):
            row = session.get_one(Conversation, each)
            assert (row.state, row.patient_id) == (json.dumps({"verified_id": kept_id}), whose)
        found = find_by_phone(session, clinic_id=site.catalogue.clinic_id, phone="+12125550199")
        assert [one.id for one in found] == [kept_id]
        record = json.loads(session.scalars(select(PatientMerge.record)).one())
        assert (record["birth_date"], record["visits"]) == (BORN.isoformat(), [other.id])
        with pytest.raises(UnknownPatient):
            lock_patient(work, clinic_id=site.catalogue.clinic_id, patient_id=gone_id)


def test_nobody_merges_or_reads_what_is_another_clinics_or_another_practitioners(site: Site):
    patient_id = str(site.visit.patient_id)
    with site.db.begin() as work:
        stranger = register_patient(
            work, clinic_id="clinic-oak", name="Ann Smith", birth_date=BORN, phone=None, language="en", now=NOW
        ).id

    assert press(site.logged_in("desk"), patient_id, "merge", other=str(stranger), sure="on").status_code == 404
    for login, path, status in (
        ("oak", patient_id, 404), ("admin", str(stranger), 404), ("ruiz", patient_id, 404), ("lee", patient_id, 200),
        ("audit", patient_id, 200), ("lee", f"{patient_id}/edit", 403), ("desk", f"{patient_id}/erase", 403),
    ):  # fmt: skip
        assert site.logged_in(login).get(f"/console/patients/{path}").status_code == status, (login, path)
    assert found_by(site.logged_in("lee"), "ann") == ["Ann Smith"]
    assert found_by(site.logged_in("ruiz"), "ann") == []


MARK = "Zyxwvu"


def a_marked_patient(site: Site) -> str:
    """Make a patient whose name is wherever a name can be, with a visit ahead."""
    visit = book(site.db, site.catalogue, practitioner="lee", starts_at=LATER, phone="+12125550155")
    patient_id, clinic_id = str(visit.patient_id), site.catalogue.clinic_id
    with site.db.begin() as work:
        change_patient(
            work, clinic_id=clinic_id, patient_id=patient_id, now=NOW, actor="staff:desk", source=Source.STAFF,
            changes=PatientChanges(name=f"{MARK} Doe", emails=(f"{MARK}@example.org",), address=f"{MARK} Street"),
        )  # fmt: skip
        for kind, key in ((TaskKind.CALL_BACK, "patient_id"), (TaskKind.MESSAGE, "appointment_id")):
            about = {"patient_id": patient_id, "appointment_id": str(visit.id)}
            open_task(
                work,
                clinic_id=clinic_id,
                kind=kind,
                says=TaskSays.MESSAGE,
                details={"words": f"Call {MARK}"},
                now=NOW,
                **{key: about[key]},
            )
        work.session.add(
            SmsMessage(
                id=new_id(), clinic_id=clinic_id, kind=SmsKind.BOOKED, to="+12125550155", to_hash="hash",
                sender="+12125550100", body=f"Dear {MARK}", appointment_id=visit.id, revision=1,
                state=SmsState.QUEUED, due_at=NOW, created_at=NOW,
            )
        )  # fmt: skip
    a_conversation(
        site, said=f"I am {MARK}", reply=f"Hello {MARK}", patient_id=patient_id, caller="+12125550155",
        acts=[{"say": "booked", "fields": {"name": MARK}}], results=[{"request": MARK}], commands=[{"name": MARK}],
    )  # fmt: skip
    with site.db.begin() as work:
        work.session.execute(update(Turn).values(thread_hash="call of the marked"))
        at = {"clinic_id": clinic_id, "created_at": NOW}
        call = Call(
            call_sid="CA1", clinic_id=clinic_id, status="completed", started_at=NOW, thread_hash="call of the marked"
        )
        work.session.add(call)
        work.session.flush()
        work.session.add(CallRecording(recording_sid="RE1", call_sid="CA1", **at))
    press(site.logged_in("desk"), patient_id, "note", text=f"{MARK} likes tea")
    return patient_id


def everything_in(site: Site) -> str:
    """Return the text of every column of every row, decrypted."""
    with site.db.read() as session:
        return repr([[tuple(row) for row in session.execute(select(table))] for table in Base.metadata.sorted_tables])


def test_an_export_holds_all_that_is_known_and_is_written_down(site: Site):
    patient_id, client = a_marked_patient(site), site.logged_in("audit")

    document = press(client, patient_id, "export", form="json")
    page = press(client, patient_id, "export", form="html")

    held = json.loads(document.get_data(as_text=True))
    assert "attachment" in document.headers["Content-Disposition"]
    assert held["record"]["name"] == f"{MARK} Doe"
    assert {one["value"] for one in held["contacts"]} == {"+12125550155", f"{MARK}@example.org"}
    assert held["visits"][0]["starts_at"] == "2027-03-16T11:00:00-04:00"
    assert held["conversations"][0]["turns"][0]["said"] == f"I am {MARK}"
    for part in ("notes", "messages", "tasks", "changes"):
        assert MARK in json.dumps(held[part]), part
    assert f"{MARK} likes tea" in page.get_data(as_text=True)
    with site.db.read() as session:
        assert [line.what for line in patient_history(session, patient_id=patient_id)][-2:] == ["exported"] * 2


def test_nothing_of_an_erased_patient_is_left_but_that_there_was_a_visit(site: Site):
    patient_id, client = a_marked_patient(site), site.logged_in()
    before = everything_in(site)

    refused = press(client, patient_id, "erase", sure="on")
    kept = everything_in(site).count(MARK) >= before.count(MARK)
    unsure = press(client, patient_id, "erase", cancels="on")
    erased = press(client, patient_id, "erase", sure="on", cancels="on").get_data(as_text=True)
    left = everything_in(site)

    assert (refused.status_code, unsure.status_code, kept) == (409, 422, True)
    assert "The patient was erased" in erased
    for trace in (MARK, MARK.lower(), "+12125550155"):
        assert trace in before
        assert trace not in left
    assert press(client, patient_id, "erase", sure="on").status_code == 404
    with site.db.begin() as work:
        [visit] = work.session.scalars(select(Appointment).where(Appointment.patient_id == patient_id))
        assert visit.status == AppointmentStatus.CANCELLED
        assert [line.what for line in patient_history(work.session, patient_id=patient_id)][-1] == "erased"
        assert work.session.get_one(Patient, patient_id).gone_at is not None
        assert work.session.scalars(select(CallRecording.recording_sid)).all() == []
        assert "delete the recordings of their calls at the vendor as well: RE1" in left
        states = work.session.scalars(select(SmsMessage.state).where(SmsMessage.appointment_id == visit.id))
        assert set(states) == {SmsState.SKIPPED.value}


def test_others_texts_name_an_erased_patient_no_more(site: Site):
    clinic_id, client = site.catalogue.clinic_id, site.logged_in()
    patient_id = a_patient(site, "Zoë Åkesson", born=BORN, phone="+12125550166", emails=("zoe@example.org",))
    other_id = a_patient(site, "Bo Jensen", born=BORN, phone="+12125550177")
    named = "Sister of zoe akesson (Åkesson, Zoë), ring (212) 555-0166 or ZOE@example.org; Zoe Miller is a friend"
    press(client, other_id, "note", text=named)
    talk = a_conversation(site, said="hello", patient_id=other_id)
    with site.db.begin() as work:
        wants = {"words": "Zoe M. Akesson wants a call"}
        open_task(work, clinic_id=clinic_id, kind=TaskKind.CALL_BACK, says=TaskSays.MESSAGE, details=wants, now=NOW)
        work.session.add(ConversationNote(conversation_id=talk, text="Not Zoe Akesson", written_at=NOW, written_by="x"))
        for name, wanted in (("Hers", "zoe akesson"), ("All of them", "akesson")):
            save_view(work, clinic_id=clinic_id, login="desk", name=name, wanted=Wanted(search=wanted), is_shared=True)
        oak_id = register_patient(
            work, clinic_id="clinic-oak", name="O", birth_date=BORN, phone=None, language="en", now=NOW
        ).id
        note_on_patient(work, clinic_id="clinic-oak", patient_id=oak_id, text="Zoe Akesson of Oak", now=NOW, actor="x")

    press(client, patient_id, "erase", sure="on")
    left = everything_in(site)

    assert "Sister of — (—), ring — or —; Zoe Miller is a friend" in left
    for words in ("— wants a call", "Not —", "Zoe Akesson of Oak", "All of them"):
        assert words in left
    assert left.lower().count("zoe akesson") == 1
    assert "Hers" not in left
