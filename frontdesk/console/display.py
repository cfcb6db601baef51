"""In which language and colours a page is shown: as chosen in this browser or for the account, else as the browser asks."""

from flask import Response, request

from frontdesk.console.words import DEFAULT_LANGUAGE, LANGUAGES

LOOKS = ("auto", "light", "dark")
_LANGUAGE_COOKIE, _LOOK_COOKIE = "frontdesk_language", "frontdesk_look"
_KEPT_FOR_S = 400 * 24 * 3600  # browsers keep no cookie for longer


def shown_language(*, of_account: str | None) -> str:
    """Return the language of the page under way. What an account says holds in every browser."""
    chosen = of_account or request.cookies.get(_LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(LANGUAGES, DEFAULT_LANGUAGE) or DEFAULT_LANGUAGE


def shown_look() -> str:
    """Return `light` or `dark` where this browser's user wants one of them, else `auto`: as the device has it."""
    chosen = request.cookies.get(_LOOK_COOKIE, "")
    return chosen if chosen in LOOKS else LOOKS[0]


def keep_language(response: Response, language: str) -> None:
    """Remember the language in this browser, for the log-in too."""
    _keep(response, _LANGUAGE_COOKIE, language)


def keep_look(response: Response, look: str) -> None:
    """Remember the colours in this browser."""
    _keep(response, _LOOK_COOKIE, look)


def _keep(response: Response, name: str, value: str) -> None:
    response.set_cookie(
        name, value, max_age=_KEPT_FOR_S, path="/", secure=request.is_secure, httponly=True, samesite="Lax"
    )
