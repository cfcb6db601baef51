"""A text about a visit says when and where, and nothing a stranger should read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from booking.message_wording import Medium
from booking.values import AppointmentId, AppointmentStatus, BookedVisit, Catalogue, PatientId, Source, Wording
from sms import keywords, segments
from sms.model import SmsKind
from sms.notices import Instead, Origin, compose
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)


def a_visit(starts_at: datetime = datetime(2027, 3, 16, 13, 0, tzinfo=UTC), location: str = "main") -> BookedVisit:
    return BookedVisit(
        id=AppointmentId("visit"),
        uid="visit@frontdesk",
        sequence=0,
        status=AppointmentStatus.BOOKED,
        service_id="service-skin-check",
        practitioner_id="practitioner-carter",
        location_id=f"location-{location}",
        patient_id=PatientId("ann"),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=30),
        hold_expires_at=None,
        source=Source.PHONE,
    )


def text(
    kind: SmsKind = SmsKind.BOOKED, *, visit: BookedVisit | None = None, catalogue: Catalogue | None = None
) -> str:
    return compose(catalogue or elm_catalogue(), visit or a_visit(), kind=kind, now=NOW)


def test_a_booking_is_told_with_day_time_zone_place_and_number():
    assert text() == (
        "Elm Street Clinic: your appointment is booked for Tue Mar 16, 9:00 AM EDT at Main Street, 1 Main Street, Albany. "
        "To change it, reply or call +1 212-555-0100."
    )


@pytest.mark.parametrize("kind", [SmsKind.BOOKED, SmsKind.MOVED, SmsKind.CANCELLED])
@pytest.mark.parametrize("location", ["main", "riverside"])
def test_a_text_of_the_demo_clinic_is_one_part(kind: SmsKind, location: str):
    counted = segments.count(text(kind, visit=a_visit(location=location)))

    assert (counted.encoding, counted.count) == (segments.Encoding.GSM_7, 1)


@pytest.mark.parametrize("kind", [SmsKind.BOOKED, SmsKind.MOVED, SmsKind.CANCELLED])
def test_neither_service_nor_practitioner_nor_a_word_of_the_network_is_in_it(kind: SmsKind):
    written = text(kind)

    assert "skin" not in written.lower()
    assert "Carter" not in written
    assert not {"STOP", "CANCEL", "END", "YES"} & set(written.split())
    assert keywords.as_word(written) == ""


def test_the_time_is_that_of_the_clinic_on_both_sides_of_the_clock_change():
    before = text(visit=a_visit(datetime(2027, 3, 12, 14, 0, tzinfo=UTC)))
    after = text(visit=a_visit(datetime(2027, 3, 15, 13, 0, tzinfo=UTC)))

    assert "Fri Mar 12, 9:00 AM EST" in before
    assert "Mon Mar 15, 9:00 AM EDT" in after


@pytest.mark.parametrize(
    ("starts_at", "said"),
    [
        (datetime(2027, 3, 16, 16, 0, tzinfo=UTC), "12:00 PM"),
        (datetime(2027, 3, 16, 4, 30, tzinfo=UTC), "12:30 AM"),
        (datetime(2027, 3, 16, 19, 5, tzinfo=UTC), "3:05 PM"),
        (datetime(2028, 1, 3, 14, 0, tzinfo=UTC), "Mon Jan 3 2028, 9:00 AM EST"),
    ],
)
def test_times_are_written_as_people_read_them(starts_at: datetime, said: str):
    assert said in text(visit=a_visit(starts_at))


def test_a_long_address_gives_way_to_one_part():
    elm = elm_catalogue()
    far = replace(elm.locations[0], address="Suite 4200, " * 8)

    written = text(catalogue=replace(elm, locations=(far, *elm.locations[1:])))

    assert segments.count(written).count == 1
    assert "at Main Street. To change" in written


def test_a_clinic_without_a_number_names_none():
    elm = elm_catalogue()
    silent = replace(elm, phone=None, locations=tuple(replace(one, phone=None) for one in elm.locations))

    assert text(catalogue=silent).endswith("To change it, reply.")


TUESDAY = datetime(2027, 3, 16, 13, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize("location", ["main", "riverside"])
def test_what_the_clinic_changed_is_told_with_an_apology_in_one_part_or_two(location: str):
    visit = a_visit(location=location)
    texts = {
        kind: compose(elm_catalogue(), visit, kind=kind, now=NOW, origin=Origin.CLINIC)
        for kind in (SmsKind.MOVED, SmsKind.CANCELLED)
    }

    assert (
        "we are sorry, we had to change your appointment. It is now on Tue Mar 16, 9:00 AM EDT" in texts[SmsKind.MOVED]
    )
    assert "we had to call off your appointment on Tue Mar 16, 9:00 AM EDT" in texts[SmsKind.CANCELLED]
    assert {segments.count(text).encoding for text in texts.values()} == {segments.Encoding.GSM_7}
    assert all(segments.count(text).count <= 2 for text in texts.values())


def test_what_the_clinic_booked_is_told_as_what_the_patient_booked():
    by_clinic = compose(elm_catalogue(), a_visit(), kind=SmsKind.BOOKED, now=NOW, origin=Origin.CLINIC)

    assert by_clinic == text(SmsKind.BOOKED)


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ((), "appointment on Tue Mar 16, 9:00 AM EDT. To choose a time, reply or call"),
        ((TUESDAY + DAY,), "EDT. We could see you on Wed Mar 17, 9:00 AM EDT. To choose"),
        (
            (TUESDAY + DAY, TUESDAY + 2 * DAY, TUESDAY + 3 * DAY),
            "We could see you on Wed Mar 17, 9:00 AM EDT, Thu Mar 18, 9:00 AM EDT or Fri Mar 19, 9:00 AM EDT.",
        ),
    ],
)
def test_a_rejection_names_what_could_be_had_instead(times: tuple[datetime, ...], said: str):
    written = compose(
        elm_catalogue(), a_visit(), kind=SmsKind.REJECTED, now=NOW, origin=Origin.CLINIC, instead=Instead(times)
    )

    assert said in written
    assert "we can't confirm your appointment on Tue Mar 16" in written
    counted = segments.count(written)
    assert (counted.encoding, counted.count <= 2) == (segments.Encoding.GSM_7, True)


def test_a_wish_that_was_declined_is_told_without_a_time_that_it_never_had():
    wish = replace(a_visit(), practitioner_id="", status=AppointmentStatus.CANCELLED)

    written = compose(elm_catalogue(), wish, kind=SmsKind.REJECTED, now=NOW, origin=Origin.CLINIC)

    assert "we can't confirm the appointment you asked for. To choose a time, reply" in written
    assert "Mar 16" not in written


def test_a_time_that_is_kept_is_told_with_where_it_is_and_until_when_it_is_kept():
    written = compose(
        elm_catalogue(),
        a_visit(),
        kind=SmsKind.MOVE_OFFERED,
        now=NOW,
        origin=Origin.CLINIC,
        instead=Instead((TUESDAY + DAY,), location_id="location-riverside", kept_until=NOW + timedelta(hours=24)),
    )

    assert written == (
        "Elm Street Clinic: we are sorry, your appointment on Tue Mar 16, 9:00 AM EDT can't take place. "
        "We keep Wed Mar 17, 9:00 AM EDT at Riverside, 240 River Road, Troy for you until Thu Mar 11, 10:00 AM EST. "
        "Reply 1 to take it, 2 to pass. For another time, call +1 212-555-0100."
    )
    assert (segments.count(written).encoding, segments.count(written).count) == (segments.Encoding.GSM_7, 2)


@pytest.mark.parametrize("kind", [SmsKind.REJECTED, SmsKind.MOVE_OFFERED])
def test_the_same_time_with_somebody_else_is_told_as_that(kind: SmsKind):
    instead = Instead((TUESDAY,), kept_until=NOW + DAY)

    written = compose(elm_catalogue(), a_visit(), kind=kind, now=NOW, origin=Origin.CLINIC, instead=instead)

    assert "Tue Mar 16, 9:00 AM EDT with a colleague" in written
    assert segments.count(written).count == 2


@pytest.mark.parametrize("kind", [SmsKind.MOVED, SmsKind.CANCELLED, SmsKind.REJECTED, SmsKind.MOVE_OFFERED])
def test_what_the_clinic_tells_suggests_no_word_of_the_network_and_names_nobody(kind: SmsKind):
    instead = Instead((TUESDAY + DAY,), kept_until=NOW + DAY)
    written = compose(elm_catalogue(), a_visit(), kind=kind, now=NOW, origin=Origin.CLINIC, instead=instead)

    assert "skin" not in written.lower()
    assert "Carter" not in written
    assert not {"STOP", "CANCEL", "END", "YES"} & set(written.split())


def worded(**own: str) -> Catalogue:
    elm = elm_catalogue()
    wording = tuple(Wording("es", kind.replace("_", "-"), text) for kind, text in own.items())
    return replace(elm, languages=("en", "es"), messages=replace(elm.messages, wording=wording), _by_id={})


@pytest.mark.parametrize(
    ("origin", "own", "said"),
    [
        (
            Origin.CLINIC,
            {"mail_cancelled_by_clinic": "Médico ausente {when}", "mail_cancelled": "No"},
            "Médico ausente",
        ),
        # What the patient did is not said of what the clinic did, by mail either.
        (Origin.CLINIC, {"mail_cancelled": "Anulada {when}", "cancelled": "No"}, "tuvimos que anular"),
        (Origin.CLINIC, {"cancelled_by_clinic": "Día perdido {when}"}, "Día perdido"),
        (Origin.PATIENT, {"mail_cancelled_by_clinic": "No", "mail_cancelled": "Anulada {when}"}, "Anulada"),
    ],
)
def test_a_mail_says_what_the_clinic_words_for_it_with_all_its_accents(origin: Origin, own: dict[str, str], said: str):
    mail = compose(
        worded(**own), a_visit(), kind=SmsKind.CANCELLED, now=NOW, origin=origin, language="es", medium=Medium.MAIL
    )

    assert said in mail
