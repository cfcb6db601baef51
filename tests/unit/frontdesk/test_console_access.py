import pytest

from frontdesk.console.access import ADMINISTRATOR, MAY, may
from frontdesk.console.navigation import WAYS
from frontdesk.users import Role

pytestmark = pytest.mark.unit


def test_a_page_that_is_not_in_the_table_is_nobodys():
    assert not any(may(role, "a_page_of_tomorrow") for role in Role)


def test_every_way_in_the_navigation_leads_to_pages_of_the_table():
    assert [page for way in WAYS for page in way.pages if page not in MAY] == []


def test_an_auditor_changes_nothing_of_a_calendar():
    assert may(Role.AUDITOR, "calendar")
    assert not may(Role.AUDITOR, "repair_calendar")
    assert MAY["repair_calendar"] == ADMINISTRATOR
