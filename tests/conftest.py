"""Rules and services of all tests: see tests/support."""

pytest_plugins = ["tests.support.rules", "tests.support.services"]
