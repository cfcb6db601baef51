"""Cal.com as a calendar: what is its own way, and what happens when answers are lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calendar_sync.adapters.calcom_discovery import find_event_types
from calendar_sync.adapters.calcom_store import CalcomStore
from calendar_sync.entry import CalendarEntry
from calendar_sync.ports import AccessRefused, ChangedMeanwhile, LinkAccess, TimeRefused, Written
from kernel.errors import Unavailable
from kernel.interval import Interval
from kernel.outbound import ANYWHERE, PUBLIC_ONLY
from tests.support.calcom_account import OWNER_EMAIL, CalcomAccount, ConnectedCalendar, EventType, Person
from tests.support.calcom_server import CalcomServer, Fault, FaultKind

pytestmark = pytest.mark.integration

AT = datetime(2027, 11, 7, 4, 30, tzinfo=UTC)  # half past midnight in New York, on the night that the clocks go back
LENGTH = timedelta(minutes=45)
ATTENDS = "visits@clinic.example"
WINDOW = Interval(AT - timedelta(days=2), AT + timedelta(days=90))
PATIENT = Person("Ann Smith", "ann@example.com", "+12125550123", language="es")
VISIT = CalendarEntry(
    uid="visit-1@frontdesk",
    sequence=0,
    starts_at=AT,
    ends_at=AT + LENGTH,
    summary="Dental cleaning",
    location="Main Street, 1 Main Street, Albany",
    is_confirmed=True,
)


@pytest.fixture
def kind(calcom_account: CalcomAccount) -> EventType:
    return calcom_account.add_type("Visit", minutes=30, lengths=(30, 45, 60))


@pytest.fixture
def access(calcom: CalcomServer, calcom_account: CalcomAccount, kind: EventType) -> LinkAccess:
    return LinkAccess("link", calcom.address(kind), ATTENDS, calcom_account.key, kind="calcom")


@pytest.fixture
def store(access: LinkAccess) -> CalcomStore:
    return CalcomStore(access)


def put(store: CalcomStore, entry: CalendarEntry = VISIT, *, at: Written | None = None) -> Written:
    href = at.href if at else store.href_of(name=entry.uid.partition("@")[0])
    return store.put(href=href, entry=entry, stamped_at=AT, version=at.version if at else None)


def later(hours: int, entry: CalendarEntry = VISIT) -> CalendarEntry:
    by = timedelta(hours=hours)
    return replace(entry, starts_at=entry.starts_at + by, ends_at=entry.ends_at + by, sequence=entry.sequence + 1)


def uid_of(written: Written) -> str:
    return written.version.split()[0]


def book_there(account: CalcomAccount, *, hours: int = 0, title: str = "Check-up", minutes: int = 30) -> str:
    kind = account.add_type(title, minutes=minutes)
    return account.book(event_type_id=kind.id, starts_at=AT + timedelta(hours=hours), attendee=PATIENT).uid


def test_a_booking_of_ours_tells_cal_com_when_and_what_but_not_for_whom(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    put(store)

    [booking] = calcom_account.live()
    assert (booking.starts_at, booking.ends_at) == (AT, AT + LENGTH)
    assert booking.attendee == Person("Dental cleaning", ATTENDS, None, "UTC")
    assert booking.metadata == {
        "frontdesk_uid": VISIT.uid,
        "frontdesk_visit": "visit-1",
        "frontdesk_rev": "0",
        "frontdesk_place": VISIT.location,
    }


def test_a_moved_visit_is_another_booking_there_and_stays_where_it_was_here(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    first = put(store)

    second = put(store, later(2), at=first)
    third = put(store, later(4), at=second)

    [booking] = calcom_account.live()
    assert booking.starts_at == AT + timedelta(hours=4)
    assert booking.uid == uid_of(third) != uid_of(first)
    assert first.href == second.href == third.href == uid_of(first)
    event = store.get(href=first.href)
    assert event is not None
    assert event.version == third.version


def test_a_visit_that_takes_longer_is_cancelled_and_booked_anew(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    first = put(store)

    second = put(store, replace(VISIT, ends_at=AT + timedelta(hours=1)), at=first)

    [booking] = calcom_account.live()
    assert booking.ends_at == AT + timedelta(hours=1)
    assert second.href == booking.uid != first.href
    assert store.get(href=first.href) is None


def test_a_visit_whose_longer_time_is_taken_is_no_longer_there_and_that_is_told(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    first = put(store)
    book_there(calcom_account, hours=2)
    longer = replace(later(2), ends_at=AT + timedelta(hours=3))

    with pytest.raises(ChangedMeanwhile):
        put(store, longer, at=first)

    assert store.get(href=first.href) is None
    with pytest.raises(TimeRefused):
        put(store, longer)


def test_a_length_that_the_kind_of_booking_does_not_have_is_refused(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    with pytest.raises(TimeRefused):
        put(store, replace(VISIT, ends_at=AT + timedelta(minutes=50)))

    assert calcom_account.live() == []


def test_a_kind_of_booking_with_one_length_is_asked_for_no_other(
    calcom: CalcomServer, calcom_account: CalcomAccount
) -> None:
    kind = calcom_account.add_type("Cleaning", minutes=45)
    store = CalcomStore(LinkAccess("link", calcom.address(kind), ATTENDS, calcom_account.key))

    put(store)

    [booking] = calcom_account.live()
    assert booking.ends_at - booking.starts_at == LENGTH


def test_where_the_owner_must_say_yes_the_visit_gets_it_from_us(
    calcom: CalcomServer, calcom_account: CalcomAccount
) -> None:
    kind = calcom_account.add_type("Visit", minutes=45, needs_yes=True)
    store = CalcomStore(LinkAccess("link", calcom.address(kind), ATTENDS, calcom_account.key))

    first = put(store)
    put(store, later(1), at=first)
    put(store, replace(VISIT, uid="visit-2@frontdesk", is_confirmed=False))

    states = [(booking.starts_at, booking.status) for booking in calcom_account.live()]
    assert states == [(AT, "pending"), (AT + timedelta(hours=1), "accepted")]


@pytest.mark.parametrize("kind_of_no", [None, FaultKind.CONFLICT, FaultKind.NO_HOSTS])
def test_a_taken_time_is_refused_however_cal_com_says_so(
    store: CalcomStore, calcom: CalcomServer, calcom_account: CalcomAccount, kind_of_no: FaultKind | None
) -> None:
    if kind_of_no is None:
        book_there(calcom_account)
    else:
        calcom.will_fail(Fault(kind_of_no))

    with pytest.raises(TimeRefused):
        put(store)


def test_a_time_that_is_taken_in_a_calendar_that_cal_com_reads_is_refused(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    first = put(store)
    calcom_account.calendars.append(
        ConnectedCalendar(1, "lee@example.com", ((AT + timedelta(hours=1), AT + timedelta(hours=2)),))
    )

    with pytest.raises(TimeRefused):
        put(store, later(1), at=first)

    assert [booking.starts_at for booking in calcom_account.live()] == [AT]


def test_a_time_in_the_past_is_refused(store: CalcomStore) -> None:
    with pytest.raises(TimeRefused):
        put(store, later(-24 * 365 * 3))


def test_a_booking_that_was_made_though_the_answer_was_lost_is_found_again_and_not_made_twice(
    access: LinkAccess, calcom: CalcomServer, calcom_account: CalcomAccount
) -> None:
    for fault in (FaultKind.ANSWER_LOST, FaultKind.ERROR_AFTERWARDS):
        store = CalcomStore(access)
        entry = replace(VISIT, uid=f"{fault.name.lower()}@frontdesk")
        calcom.will_fail(Fault(fault, path="/bookings"))
        with pytest.raises(Unavailable):
            put(store, entry)
        store, moved = CalcomStore(access), later(3, entry)

        # Meanwhile the patient moved: a second booking would not even collide with the first.
        with pytest.raises(ChangedMeanwhile):
            put(store, moved)
        found = store.get(href=store.href_of(name=fault.name.lower()))
        assert found is not None
        put(store, moved, at=Written(found.href, found.version))

        assert [booking.starts_at for booking in calcom_account.live()] == [moved.starts_at]
        calcom_account.cancel(calcom_account.live()[0].uid)


def test_a_move_whose_answer_was_lost_is_noticed_and_not_made_twice(
    store: CalcomStore, calcom: CalcomServer, calcom_account: CalcomAccount
) -> None:
    first = put(store)
    calcom.will_fail(Fault(FaultKind.ANSWER_LOST, path="/reschedule"))
    with pytest.raises(Unavailable):
        put(store, later(1), at=first)

    with pytest.raises(ChangedMeanwhile):
        put(store, later(1), at=first)

    found = store.get(href=first.href)
    assert found is not None
    again = put(store, later(1), at=Written(found.href, found.version))
    assert again == Written(first.href, found.version)
    assert [booking.starts_at for booking in calcom_account.live()] == [AT + timedelta(hours=1)]


def test_a_cancellation_whose_answer_was_lost_has_happened(
    store: CalcomStore, calcom: CalcomServer, calcom_account: CalcomAccount
) -> None:
    first = put(store)
    calcom.will_fail(Fault(FaultKind.ANSWER_LOST, path="/cancel"))
    with pytest.raises(Unavailable):
        store.delete(href=first.href, version=first.version)

    store.delete(href=first.href, version=first.version)

    assert calcom_account.live() == []


def test_a_visit_that_was_moved_there_is_not_cancelled_unseen(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    first = put(store)
    calcom_account.reschedule(first.href, starts_at=AT + timedelta(hours=5))

    with pytest.raises(ChangedMeanwhile):
        store.delete(href=first.href, version=first.version)

    assert [booking.starts_at for booking in calcom_account.live()] == [AT + timedelta(hours=5)]


def test_too_many_requests_are_tried_again_when_cal_com_says(store: CalcomStore, calcom: CalcomServer) -> None:
    calcom.will_fail(Fault(FaultKind.TOO_MANY_REQUESTS, method="GET"))

    with pytest.raises(Unavailable) as blocked:
        store.changes(token=None, known={}, within=WINDOW)

    assert blocked.value.retry_after == timedelta(seconds=42)


def test_a_server_that_fails_is_tried_again(store: CalcomStore, calcom: CalcomServer) -> None:
    calcom.will_fail(Fault(FaultKind.SERVER_ERROR, method="GET", path="/bookings"))

    with pytest.raises(Unavailable):
        store.changes(token=None, known={}, within=WINDOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "cal_of_nobody"},
        {"url": "{base}/event-types/999999999"},
        {"url": "{base}"},
        {"url": "{base}/v1/event-types/1"},
        {"username": "no address"},
    ],
)
def test_what_will_not_mend_itself_is_told_as_that(
    access: LinkAccess, calcom: CalcomServer, wrong: dict[str, str]
) -> None:
    changes = {name: value.format(base=calcom.base_url) for name, value in wrong.items()}

    with pytest.raises(AccessRefused):
        put(CalcomStore(replace(access, **changes)))


def test_an_internal_address_is_not_asked_unless_the_operator_allows_it(
    access: LinkAccess, calcom_account: CalcomAccount
) -> None:
    with pytest.raises(AccessRefused) as refused:
        put(CalcomStore(access, outbound=PUBLIC_ONLY))

    assert refused.value.code == "address-internal"
    assert calcom_account.requests == []


def test_a_booking_that_is_refused_though_its_time_is_free_is_for_somebody_to_look_at(
    store: CalcomStore, calcom: CalcomServer, calcom_account: CalcomAccount
) -> None:
    first = put(store)

    calcom.will_fail(Fault(FaultKind.INVALID, path="/bookings"))
    with pytest.raises(AccessRefused):
        put(store, replace(later(1), uid="visit-2@frontdesk"))
    calcom.will_fail(Fault(FaultKind.INVALID, path="/reschedule"))
    with pytest.raises(AccessRefused):
        put(store, later(1), at=first)

    assert [booking.starts_at for booking in calcom_account.live()] == [AT]


def test_a_key_without_rights_refuses_access(store: CalcomStore, calcom: CalcomServer) -> None:
    calcom.will_fail(Fault(FaultKind.FORBIDDEN, method="GET"))

    with pytest.raises(AccessRefused):
        store.changes(token=None, known={}, within=WINDOW)


def test_a_first_look_finds_what_patients_booked_with_all_that_they_said(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    uid = book_there(calcom_account)

    [event] = store.changes(token=None, known={}, within=WINDOW).events

    assert event.href == uid
    assert event.busy == (Interval(AT, AT + timedelta(minutes=30)),)
    assert event.booking is not None
    assert event.booking.kinds == ("check-up", "Check-up")
    assert (event.booking.name, event.booking.phone, event.booking.email) == (
        PATIENT.name,
        PATIENT.phone,
        PATIENT.email,
    )
    assert "Ann" not in repr(event)


def test_what_we_wrote_comes_back_as_ours_and_is_no_news(store: CalcomStore) -> None:
    written = put(store)

    unknown = store.changes(token=None, known={}, within=WINDOW)
    known = store.changes(token=None, known={written.href: written.version}, within=WINDOW)

    [event] = unknown.events
    assert (event.href, event.version, event.uid) == (written.href, written.version, VISIT.uid)
    assert event.booking is None
    assert known.events == ()
    assert known.present == {written.href}


def test_a_look_without_news_needs_two_requests(store: CalcomStore, calcom_account: CalcomAccount) -> None:
    calcom_account.calendars.append(ConnectedCalendar(1, "lee@example.com", ((AT, AT + LENGTH),)))
    book_there(calcom_account, hours=5)
    first = store.changes(token=None, known={}, within=WINDOW)
    known = {event.href: event.version for event in first.events}
    calcom_account.requests.clear()

    second = store.changes(token=first.token, known=known, within=WINDOW)

    assert (second.events, second.gone, second.present) == ((), frozenset(), None)
    assert calcom_account.requests == ["GET /v2/bookings", "GET /v2/calendars/busy-times"]


def test_a_booking_that_was_moved_there_is_the_same_event_at_another_time(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    written = put(store)
    known = {written.href: written.version}
    token = store.changes(token=None, known=known, within=WINDOW).token
    once = calcom_account.reschedule(written.href, starts_at=AT + timedelta(hours=1))
    calcom_account.reschedule(once.uid, starts_at=AT + timedelta(hours=2))

    news = store.changes(token=token, known=known, within=WINDOW)
    anew = store.changes(token=None, known=known, within=WINDOW)
    unknown = store.changes(token=None, known={}, within=WINDOW)

    for seen in (news, anew, unknown):
        [event] = seen.events
        assert event.href == written.href
        assert event.entry is not None
        assert (event.entry.uid, event.entry.starts_at) == (VISIT.uid, AT + timedelta(hours=2))
        assert seen.gone == frozenset()


def test_a_booking_that_was_cancelled_there_is_gone(store: CalcomStore, calcom_account: CalcomAccount) -> None:
    written = put(store)
    known = {written.href: written.version}
    token = store.changes(token=None, known=known, within=WINDOW).token
    calcom_account.cancel(written.href)

    assert store.changes(token=token, known=known, within=WINDOW).gone == {written.href}
    anew = store.changes(token=None, known=known, within=WINDOW)
    assert (anew.gone, anew.present) == ({written.href}, frozenset())


def test_a_cancellation_that_is_told_before_it_is_written_is_found_when_it_is(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    uid = book_there(calcom_account)
    first = store.changes(token=None, known={}, within=WINDOW)
    known = {event.href: event.version for event in first.events}
    calcom_account.cancel(uid, settles_later=True)

    early = store.changes(token=first.token, known=known, within=WINDOW)
    calcom_account.settle()
    late = store.changes(token=early.token, known=known, within=WINDOW)

    assert early.gone == frozenset()
    assert late.gone == {uid}


def test_a_request_that_waits_for_a_yes_takes_its_time_and_is_no_booking_yet(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    kind = calcom_account.add_type("Surgery", minutes=60, needs_yes=True)
    uid = calcom_account.book(event_type_id=kind.id, starts_at=AT, attendee=PATIENT).uid
    first = store.changes(token=None, known={}, within=WINDOW)
    known = {event.href: event.version for event in first.events}
    calcom_account.confirm(uid)

    second = store.changes(token=first.token, known=known, within=WINDOW)

    [asked], [confirmed] = first.events, second.events
    assert asked.booking is not None
    assert confirmed.booking is not None
    assert (asked.booking.is_confirmed, confirmed.booking.is_confirmed) == (False, True)
    assert asked.busy == confirmed.busy == (Interval(AT, AT + timedelta(hours=1)),)


def test_busy_time_of_connected_calendars_leaves_out_the_bookings_that_cal_com_wrote_there(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    written = put(store)
    hour = timedelta(hours=1)
    calcom_account.calendars.append(ConnectedCalendar(1, "lee@example.com", ((AT - hour, AT + hour),)))

    changes = store.changes(token=None, known={written.href: written.version}, within=WINDOW)

    [event] = changes.events
    assert event.busy == (Interval(AT - hour, AT), Interval(AT + LENGTH, AT + hour))
    assert event.entry is None
    assert changes.present == {written.href, event.href}


def test_busy_times_are_had_in_whichever_form_the_service_takes_the_question(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    calcom_account.takes_lists = False
    hour = timedelta(hours=1)
    calcom_account.calendars += [
        ConnectedCalendar(1, "lee@example.com", ((AT, AT + hour),)),
        ConnectedCalendar(2, "practice", ((AT + 3 * hour, AT + 4 * hour),)),
    ]

    [event] = store.changes(token=None, known={}, within=WINDOW).events

    assert event.busy == (Interval(AT, AT + hour), Interval(AT + 3 * hour, AT + 4 * hour))


def test_a_calendar_that_cal_com_no_longer_reads_keeps_nobody_busy(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    calcom_account.calendars.append(ConnectedCalendar(1, "lee@example.com", ((AT, AT + LENGTH),)))
    known = {event.href: event.version for event in store.changes(token=None, known={}, within=WINDOW).events}
    calcom_account.calendars.clear()

    again = store.changes(token=None, known=known, within=WINDOW)

    assert again.gone == set(known)


def test_bookings_of_colleagues_under_the_same_key_keep_others_busy_only(
    access: LinkAccess, calcom_account: CalcomAccount
) -> None:
    book_there(calcom_account)

    of_another = CalcomStore(replace(access, owner_addresses=("somebody.else@clinic.example",)))
    of_the_owner = CalcomStore(replace(access, owner_addresses=(OWNER_EMAIL.upper(),)))

    assert of_another.changes(token=None, known={}, within=WINDOW).events == ()
    assert len(of_the_owner.changes(token=None, known={}, within=WINDOW).events) == 1


def test_many_bookings_are_read_page_by_page_and_each_comes_once(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    kind = calcom_account.add_type("Call", minutes=15)
    for number in range(520):
        at = AT + timedelta(minutes=15 * number)
        calcom_account.book(event_type_id=kind.id, starts_at=at, attendee=PATIENT)
    calcom_account.requests.clear()

    changes = store.changes(token=None, known={}, within=WINDOW)

    assert len(changes.events) == len({event.href for event in changes.events}) == 520
    assert calcom_account.requests.count("GET /v2/bookings") == 4  # the newest change, and three pages


def test_many_visits_are_brought_with_little_more_than_a_request_each(
    store: CalcomStore, calcom_account: CalcomAccount
) -> None:
    for number in range(20):
        put(store, replace(later(number), uid=f"visit-{number}@frontdesk"))

    assert len(calcom_account.live()) == 20
    assert len(calcom_account.requests) == 22


def test_a_token_that_is_none_of_ours_lists_everything(store: CalcomStore, calcom_account: CalcomAccount) -> None:
    book_there(calcom_account)

    changes = store.changes(token="https://calendar.example/sync/7", known={}, within=WINDOW)

    assert changes.present is not None
    assert len(changes.events) == 1


def test_what_is_over_is_not_taken_for_gone(store: CalcomStore, calcom_account: CalcomAccount) -> None:
    uid = book_there(calcom_account)
    first = store.changes(token=None, known={}, within=WINDOW)
    known = {event.href: event.version for event in first.events}
    next_week = Interval(AT + timedelta(days=7), AT + timedelta(days=90))

    again = store.changes(token=None, known=known, within=next_week)

    assert (again.present, again.gone) == ({uid}, frozenset())


def test_a_key_shows_the_kinds_of_booking_of_its_account(
    access: LinkAccess, calcom: CalcomServer, calcom_account: CalcomAccount, kind: EventType
) -> None:
    other = calcom_account.add_type("Dental cleaning", minutes=45)

    found = find_event_types(replace(access, url=f"{calcom.base_url}/"), outbound=ANYWHERE)

    assert [(one.name, one.url) for one in found] == [
        ("Visit", calcom.address(kind)),
        ("Dental cleaning", calcom.address(other)),
    ]
    assert found[0].owner_addresses == (OWNER_EMAIL,)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"secret": "cal_of_nobody"}, "log-in-refused"),
        ({"url": "{base}/elsewhere"}, "not-there"),
        ({"url": "ftp://calendar.example"}, "not-there"),
    ],
)
def test_what_is_wrong_with_a_key_or_an_address_is_told_precisely(
    access: LinkAccess, calcom: CalcomServer, wrong: dict[str, str], code: str
) -> None:
    changes = {name: value.format(base=calcom.base_url) for name, value in wrong.items()}

    with pytest.raises(AccessRefused) as refused:
        find_event_types(replace(access, **changes), outbound=ANYWHERE)

    assert refused.value.code == code


def test_an_account_without_kinds_of_booking_is_no_calendar(
    calcom: CalcomServer, calcom_account: CalcomAccount
) -> None:
    access = LinkAccess("link", calcom.base_url, ATTENDS, calcom_account.key, kind="calcom")

    with pytest.raises(AccessRefused) as refused:
        find_event_types(access, outbound=ANYWHERE)

    assert refused.value.code == "not-a-calendar"
