"""What every test run obeys: a category each, no sockets in unit tests, no skipped tests in CI."""

import os
from collections.abc import Generator

import hypothesis
import pytest

CATEGORIES = ("unit", "integration", "contract", "scenario", "e2e", "browser")
IN_CI = os.environ.get("CI", "").lower() not in {"", "0", "false"}

# A busy machine is not a wrong answer, and CI shall say the same about the same code twice.
hypothesis.settings.register_profile("house", deadline=None, derandomize=IN_CI)
hypothesis.settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test without a category, and take the sockets from unit tests."""
    for item in items:
        if not any(item.get_closest_marker(category) for category in CATEGORIES):
            raise pytest.UsageError(f"{item.nodeid} declares no category (pytestmark = pytest.mark.unit, ...)")
        if item.get_closest_marker("unit"):
            item.add_marker(pytest.mark.disable_socket)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure in CI: a test that did not run has shown nothing."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI does not accept: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped module into a failure in CI, as for a single test."""
    report = yield
    if IN_CI and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped, which CI does not accept: {report.longrepr}"
    return report
