"""From what is free to an appointment, moved and called off."""

from datetime import timedelta

import pytest

from booking.confirm import note_patient_confirmed
from booking.merge import KeptValues, merge_patients
from frontdesk.api.keys import Scope
from tests.integration.api.conftest import NINE, TEN, Program, Site
from tests.support.visits import NOW

pytestmark = pytest.mark.integration


def test_free_times_come_in_the_location_s_time_with_who_is_free(program: Program) -> None:
    answer = program.get("/slots", service="cleaning", practitioner="lee", **{"from": "2027-03-15", "to": "2027-03-16"})

    assert answer.status_code == 200
    assert answer.json["slots"][0]["starts_at"] == NINE
    assert [person["key"] for person in answer.json["practitioners"]] == ["lee"]
    assert answer.json["practitioners"][0]["bio"] == "Dentist, also for anxious patients."


def test_several_services_and_people_are_searched_together_by_start(program: Program) -> None:
    answer = program.get(
        "/slots", service=["cleaning", "flu-shot"], location="main", **{"from": "2027-03-15", "to": "2027-03-16"}
    )

    slots = answer.json["slots"]
    assert {slot["service_id"] for slot in slots} == {"service-cleaning", "service-flu-shot"}
    assert [slot["starts_at"] for slot in slots] == sorted(slot["starts_at"] for slot in slots)
    assert {person["key"] for person in answer.json["practitioners"]} == {"lee", "ben-carter", "ruiz"}


def test_a_long_list_goes_on_where_it_was_cut_without_a_gap_or_a_repeat(program: Program) -> None:
    wish = {"service": ["cleaning", "flu-shot"], "to": "2027-03-17"}
    whole = program.get("/slots", **wish, **{"from": "2027-03-15"}).json["slots"]

    pieces, start = [], "2027-03-15"
    while start is not None:
        page = program.get("/slots", **wish, **{"from": start, "limit": 7}).json
        pieces += page["slots"]
        start = page["next_from"]

    assert pieces == whole
    assert len(whole) > 20


def test_a_held_time_is_free_for_nobody_else(program: Program) -> None:
    program.hold()
    again = program.hold()

    assert again.status_code == 409
    assert again.json["code"] == "slot-taken"
    assert again.content_type == "application/problem+json"


def test_a_hold_becomes_an_appointment_marked_as_made_by_a_program(program: Program) -> None:
    hold = program.hold()
    patient_id = program.patient()
    booked = program.post("/appointments", {"hold_id": hold.json["id"], "patient_id": patient_id})

    assert hold.json["is_hold"]
    assert booked.status_code == 201
    assert (booked.json["status"], booked.json["source"], booked.json["is_hold"]) == ("booked", "api", False)
    assert program.get(booked.headers["Location"].removeprefix("/api/v1")).json == booked.json


def test_whether_a_patient_said_they_will_come_is_told_as_fhir_does(site: Site, program: Program) -> None:
    hold = program.hold().json
    booked = program.post("/appointments", {"hold_id": hold["id"], "patient_id": program.patient()}).json
    with site.db.begin() as work:
        note_patient_confirmed(work, appointment_id=booked["id"], now=NOW)

    after = program.get(f"/appointments/{booked['id']}").json

    assert [one["patient_status"] for one in (hold, booked, after)] == [None, "needs-action", "accepted"]


def test_a_hold_that_is_given_back_is_free_again(program: Program) -> None:
    hold_id = program.hold().json["id"]

    assert program.post(f"/holds/{hold_id}", None, method="DELETE").status_code == 204
    assert program.hold().status_code == 201
    assert program.post(f"/holds/{hold_id}", None, method="DELETE").status_code == 404


def test_a_booking_typed_in_by_staff_names_them_and_counts_as_theirs(staff: Program) -> None:
    hold = staff.hold(actor="maria")
    booked = staff.post(
        "/appointments", {"hold_id": hold.json["id"], "patient_id": staff.patient(), "actor": "maria"}
    ).json
    history = staff.get(f"/appointments/{booked['id']}/history").json["changes"]

    assert booked["source"] == "staff"
    assert [(line["what"], line["actor"]) for line in history] == [("held", "staff:maria"), ("booked", "staff:maria")]


def test_a_key_that_is_not_of_staff_acts_for_nobody_of_them(program: Program) -> None:
    assert program.hold(actor="maria").status_code == 403


def test_staff_set_a_rule_aside_and_it_is_marked(staff: Program) -> None:
    far = "2027-09-13T09:00:00-04:00"

    refused = staff.hold(far)
    held = staff.hold(far, actor="maria", override_reason="She flies in that week.")

    assert (refused.status_code, refused.json["code"]) == (422, "too-far")
    assert held.json["overridden"] == ["too-far"]


def test_an_appointment_is_moved_only_by_who_saw_it_as_it_is(program: Program) -> None:
    booked = program.booked()
    path = f"/appointments/{booked['id']}/move"

    blind = program.post(path, {"starts_at": TEN})
    stale = program.post(path, {"starts_at": TEN}, {"If-Match": '"0"'})
    moved = program.post(path, {"starts_at": TEN}, {"If-Match": f'"{booked["revision"]}"'})

    assert (blind.status_code, stale.status_code, moved.status_code) == (428, 412, 200)
    assert (moved.json["id"], moved.json["starts_at"], moved.json["times_moved"]) == (booked["id"], TEN, 1)
    assert moved.headers["ETag"] == f'"{moved.json["revision"]}"'


def test_an_appointment_moves_to_the_time_held_for_it(program: Program) -> None:
    booked = program.booked()
    hold = program.hold(TEN, replaces=booked["id"])
    moved = program.post(f"/appointments/{booked['id']}/move", {"hold_id": hold.json["id"]}, {"If-Match": "*"})

    assert moved.json["starts_at"] == TEN


def test_a_move_that_is_refused_leaves_all_as_it_was(program: Program) -> None:
    booked = program.booked()
    other = program.hold(TEN).json
    answer = program.post(f"/appointments/{booked['id']}/move", {"starts_at": TEN}, {"If-Match": "*"})

    assert answer.status_code == 409
    assert program.get(f"/appointments/{booked['id']}").json == booked
    assert program.get(f"/appointments/{other['id']}").json["is_hold"]


def test_a_cancelled_appointment_frees_its_time_and_keeps_the_reason(program: Program) -> None:
    booked = program.booked()
    answer = program.post(f"/appointments/{booked['id']}/cancel", {"reason": "ill"}, {"If-Match": '"1"'})
    history = program.get(f"/appointments/{booked['id']}/history").json["changes"]

    assert answer.json["status"] == "cancelled"
    assert history[-1]["after"]["cancel_reason"] == "ill"
    assert program.hold().status_code == 201


def test_who_came_is_noted_by_staff(site: Site, staff: Program) -> None:
    booked = staff.booked()
    site.clock.advance(timedelta(days=5))
    arrived = staff.post(f"/appointments/{booked['id']}/attendance", {"attendance": "arrived"}, {"If-Match": "*"})
    back = staff.post(f"/appointments/{booked['id']}/attendance", {"attendance": "unknown"}, {"If-Match": "*"})

    assert (arrived.json["status"], back.json["status"]) == ("arrived", "booked")


def test_appointments_are_listed_page_by_page_and_by_what_they_are(program: Program) -> None:
    booked = [program.booked(f"2027-03-{day}T09:00:00-04:00") for day in (15, 16, 18)]
    program.hold("2027-03-15T14:00:00-04:00")

    first = program.get("/appointments", limit=2).json
    second = program.get("/appointments", limit=2, cursor=first["next_cursor"]).json
    of_day = program.get("/appointments", day="2027-03-16", status="booked", service="cleaning").json
    of_patient = program.get("/appointments", patient=booked[2]["patient_id"]).json

    assert first["appointments"] + second["appointments"] == booked
    assert second["next_cursor"] is None
    assert of_day["appointments"] == [booked[1]]
    assert of_patient["appointments"] == [booked[2]]


def test_every_broken_rule_is_told(program: Program) -> None:
    answer = program.hold("2027-03-10T10:30:00-05:00", practitioners=["novak"])

    codes = {answer.json["code"], *(one["code"] for one in answer.json["also"])}
    assert answer.status_code == 422
    assert codes >= {"too-soon", "not-offered"}
    assert answer.json["detail"].startswith("It is too soon.")


def test_a_refusal_speaks_the_language_that_is_asked_for(program: Program) -> None:
    wish = {"service": "cleaning", "location": "main", "starts_at": "2027-09-13T09:00:00-04:00"}

    english = program.post("/holds", wish)
    spanish = program.post("/holds", wish, {"Accept-Language": "es"})

    assert english.json["code"] == spanish.json["code"] == "too-far"
    assert english.json["detail"] != spanish.json["detail"]


def test_a_blocked_patient_is_refused_until_staff_take_it_back(staff: Program) -> None:
    hold, patient_id = staff.hold().json, staff.patient()

    blocked = staff.post(f"/patients/{patient_id}/block", {})
    refused = staff.post("/appointments", {"hold_id": hold["id"], "patient_id": patient_id})
    staff.post(f"/patients/{patient_id}/unblock", {})
    booked = staff.post("/appointments", {"hold_id": hold["id"], "patient_id": patient_id})

    assert blocked.json["blocked"]
    assert (refused.status_code, refused.json["code"]) == (422, "patient-blocked")
    assert booked.status_code == 201


def test_the_catalogue_is_kept_until_it_changes(program: Program) -> None:
    first = program.get("/catalogue")
    again = program.get("/catalogue", {"If-None-Match": first.headers["ETag"]})

    assert [service["key"] for service in first.json["services"]][:2] == ["cleaning", "dental-exam"]
    assert (again.status_code, again.data) == (304, b"")


def test_a_patient_is_found_by_number_and_changed(program: Program) -> None:
    patient_id = program.patient()
    changed = program.post(f"/patients/{patient_id}", {"phones": ["(212) 555-0177"]}, method="PATCH")
    found = program.post("/patients/search", {"phone": "212-555-0177", "birth_date": "1984-05-02"})
    nobody = program.post("/patients/search", {"phone": "+12125550123"})

    assert changed.json["phones"] == ["+12125550177"]
    assert [one["id"] for one in found.json["patients"]] == [patient_id]
    assert nobody.json["patients"] == []


def test_a_merged_record_says_which_one_is_kept_and_is_booked_for_no_more(program: Program, site: Site) -> None:
    kept_id, gone_id = program.patient(), program.patient("Anne Smith")
    values = KeptValues("Ann Smith", birth_date=None, language="en")
    with site.db.begin() as work:
        merge_patients(
            work, clinic_id="clinic-elm", kept_id=kept_id, gone_id=gone_id, values=values, now=NOW, actor="staff:kim"
        )

    booked = program.post("/appointments", {"hold_id": program.hold().json["id"], "patient_id": gone_id})

    assert program.get(f"/patients/{gone_id}").json["replaced_by"] == kept_id
    assert program.get(f"/patients/{kept_id}").json["replaced_by"] is None
    assert (booked.status_code, booked.json["code"]) == (404, "unknown-patient")


def test_a_patient_s_history_is_for_staff(staff: Program, site: Site) -> None:
    patient_id = staff.patient()
    other = site.program(Scope.PATIENTS_READ)

    assert staff.get(f"/patients/{patient_id}/history").json["changes"][0]["what"] == "registered"
    assert other.get(f"/patients/{patient_id}/history").status_code == 403
