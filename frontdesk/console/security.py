"""What keeps staff pages to staff: the session cookie, the seal on forms, what a page may load and where one may lead."""

from typing import cast
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request
from flask.sansio.blueprints import BlueprintSetupState
from flask_wtf.csrf import CSRFProtect

from frontdesk.accounts.sessions import LOGGED_IN_FOR
from kernel.config import Settings

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HTTPS_FOR_S = 365 * 24 * 3600

# Checked by `csrf.protect()` in the blueprints of staff pages and by default nowhere else: the vendors' webhooks carry
# their own signature and can't carry ours.
csrf = CSRFProtect()


def secure_app(state: BlueprintSetupState, settings: Settings) -> None:
    """Set up cookie and form seal of the application a staff blueprint is registered on. Twice is the same as once."""
    app = cast(Flask, state.app)
    app.secret_key = settings.secret_key
    app.config.update(
        SESSION_COOKIE_NAME="frontdesk",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_base_url.startswith("https://"),
        PERMANENT_SESSION_LIFETIME=LOGGED_IN_FOR,
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=int(LOGGED_IN_FOR.total_seconds()),
    )
    if "csrf" not in app.extensions:
        csrf.init_app(app)


def harden(response: Response) -> Response:
    """Add what a browser must know about a staff page: load nothing from elsewhere, keep no copy, show it in no frame."""
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers["Strict-Transport-Security"] = f"max-age={_HTTPS_FOR_S}"
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(self)"
    if not str(request.endpoint).endswith(".static"):
        response.headers["Cache-Control"] = "no-store"
    return response


def path_here(target: str) -> str | None:
    """Return the path of an address that a form or a link gave, or None for one that leads to another site or is none."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    # `urlsplit` passes over line breaks, which no header may hold.
    is_here = not parts.scheme and not parts.netloc and "\\" not in target and target.isprintable()
    return parts.path if is_here else None
