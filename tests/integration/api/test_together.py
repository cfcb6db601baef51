"""Why not, requests, several at once, groups, the waiting list and the front desk."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from booking.next_available import refresh
from booking.task_words import TaskDetails, TaskSays
from booking.tasks import open_task
from booking.values import GroupSize, TaskKind
from booking.waiting_list.freed_time import offer_freed_time
from dialog.model import Conversation, Turn
from frontdesk.api.keys import Scope
from jobs.model import Delivery, DeliveryState
from jobs.parked import subject_of_parked
from kernel.work import Database, OutboxEntry
from tests.integration.api.conftest import EVERYTHING, NINE, TEN, Program, Site, make_site
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW

pytestmark = pytest.mark.integration

MATCH = {"If-Match": "*"}


@pytest.fixture
def site(database: Database) -> Site:
    """The clinic, where staff confirm fillings, skin checks are for groups and a check-up comes as a package."""
    elm = elm_catalogue()
    changed = {
        "filling": {"needs_confirmation": True},
        "skin-check": {"group": GroupSize(2, 2)},
        "urgent-dental": {"steps": ("service-dental-exam", "service-filling")},
    }
    services = tuple(replace(one, **changed.get(one.key, {})) for one in elm.services)  # type: ignore[arg-type]
    return make_site(database, None, elm=replace(elm, services=services, _by_id={}))


def test_when_somebody_is_next_free_is_told_as_it_was_last_worked_out(site: Site, program: Program) -> None:
    with site.db.begin() as work:
        refresh(work, site.catalogue, practitioner_ids=("practitioner-lee",), now=NOW)
    told = program.get("/next-available", service="cleaning").json["next"]

    assert [(one["practitioner_id"], one["starts_at"]) for one in told] == [
        ("practitioner-lee", "2027-03-10T13:00:00-05:00")
    ]
    assert program.get("/next-available", practitioner="ruiz").json["next"] == []


def test_a_wish_that_can_t_be_met_is_explained_with_what_is_nearest(program: Program) -> None:
    wish = {"service": "cleaning", "practitioners": ["lee"], "from": "2027-03-17", "to": "2027-03-18"}
    answer = program.post("/slots/explain", wish)

    assert answer.status_code == 200
    assert [reason["code"] for reason in answer.json["reasons"]] == ["practitioner-away"]
    assert {tuple(near["changes"]) for near in answer.json["nearest"]} >= {("practitioner",), ("day",)}


def test_a_wish_that_can_be_met_needs_no_reason(program: Program) -> None:
    answer = program.post("/slots/explain", {"service": "cleaning", "from": "2027-03-15", "to": "2027-03-16"})

    assert answer.json["reasons"] == []
    assert [near["changes"] for near in answer.json["nearest"]] == [[]]


def test_staff_say_yes_or_no_to_a_request(staff: Program) -> None:
    def requested(starts_at: str) -> Any:
        hold = staff.hold(starts_at, service="filling").json
        return staff.post("/appointments", {"hold_id": hold["id"], "patient_id": staff.patient()}).json

    first, second = requested(NINE), requested("2027-03-15T14:00:00-04:00")
    listed = staff.get("/requests").json["requests"]
    yes = staff.post(f"/appointments/{first['id']}/accept", {"actor": "maria"}, MATCH)
    no = staff.post(f"/appointments/{second['id']}/reject", {"reason": "She is at a congress."}, MATCH)

    assert {one["appointment"]["id"] for one in listed} == {first["id"], second["id"]}
    assert (first["status"], yes.json["status"]) == ("pending", "booked")
    assert no.json["appointment"]["status"] == "cancelled"
    assert no.json["alternatives"]


def test_a_wish_without_a_time_gets_one_from_staff(staff: Program) -> None:
    wish = {"service": "cleaning", "location": "main", "patient_id": staff.patient(), "text": "After work, please."}
    proposal = staff.post("/proposals", {**wish, "from": "2027-03-15", "to": "2027-03-20"}).json
    granted = staff.post(f"/appointments/{proposal['id']}/grant", {"starts_at": NINE, "practitioner": "lee"}, MATCH)

    assert (proposal["status"], proposal["practitioner_id"]) == ("proposed", None)
    assert (granted.json["id"], granted.json["status"], granted.json["starts_at"]) == (proposal["id"], "booked", NINE)


def test_a_household_is_held_and_booked_all_or_nothing(program: Program) -> None:
    wish = {"wishes": [{"service": "cleaning"}, {"service": "dental-exam"}], "together": "parallel"}
    slot = program.post("/slots/household", {**wish, "from": "2027-03-15", "to": "2027-03-16"}).json["slots"][0]
    parts = [part_of(part) for part in slot["parts"]]
    held = program.post("/households", {"parts": parts})
    again = program.post("/households", {"parts": parts})
    people = [
        {"appointment_id": one["id"], "patient_id": program.patient(name)}
        for one, name in zip(held.json["appointments"], ("Ann Smith", "Bob Smith"), strict=True)
    ]
    booked = program.post(f"/bundles/{held.json['id']}/confirm", {"patients": people})
    off = program.post(f"/bundles/{held.json['id']}/cancel", {"reason": "flu"})

    assert (held.status_code, again.status_code) == (201, 409)
    assert {one["status"] for one in booked.json["appointments"]} == {"booked"}
    assert {one["status"] for one in off.json["appointments"]} == {"cancelled"}
    assert program.post("/households", {"parts": parts}).status_code == 201


def test_a_package_is_booked_as_its_slot_says(program: Program) -> None:
    slot = program.get("/slots", service="urgent-dental", **{"from": "2027-03-15", "to": "2027-03-16"}).json["slots"][0]
    held = program.post("/packages", {"service": "urgent-dental", "parts": [part_of(one) for one in slot["parts"]]})
    given_back = program.post(f"/bundles/{held.json['id']}", None, method="DELETE")

    assert [one["service_id"] for one in held.json["appointments"]] == ["service-dental-exam", "service-filling"]
    assert given_back.status_code == 204
    assert {one["status"] for one in program.get(f"/bundles/{held.json['id']}").json["appointments"]} == {"cancelled"}


def test_a_series_skips_what_is_taken_and_says_so(program: Program) -> None:
    program.hold("2027-03-22T09:00:00-04:00")
    first = {"service": "cleaning", "location": "main", "starts_at": NINE, "practitioners": ["lee"]}
    series = program.post("/series", {"first": first, "rule": "FREQ=WEEKLY;COUNT=3"})
    endless = program.post("/series", {"first": first, "rule": "FREQ=DAILY;COUNT=10000"})

    assert [one["starts_at"][:10] for one in series.json["appointments"]] == ["2027-03-15", "2027-03-29"]
    assert [(one["starts_at"][:10], one["why"]["code"]) for one in series.json["skipped"]] == [
        ("2027-03-22", "slot-taken")
    ]
    assert (endless.status_code, endless.json["code"]) == (422, "series-too-long")


def test_a_group_fills_up(staff: Program) -> None:
    wish = {"service": "skin-check", "location": "riverside", "starts_at": "2027-03-16T10:00:00-04:00"}
    session = staff.post("/sessions", wish).json
    seats = f"/sessions/{session['id']}/seats"
    ann, bob, cem = (staff.patient(name) for name in ("Ann Smith", "Bob Smith", "Cem Kaya"))

    first = staff.post(seats, {"patient_id": ann})
    second = staff.post(seats, {"patient_id": bob})
    third = staff.post(seats, {"patient_id": cem})
    booked = staff.post(f"/seats/{first.json['id']}/confirm", {"patient_id": ann})
    given_back = staff.post(f"/seats/{second.json['id']}", None, method="DELETE")
    kept = staff.post(seats, {"patient_id": cem})
    unkept = staff.post(f"/sessions/{session['id']}/leave", {"patient_id": cem})
    left = staff.post(f"/sessions/{session['id']}/leave", {"patient_id": ann})
    off = staff.post(f"/sessions/{session['id']}/cancel", {"reason": "too few"}, MATCH)

    assert (first.status_code, second.status_code, given_back.status_code) == (201, 201, 204)
    assert (third.status_code, third.json["code"]) == (409, "session-full")
    assert (booked.json["status"], left.json["status"], off.json["status"]) == ("booked", "cancelled", "cancelled")
    assert kept.json["hold_expires_at"] is not None
    assert (unkept.json["status"], unkept.json["hold_expires_at"]) == ("cancelled", None)
    assert staff.get(seats).json["seats"] == []


def test_freed_time_is_offered_to_who_waits_and_the_yes_books_it(site: Site, program: Program) -> None:
    patient_id = program.patient("Bob Smith")
    booked = program.booked()
    wish = {"patient_id": patient_id, "service": "cleaning", "practitioners": ["lee"]}
    entry = program.post("/waitlist", {**wish, "spans": [{"from": NINE, "to": TEN}]})
    program.post(f"/appointments/{booked['id']}/cancel", {}, MATCH)
    with site.db.begin() as work:
        (offer_id,) = offer_freed_time(work, site.catalogue, now=NOW)
    listed = program.get("/waitlist", patient=patient_id).json["entries"][0]
    taken = program.post(f"/offers/{offer_id}/accept", {})
    late = program.post(f"/offers/{offer_id}/decline", None)

    assert entry.status_code == 201
    assert [offer["id"] for offer in listed["offers"]] == [offer_id]
    assert (taken.json["status"], taken.json["starts_at"]) == ("booked", NINE)
    assert late.status_code == 409
    assert program.get(f"/offers/{offer_id}").json["status"] == "accepted"
    assert program.post(f"/waitlist/{entry.json['id']}", None, method="DELETE").status_code == 204


def test_a_practitioner_s_absence_is_previewed_and_settled(staff: Program) -> None:
    booked = staff.booked()
    days = {"from": "2027-03-15", "to": "2027-03-16"}
    hits = staff.post("/practitioners/lee/away/preview", days).json["hits"]
    still = staff.get(f"/appointments/{booked['id']}").json
    after_it = staff.post("/practitioners/lee/away/preview", {**days, "from_time": "12:00", "until_time": "17:00"})
    settled = staff.post("/practitioners/lee/away", {**days, "reason": "ill", "instead": "move"}).json["settled"]
    no_time = staff.post("/practitioners/lee/away/preview", {**days, "from_time": "noon"})
    reversed_days = staff.post("/practitioners/lee/away/preview", {"from": "2027-03-16", "to": "2027-03-15"})

    assert [hit["appointment"]["id"] for hit in hits] == [booked["id"]]
    assert hits[0]["alternatives"]
    assert still == booked
    assert [one["outcome"] for one in settled] == ["moved"]
    assert after_it.json["hits"] == []
    assert (no_time.status_code, reversed_days.status_code) == (400, 422)


def test_tasks_are_listed_and_done(site: Site, staff: Program) -> None:
    with site.db.begin() as work:
        task_id = open_task(
            work,
            clinic_id="clinic-elm",
            kind=TaskKind.CALL_BACK,
            says=TaskSays.MESSAGE,
            details={"words": "Call Ann"},
            now=NOW,
        )
    other = site.program(*EVERYTHING, clinic_id="clinic-oak")

    assert [task["text"] for task in staff.get("/tasks").json["tasks"]] == ["Call Ann"]
    assert other.post(f"/tasks/{task_id}/done", {}).status_code == 404
    assert staff.post(f"/tasks/{task_id}/done", {"actor": "maria"}).status_code == 204
    assert staff.get("/tasks").json["tasks"] == []


def test_stuck_work_whose_task_is_done_is_never_tried_again(site: Site, staff: Program) -> None:
    with site.db.begin() as work:
        about: dict[str, Any] = {"clinic_id": "clinic-elm", "kind": TaskKind.PARKED_JOB, "now": NOW}
        open_task(work, says=TaskSays.MESSAGE, details={"words": "Something else"}, **about)
        work.session.flush()
        stuck = Delivery(
            entry_id=work.session.scalars(select(func.max(OutboxEntry.id))).one(), subscriber="sms.confirmation",
            aggregate_id="visit", due_at=NOW, attempts=10, state=DeliveryState.PARKED.value, error="unavailable",
        )  # fmt: skip
        work.session.add(stuck)
        work.session.flush()
        delivery_id = stuck.id
        details: TaskDetails = {"job_code": "sms.confirmation", "attempts": 10, "error_code": "unavailable"}
        subject = subject_of_parked(delivery_id)
        task_id = open_task(work, says=TaskSays.PARKED, details=details, subject=subject, **about)

    spanish = {one["id"]: one["text"] for one in staff.get("/tasks", {"Accept-Language": "es"}).json["tasks"]}
    answer = staff.post(f"/tasks/{task_id}/done", {"actor": "maria"})

    assert spanish[task_id].startswith("Un mensaje sobre una cita: se abandonó después de 10 intentos")
    assert answer.status_code == 204
    with site.db.read() as session:
        assert session.get_one(Delivery, delivery_id).state == DeliveryState.DONE.value


def test_conversations_are_listed_and_read_by_who_may(site: Site, program: Program) -> None:
    for number in range(3):
        a_conversation(site, f"talk-{number}", minute=number)
    first = program.get("/conversations", limit=2).json
    second = program.get("/conversations", limit=2, cursor=first["next_cursor"]).json
    transcript = program.get("/conversations/talk-1").json
    theirs = site.program(*EVERYTHING, clinic_id="clinic-oak")

    listed = [one["id"] for page in (first, second) for one in page["conversations"]]
    assert listed == ["talk-2", "talk-1", "talk-0"]
    assert [(turn["said"], turn["reply"]) for turn in transcript["turns"]] == [("hello", "Good morning.")]
    assert theirs.get("/conversations/talk-1").status_code == 404
    assert site.program(Scope.TASKS_READ).get("/conversations/talk-1").status_code == 403


def part_of(slot: Any) -> dict[str, Any]:
    return {
        "service": slot["service_id"],
        "location": slot["location_id"],
        "starts_at": slot["starts_at"],
        "practitioners": [slot["practitioner_id"]],
    }


def a_conversation(site: Site, conversation_id: str, *, minute: int) -> None:
    at = NOW + timedelta(minutes=minute)
    with site.db.begin() as work:
        work.session.add(
            Conversation(
                id=conversation_id, clinic_id="clinic-elm", channel="sms", thread_hash=conversation_id, language="en",
                state="{}", started_at=at, last_turn_at=at,
            )
        )  # fmt: skip
        work.session.flush()
        work.session.add(
            Turn(
                conversation_id=conversation_id, number=1, channel="sms", thread_hash="", kind="text", message_key=conversation_id, said="hello",
                reply="Good morning.", commands=[], heard="[]", acts=[], writes=[], results="[]", at=at,
                catalogue_version=1, timings={},
            )
        )  # fmt: skip
