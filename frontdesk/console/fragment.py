"""Parts of pages that scripts ask for again and again."""

import hashlib
from http import HTTPStatus
from typing import Any

from flask import Response, make_response, render_template, request

from frontdesk.console.staff import current_staff
from frontdesk.console.words import page_words


def fragment(template: str, *, version: object, **shown: Any) -> Response:
    """Answer with a part of a page, or with 304 and nothing where the asker has this version for the same person.

    The version is what the page tells: its forms differ at each asking, by their seals.
    """
    staff = current_staff()
    told = repr((version, staff.login, staff.role, page_words()("app.own_name")))
    response = make_response()
    response.set_etag(hashlib.sha256(told.encode()).hexdigest()[:32])
    response.make_conditional(request)
    if response.status_code != HTTPStatus.NOT_MODIFIED:
        response.set_data(render_template(template, **shown))
    return response
