"""Rules and services of all tests: see tests/support."""

import structlog

pytest_plugins = ["tests.support.rules", "tests.support.services", "tests.support.templates"]

# By default a traceback is written with the values of every variable in it, which takes seconds each time.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)
