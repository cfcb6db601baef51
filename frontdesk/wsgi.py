"""For any WSGI server: `frontdesk.wsgi:make_app()`, with the settings of the environment."""

from flask import Flask

from frontdesk.app import create_app
from frontdesk.bootstrap import build
from frontdesk.schema import check_schema
from kernel import log
from kernel.config import load_settings


def make_app() -> Flask:
    """Make the application of a web process. Raises BadSetting and WrongSchema, each with one clear line."""
    settings = load_settings()
    log.configure(level=settings.log_level)
    services = build(settings)
    check_schema(services.db.engine)
    return create_app(services)
