"""The ways by which patients reach the agent: the vendor's webhooks for calls and texts, put together."""

from flask import Flask

from dialog.turn import warm
from frontdesk.bootstrap import Services
from sms.webhook import sms_blueprint
from voice.webhook import voice_blueprint


def add_channels(app: Flask, services: Services) -> None:
    """Serve the webhooks for calls and texts from `app`."""
    warm()
    app.url_map.strict_slashes = False  # the vendor follows a redirect by GET and loses what was said
    settings = services.settings
    app.register_blueprint(
        voice_blueprint(
            dialog=services.dialog,
            db=services.db,
            catalogues=services.catalogues,
            account=settings.twilio,
            public_base_url=settings.public_base_url,
            clock=services.clock,
        )
    )
    app.register_blueprint(
        sms_blueprint(
            dialog=services.dialog,
            db=services.db,
            account=settings.twilio,
            public_base_url=settings.public_base_url,
            clock=services.clock,
        )
    )


def channels_app(services: Services) -> Flask:
    """Make an application that patients can reach, and nobody else."""
    app = Flask("frontdesk", static_folder=None)
    add_channels(app, services)
    return app
