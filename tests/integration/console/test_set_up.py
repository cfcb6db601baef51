"""Setting a clinic up in the console, graded on the clinic afterwards."""

import html
import re
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import g
from sqlalchemy import update
from werkzeug.test import TestResponse

from booking.catalogue import load_catalogue
from booking.clinic_file import clinic_document, export_clinic, import_clinic, parse
from booking.model.staff import Practitioner
from booking.values import Catalogue
from frontdesk.console.set_up.desk import SetUpDesk
from frontdesk.console.set_up.document import keys_of
from tests.integration.console.conftest import Site, seal_of
from tests.support.visits import NOW

pytestmark = pytest.mark.integration


def clinic_of(site: Site) -> Catalogue:
    with site.db.read() as session:
        return load_catalogue(session, clinic_id=site.catalogue.clinic_id)


def filled(page: TestResponse, **changes: Any) -> dict[str, Any]:
    """Return what a browser sends of the page's form, with some fields changed; None takes one out."""
    text = page.get_data(as_text=True).partition('class="panel stack set-up"')[2].partition("</form>")[0]
    sent: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", text):
        known = dict(re.findall(r'(\w[\w-]*)="([^"]*)"', tag))
        if known.get("type") == "checkbox" and " checked" not in tag:
            continue
        sent.setdefault(known["name"], []).append(html.unescape(known.get("value", "on")))
    for name, body in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', text, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', body)
        sent[name] = chosen[1] if chosen else ""
    for name, body in re.findall(r'<textarea name="([^"]+)"[^>]*>(.*?)</textarea>', text, re.DOTALL):
        sent[name] = html.unescape(body)
    sent |= changes
    return {name: value for name, value in sent.items() if value is not None}


def said_by(page: TestResponse) -> str:
    return html.unescape(page.get_data(as_text=True))


def test_what_is_saved_untouched_leaves_the_clinic_as_it_was(site: Site):
    with site.db.begin() as work:
        text = export_clinic(work.session, site.catalogue.clinic_id)
        import_clinic(work, parse(text, path="elm.yaml"), now=NOW)
    client, before = site.logged_in(), clinic_of(site)
    parts = [
        *(f"/console/set-up/{section}" for section in ("clinic", "rules", "calendars", "messages")),
        *(f"/console/set-up/services/part/{service.key}" for service in before.services),
        *(f"/console/set-up/practitioners/part/{one.key}" for one in before.practitioners),
        *(f"/console/set-up/locations/part/{one.key}" for one in before.locations),
        *(f"/console/set-up/resources/part/{key}" for key in {one.key for one in before.resources}),
    ]

    for address in parts:
        answer = client.post(address, data=filled(client.get(address)))
        assert answer.status_code == 302, said_by(answer)

    assert clinic_of(site) == before


def test_a_price_and_an_everyday_reason_are_added_to_a_service(site: Site):
    client = site.logged_in()
    address = "/console/set-up/services/part/cleaning"

    answer = client.post(address, data=filled(client.get(address), price="99.50 USD", reasons="tartar\r\n\r\nstains"))

    service = next(one for one in clinic_of(site).services if one.key == "cleaning")
    assert answer.status_code == 302
    assert (str(service.price), service.reasons) == ("99.50 USD", ("tartar", "stains"))


def test_shorter_hours_are_asked_about_when_a_visit_would_not_fit_and_nothing_is_done_before(site: Site):
    client = site.logged_in()
    address = "/console/set-up/practitioners/part/lee"
    fields = filled(client.get(address))
    fields |= {
        name: ["10:00-12:00"] for name in fields if re.fullmatch(r"schedules\.0\.hours\.(mon|tue|wed|thu)", name)
    }
    before = clinic_of(site)

    asked = client.post(address, data=fields)

    assert asked.status_code == 200
    assert "1 visit that is booked would no longer fit." in said_by(asked)
    assert f"/console/appointments/{site.visit.id}" in said_by(asked)
    assert clinic_of(site) == before

    client.post(address, data=fields | {"confirmed": "yes"})

    lee = next(one for one in clinic_of(site).practitioners if one.key == "lee")
    assert {one.weekly.start for one in lee.hours} == {timedelta(hours=10)}


def test_what_is_wrong_is_told_at_its_field_and_what_was_written_is_kept(site: Site):
    client = site.logged_in()
    address = "/console/set-up/services/part/cleaning"

    answer = client.post(address, data=filled(client.get(address), duration="soon", name="Deep <cleaning>"))

    assert answer.status_code == 422
    assert "write a duration like 45m" in said_by(answer)
    assert 'value="soon"' in said_by(answer)
    assert "Deep &lt;cleaning&gt;" in answer.get_data(as_text=True)
    assert clinic_of(site).version == site.catalogue.version


def test_of_two_who_change_the_clinic_at_once_the_second_is_told_and_loses_nothing(site: Site):
    one, other = site.logged_in(), site.logged_in()
    address = "/console/set-up/services/part/cleaning"
    first, second = filled(one.get(address), price="99.00 USD"), filled(other.get(address), category="teeth")

    one.post(address, data=first)
    answer = other.post(address, data=second)

    assert answer.status_code == 422
    assert "Somebody else has changed the set-up" in said_by(answer)
    assert 'value="teeth"' in said_by(answer)
    other.post(address, data=filled(answer))
    assert next(one for one in clinic_of(site).services if one.key == "cleaning").category == "teeth"


def test_a_new_practitioner_gets_a_key_from_the_name_and_can_be_booked(site: Site):
    client = site.logged_in()
    page = client.get("/console/set-up/practitioners")
    location = site.catalogue.locations[0].key

    client.post(
        "/console/set-up/practitioners",
        data=filled(page, name="Dra. Inés Peña", services=["cleaning"], skills="hygiene", **{"schedules.0.location": location, "schedules.0.hours.fri": "9:00-12:00"}),
    )  # fmt: skip

    ines = next(one for one in clinic_of(site).practitioners if one.name == "Dra. Inés Peña")
    assert ines.key == "dra-ines-pena"
    assert [one.weekly.weekday for one in ines.hours] == [4]


def test_a_service_is_removed_after_asking_and_stays_with_nobody(site: Site):
    client = site.logged_in()
    page = client.get("/console/set-up/services/part/cleaning")
    data = {"csrf_token": seal_of(page), "version": site.catalogue.version}

    asked = client.post("/console/set-up/services/remove/cleaning", data=data)
    assert "Remove cleaning?" in said_by(asked)
    assert "cleaning" in {one.key for one in clinic_of(site).services}
    client.post("/console/set-up/services/remove/cleaning", data=data | {"confirmed": "yes"})

    assert "cleaning" not in {one.key for one in clinic_of(site).services}


def test_the_clinic_goes_out_as_a_file_and_comes_in_again(site: Site):
    client = site.logged_in()
    text = client.get("/console/set-up/file/clinic.yaml").get_data(as_text=True)
    seal = seal_of(client.get("/console/set-up/file"))
    changed = text.replace("name: Elm Street Clinic", "name: Elm Street Practice")
    assert changed != text

    shown = client.post(
        "/console/set-up/file", data={"csrf_token": seal, "file": (BytesIO(changed.encode()), "elm.yaml")}
    )
    assert "What this file changes" in said_by(shown)
    assert clinic_of(site).name == "Elm Street Clinic"
    sent = {"csrf_token": seal, "confirmed": "yes", "version": clinic_of(site).version, "text": changed}
    client.post("/console/set-up/file", data=sent)

    assert clinic_of(site).name == "Elm Street Practice"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "a clinic file is a mapping"),
        ("# " + "x" * 480_000, "a clinic file is a mapping"),
        ("clinic: [", "Nothing was changed"),
        ("clinic: {key: oak, name: Oak, timezone: Europe/London, country: GB}\nlocations: [{key: a, name: A, address: B, hours: {}}]", "of another clinic"),
        ("clinic: {key: elm}\n", "this is missing"),
    ],
)  # fmt: skip
def test_a_file_that_can_not_be_used_says_why(site: Site, text: str, told: str):
    client = site.logged_in()
    seal = seal_of(client.get("/console/set-up/file"))

    answer = client.post("/console/set-up/file", data={"csrf_token": seal, "text": text})

    assert answer.status_code == 422
    assert told in said_by(answer)


def test_practitioners_change_their_own_hours_and_nothing_else(site: Site):
    client = site.logged_in("lee")
    page = client.get("/console/my-hours")

    answer = client.post("/console/my-hours", data=filled(page, off="2027-05-01", name="Somebody Else"))

    after = next(one for one in clinic_of(site).practitioners if one.key == "lee")
    assert answer.status_code == 302
    assert (after.name, [str(span.first) for span in after.time_off if span.location_id is None]) == (
        "Dr. Mina Lee",
        ["2027-05-01"],
    )
    assert client.post("/console/set-up/rules", data=filled(page)).status_code == 403
    assert client.get("/console/set-up").status_code == 403


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"# " + b"x" * 400_000, "the file holds more than a clinic file can"),
        ("clinic: Niño".encode("latin-1"), "the file is not a text in UTF-8"),
    ],
)
def test_nothing_is_made_of_half_a_file_or_of_letters_that_can_not_be_read(site: Site, content: bytes, told: str):
    client = site.logged_in()
    seal = seal_of(client.get("/console/set-up/file"))

    answer = client.post("/console/set-up/file", data={"csrf_token": seal, "file": (BytesIO(content), "elm.yaml")})

    assert answer.status_code == 422
    assert told in said_by(answer)


def test_what_is_too_large_to_be_read_at_all_is_refused_in_the_language_of_the_browser(site: Site):
    site.app.config["MAX_CONTENT_LENGTH"] = 1000
    client = site.logged_in()

    answer = client.post(
        "/console/set-up/file",
        data={"file": (BytesIO(b"# " + b"x" * 1000), "elm.yaml")},
        headers={"Accept-Language": "es"},
    )

    assert answer.status_code == 413
    assert "Esto es demasiado grande" in said_by(answer)


def test_who_reads_spanish_is_told_in_spanish_what_is_wrong(site: Site):
    client = site.logged_in()
    client.post("/console/language", data={"csrf_token": seal_of(client.get("/console/set-up/file")), "language": "es"})
    address = "/console/set-up/practitioners/part/lee"
    sent = filled(client.get(address), **{"off": "2027-07-05\r\nmañana", "schedules.0.hours.mon": "9:00-12:00, 11-13"})

    field = client.post(address, data=sent)
    clinic, calendars = "/console/set-up/clinic", "/console/set-up/calendars"
    client.post(clinic, data=filled(client.get(clinic), email="desk@elm.example"))
    client.post(calendars, data=filled(client.get(calendars), invitations="on"))
    elsewhere = client.post(clinic, data=filled(client.get(clinic), email=""))
    file = client.post("/console/set-up/file", data={"csrf_token": sent["csrf_token"], "text": "clinic: {key: elm}"})

    assert field.status_code == 422
    assert "<b>mañana</b>: escriba una fecha como 2027-07-05" in said_by(field)
    assert "<b>11-13</b>: escriba las horas como" in said_by(field)
    assert 'name="schedules.0.hours.mon" value="9:00-12:00, 11-13"' in said_by(field)
    assert (
        "Calendarios: qué se deriva de ellos: Enviar invitaciones por correo a los pacientes: escriba el correo"
        in said_by(elsewhere)
    )
    assert "Archivo de la clínica:1: clinic.name: falta este dato" in said_by(file)


def test_what_was_removed_while_it_was_changed_is_offered_as_something_new(site: Site):
    one, other = site.logged_in(), site.logged_in()
    for topic in ("parking", "insurance"):
        one.post("/console/set-up/answers", data=filled(one.get("/console/set-up/answers"), topic=topic, text="Yes."))
    keys = keys_of(clinic_document(clinic_of(site)), "answers")
    parking, insurance = (f"/console/set-up/answers/part/{key}" for key in keys[-2:])
    written = filled(other.get(parking), text="Behind the house.")
    one.post(parking.replace("part", "remove"), data=filled(one.get(parking)) | {"confirmed": "yes"})

    answer = other.post(parking, data=written)
    assert "Somebody else has removed this" in said_by(answer)
    assert 'action="/console/set-up/answers"' in said_by(answer)
    other.post("/console/set-up/answers", data=filled(answer))

    assert [(one.topic, one.text) for one in clinic_of(site).answers][-2:] == [
        ("insurance", "Yes."),
        ("parking", "Behind the house."),
    ]
    assert other.get(insurance).status_code == 200
    assert other.post(parking, data=written | {"version": clinic_of(site).version}).status_code == 404


def test_what_an_earlier_release_took_is_told_and_ends_no_page(site: Site):
    with site.db.begin() as work:
        work.session.execute(
            update(Practitioner).where(Practitioner.name.contains("Lee")).values(bio="Speaks\x0bSpanish")
        )
        document = clinic_document(load_catalogue(work.session, clinic_id=site.catalogue.clinic_id))

    with site.app.test_request_context():
        g.language = "en"
        told = SetUpDesk(site.db).said_of(document)

    assert [(one.split(": ")[0], one.split(": ")[-1]) for one in told] == [
        ("Practitioners", "holds a character that can't be shown")
    ]
