"""The queues in the console: whose a task is, how it ends, stuck work, mails that were given up, and requests."""

import dataclasses
import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from booking import ledger
from booking.consent import opt_out
from booking.desk.requests import propose
from booking.events import AppointmentBooked
from booking.model.mail import MailState
from booking.model.task import StaffTask
from booking.numbers import given_up
from booking.task_words import TaskDetails, TaskSays
from booking.tasks import open_task
from booking.values import AppointmentStatus, Source, TaskKind
from calendar_sync.model import Invitation
from frontdesk.console.queues import QUEUES
from frontdesk.users import User
from jobs.model import Delivery, DeliveryState
from jobs.parked import subject_of_parked
from kernel.db import new_id
from kernel.interval import Interval
from kernel.work import OutboxEntry
from sms.failures import record_failure
from sms.model import SmsKind, SmsMessage, SmsState
from tests.integration.console.conftest import Site, seal_of
from tests.integration.console.test_pages import queries_during
from tests.support.visits import NOW, book

pytestmark = pytest.mark.integration


def press(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    seal = seal_of(client.get("/console/tasks"))
    return client.post(f"/console/{path}", data={**fields, "csrf_token": seal}, follow_redirects=True)


def said(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def a_task(
    site: Site,
    kind: TaskKind,
    *,
    says: TaskSays = TaskSays.MESSAGE,
    details: TaskDetails | None = None,
    subject: str | None = None,
    phone: str | None = None,
    age: timedelta = timedelta(0),
) -> str:
    with site.db.begin() as work:
        return open_task(
            work, clinic_id=site.catalogue.clinic_id, kind=kind, says=says, details=details or {"words": f"About {kind}"},
            now=NOW - age, subject=subject, phone=phone,
        )  # fmt: skip


def test_every_kind_of_task_waits_in_one_queue():
    assert sorted(kind for queue in QUEUES for kind in queue.kinds) == sorted(TaskKind)


def test_of_two_who_take_a_task_one_has_it_and_the_other_is_told(site: Site):
    desk, admin, task = site.logged_in("desk"), site.logged_in("admin"), f"tasks/{site.task_id}"

    taken = press(desk, f"{task}/take", owner="")
    late = press(admin, f"{task}/take", owner="")
    given = press(desk, f"{task}/give", owner="desk", to="admin")
    mine = admin.get("/console/tasks?whose=mine")
    press(admin, f"{task}/release", owner="admin")

    assert "With you" in said(taken)
    assert "Somebody was faster: it is with desk now." in said(late)
    assert "With admin" in said(given)
    assert "Call about the" in said(mine)
    assert "Call about the" in said(desk.get("/console/tasks?whose=unowned&queue=calls"))
    assert press(desk, f"{task}/give", owner="", to="audit").status_code == 404
    assert press(site.logged_in("audit"), f"{task}/take", owner="").status_code == 403
    assert press(site.logged_in("oak"), f"{task}/take", owner="").status_code == 404


def test_what_was_done_is_told_and_stays_when_the_task_is_opened_again(site: Site):
    desk, task = site.logged_in("desk"), f"tasks/{site.task_id}"

    press(desk, f"{task}/note", text="Line <busy>")
    done = press(desk, f"{task}/done", outcome="Called, all is well")
    again = press(site.logged_in("admin"), f"{task}/done", outcome="Me too")
    opened = press(desk, f"{task}/reopen")

    assert "Called, all is well" in said(done).partition("Done lately")[2]
    assert "Somebody has done it meanwhile." in said(again)
    assert "Me too" not in said(again)
    for words in ("Line &lt;busy&gt;", "Called, all is well", "With you"):
        assert words in said(opened).partition("Done lately")[0]


def test_emergencies_come_first_and_old_tasks_are_marked_at_a_constant_number_of_queries(site: Site):
    client = site.logged_in()
    client.get("/console/tasks")
    few = queries_during(site.db, lambda: client.get("/console/tasks"))
    for hours in range(3):
        a_task(site, TaskKind.HANDOVER, age=timedelta(hours=hours, minutes=1))
    a_task(site, TaskKind.EMERGENCY)

    page = said(client.get("/console/tasks"))

    assert page.index("About emergency") < page.index("About handover")
    assert page.count('<span class="badge late">') == 2
    assert queries_during(site.db, lambda: client.get("/console/tasks")) == few


def test_a_task_about_a_visit_leads_to_its_patient(site: Site):
    with site.db.begin() as work:
        open_task(
            work, clinic_id=site.catalogue.clinic_id, kind=TaskKind.UNDELIVERED, says=TaskSays.NO_NUMBER,
            details={"words": "See you"}, now=NOW, appointment_id=site.visit.id,
        )  # fmt: skip

    page = said(site.logged_in("desk").get("/console/tasks?queue=undelivered"))

    assert f'href="/console/patients/{site.visit.patient_id}"><b>Ann Smith</b>' in page


def test_the_list_goes_on_where_a_page_ends_and_an_act_leads_back_to_its_page(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("frontdesk.console.reads.tasks.PER_PAGE", 2)
    for minutes in (4, 3, 2, 1):
        a_task(site, TaskKind.MESSAGE, details={"words": f"Line {minutes}"}, age=timedelta(days=1, minutes=minutes))
    a_task(site, TaskKind.EMERGENCY)
    client = site.logged_in()
    first = said(client.get("/console/tasks?queue=")).partition('class="pages"')
    further = re.search(r'rel="next" href="([^"]+)"', first[2])
    assert further is not None
    assert ("About emergency" in first[0], "Line 4" in first[0], "Line 3" in first[0]) == (True, True, False)

    second = said(client.get(further[1]))
    shown = re.findall(r'id="task-([^"]+)"', second)
    after = press(client, f"tasks/{shown[0]}/done", first=shown[0])

    assert [f"Line {number}" in second for number in (4, 3, 2, 1)] == [False, True, True, False]
    assert re.findall(r'class="panel task-card[^"]*" id="task-([^"]+)"', said(after))[0] == shown[1]
    assert client.get("/console/tasks?first=of-another-clinic").status_code == 200


def parked(site: Site, number: int) -> tuple[str, str]:
    """Give up work about the visit, as a worker does; return the task and the delivery."""
    with site.db.begin() as work:
        work.publish(
            AppointmentBooked(
                occurred_at=NOW, clinic_id=site.catalogue.clinic_id, appointment_id=site.visit.id, revision=number,
                sequence=number,
            )
        )  # fmt: skip
        entry_id = work.session.scalar(select(func.max(OutboxEntry.id))) or 0
        delivery = Delivery(
            entry_id=entry_id, subscriber="sms.confirmation", aggregate_id=site.visit.id, due_at=NOW, attempts=10,
            state=DeliveryState.PARKED.value, error="unavailable",
        )  # fmt: skip
        work.session.add(delivery)
        work.session.flush()
        delivery_id = delivery.id
    details: TaskDetails = {"job_code": "sms.confirmation", "attempts": 10, "error_code": "unavailable"}
    subject = subject_of_parked(delivery_id)
    return a_task(site, TaskKind.PARKED_JOB, says=TaskSays.PARKED, details=details, subject=subject), delivery_id


def states(site: Site) -> list[tuple[str, str | None]]:
    with site.db.read() as session:
        rows = session.scalars(select(Delivery).order_by(Delivery.entry_id))
        return [(row.state, row.error) for row in rows]


def test_stuck_work_is_tried_again_or_let_go_with_a_reason(site: Site):
    (first, _), (second, _), (third, _) = (parked(site, number) for number in (2, 3, 4))
    desk = site.logged_in("desk")
    page = said(desk.get("/console/tasks?queue=parked"))

    strangers = press(site.logged_in("oak"), f"tasks/{first}/replay")
    one = press(desk, f"tasks/{first}/replay")
    twice = press(desk, f"tasks/{first}/replay")
    dropped = press(desk, f"tasks/{second}/done", outcome="Told by phone")
    rest = press(desk, "tasks/replay-all", subscriber="sms.confirmation")

    assert "A text about a visit: given up after 10 attempts, because the other side could not be reached." in page
    assert strangers.status_code == 404
    assert "It is tried again." in said(one)
    assert "Nothing is stuck any more." in said(twice)
    assert "Told by phone" in said(dropped)
    assert "It is tried again." in said(rest)
    assert third not in said(rest).partition("Done lately")[0]
    assert states(site) == [("pending", "unavailable"), ("done", "dropped"), ("pending", "unavailable")]


def test_a_mail_that_was_given_up_is_sent_again(site: Site):
    with site.db.begin() as work:
        mail = Invitation(
            clinic_id=site.catalogue.clinic_id, appointment_id=site.visit.id, sequence=0, status="CONFIRMED",
            sender="a@example.org", sender_name="", to="b@example.org", to_hash="hash", to_name="", subject="Visit",
            body="", calendar="", state=MailState.FAILED, note="unavailable", attempts=16, due_at=NOW,
            created_at=NOW,
        )  # fmt: skip
        work.session.add(mail)
        work.session.flush()
        mail_id = mail.id
    task, desk = a_task(site, TaskKind.UNDELIVERED, subject=f"undelivered:{mail_id}"), site.logged_in("desk")
    offered = said(desk.get("/console/tasks"))

    sent = press(desk, f"tasks/{task}/send-again")
    twice = press(desk, f"tasks/{task}/send-again")

    assert "Send it again" in offered
    assert "It is sent again in a moment; at night, in the morning." in said(sent)
    assert "does not wait to be sent again" in said(twice)
    with site.db.read() as session:
        again = session.get_one(Invitation, mail_id)
        assert (again.state, again.attempts) == (MailState.QUEUED, 0)
        assert session.get_one(StaffTask, task).done_by == "desk"


def undelivered(site: Site, *, phone: str) -> tuple[str, str]:
    """Let a text about the visit not arrive; return it and the task."""
    with site.db.begin() as work:
        text = SmsMessage(
            id=new_id(), clinic_id=site.catalogue.clinic_id, kind=SmsKind.BOOKED, to=phone, to_hash="hash",
            sender="+12125550100", body="See you", appointment_id=site.visit.id, revision=1,
            state=SmsState.UNDELIVERED, due_at=NOW, created_at=NOW,
        )  # fmt: skip
        work.session.add(text)
        record_failure(work, text, code=30005, now=NOW)
        task = work.session.scalars(select(StaffTask.id).where(StaffTask.kind == TaskKind.UNDELIVERED.value)).one()
        return text.id, task


def test_a_text_that_can_not_be_sent_any_more_leaves_its_task_to_staff(site: Site):
    message_id, task = undelivered(site, phone="+12125550177")
    with site.db.begin() as work:
        opt_out(work, clinic_id=site.catalogue.clinic_id, phone="+12125550177", now=NOW)

    of_task = press(site.logged_in("desk"), f"tasks/{task}/send-again")
    of_list = press(site.logged_in("desk"), f"messages/{message_id}/again")

    for page in (of_task, of_list):
        assert "no messages are wanted. Call the patient" in said(page)
    with site.db.read() as session:
        assert session.get_one(SmsMessage, message_id).state == SmsState.UNDELIVERED
        assert session.get_one(StaffTask, task).done_at is None


def test_a_text_that_did_not_arrive_is_sent_again_from_its_task_and_its_number_is_trusted(site: Site):
    clinic_id, phone = site.catalogue.clinic_id, "+12125550177"
    message_id, task = undelivered(site, phone=phone)
    desk, oak = site.logged_in("desk"), site.logged_in("oak")
    offered = said(desk.get("/console/tasks"))

    strange = press(oak, f"tasks/{task}/number-works")
    trusted = press(desk, f"tasks/{task}/number-works")
    strange_again = press(oak, f"tasks/{task}/send-again")
    done = press(desk, f"tasks/{task}/done")
    opened = press(desk, f"tasks/{task}/reopen")
    sent = press(desk, f"tasks/{task}/send-again")
    numberless = press(desk, f"tasks/{a_task(site, TaskKind.UNDELIVERED)}/number-works")

    assert "nobody has this number" in offered
    assert "The number works" in offered
    assert "Texts are sent to +1 212-555-0177 again." in said(trusted)
    assert "The number works" not in said(trusted)
    assert "Send it again" not in said(done)
    assert "Send it again" in said(opened)
    assert "It is sent again in a moment; at night, in the morning." in said(sent)
    assert (strange.status_code, strange_again.status_code, numberless.status_code) == (404, 404, 404)
    with site.db.read() as session:
        assert given_up(session, clinic_id=clinic_id, phones=[phone]) == frozenset()
        assert session.get_one(SmsMessage, message_id).state == SmsState.QUEUED
        assert session.get_one(StaffTask, task).done_by == "desk"


def test_a_task_is_told_in_the_language_of_whoever_reads_it_and_an_old_one_as_it_was_written(site: Site):
    start = datetime(2027, 3, 15, 13, 5, tzinfo=site.catalogue.zone)
    a_task(
        site, TaskKind.BOOKING_REQUEST, says=TaskSays.CONFIRM,
        details={"service": "Cleaning", "practitioner": "Dr. Lee", "visit_at": start},
    )  # fmt: skip
    with site.db.begin() as work:
        old = work.session.get_one(StaffTask, site.task_id)
        old.says = old.details = None
        work.session.scalars(select(User).where(User.login == "desk")).one().language = "es"

    spanish, english = (said(site.logged_in(who).get("/console/tasks")) for who in ("desk", "admin"))

    assert "Confirme o rechace: Cleaning con Dr. Lee, lunes 15 de marzo de 2027, 1:05 p.m." in spanish
    assert "Confirm or reject: Cleaning with Dr. Lee, Monday, March 15, 2027, 1:05 PM." in english
    assert "Call about the &lt;bill&gt;" in spanish


def a_wish(site: Site) -> str:
    start = datetime(2027, 3, 16, 13, 0, tzinfo=UTC)
    with site.db.begin() as work:
        return propose(
            work, site.catalogue, service_id="service-cleaning", location_id="location-main",
            patient_id=str(site.visit.patient_id), span=Interval(start, start + timedelta(hours=8)),
            practitioner_ids=("practitioner-lee",), text="after lunch", conversation_id=None, source=Source.SMS, now=NOW,
        )  # fmt: skip


def test_a_wish_is_given_one_of_the_free_times_once(site: Site):
    wish, desk = a_wish(site), site.logged_in("desk")
    page = said(desk.get(f"/console/requests/{wish}"))
    starts_at = page.partition('name="starts_at" value="')[2].partition('"')[0]
    time = {"starts_at": starts_at, "practitioner_id": "practitioner-lee"}

    taken = press(desk, f"requests/{wish}/grant", starts_at=site.visit.starts_at.isoformat(), practitioner_id="practitioner-lee")  # fmt: skip
    strange = press(desk, f"requests/{wish}/grant", starts_at="soon", practitioner_id="practitioner-lee")
    granted = press(desk, f"requests/{wish}/grant", **time)
    late = press(site.logged_in("admin"), f"requests/{wish}/reject", reason="No time")

    assert "<dd>after lunch</dd>" in page
    assert starts_at.startswith("2027-03-16T")
    assert "The patient has another visit at that time." in said(taken)
    assert strange.status_code == 404
    assert "The visit is booked." in said(granted)
    assert "This request has been answered meanwhile." in said(late)
    assert site.logged_in("oak").get(f"/console/requests/{wish}").status_code == 404
    with site.db.read() as session:
        assert ledger.read(session, appointment_id=wish).visit.status is AppointmentStatus.BOOKED


def test_a_request_is_confirmed_or_declined_with_a_reason(site: Site):
    services = tuple(dataclasses.replace(one, needs_confirmation=True) for one in site.catalogue.services)
    catalogue = dataclasses.replace(site.catalogue, services=services)
    one, other = (
        book(site.db, catalogue, practitioner="lee", starts_at=datetime(2027, 3, 15, hour, 0, tzinfo=UTC))
        for hour in (14, 15)
    )
    desk = site.logged_in("desk")

    waiting = said(desk.get("/console/tasks?queue=requests"))
    confirmed = press(desk, f"requests/{one.id}/accept")
    unreasoned = press(desk, f"requests/{other.id}/reject", reason="")
    declined = press(desk, f"requests/{other.id}/reject", reason="Lee is away")

    assert f"/console/requests/{one.id}" in waiting
    assert "The visit is booked." in said(confirmed)
    assert "Please say why." in said(unreasoned)
    assert "The request was declined." in said(declined)
    with site.db.read() as session:
        found = [ledger.read(session, appointment_id=each.id).visit.status for each in (one, other)]
    assert found == [AppointmentStatus.BOOKED, AppointmentStatus.CANCELLED]
