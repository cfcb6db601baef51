"""The vendor's own description of its REST interface, and the check of a request or an answer against it."""

import json
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from flask import Request, Response
from openapi_core import Config, OpenAPI
from openapi_core.contrib.flask import FlaskOpenAPIRequest, FlaskOpenAPIResponse
from openapi_core.exceptions import OpenAPIError

DOCUMENT = Path(__file__).with_name("twilio-api-v2010.json")


class TwilioDocument:
    """The document as served from `base_url`. Each check returns what is wrong, or None."""

    def __init__(self, *, base_url: str) -> None:
        document: dict[str, Any] = json.loads(DOCUMENT.read_text())
        document["servers"] = [{"url": base_url}]
        for path in document["paths"].values():
            path.pop("servers", None)
        config = Config(
            spec_validator_cls=None,  # the document has small faults that do not matter here
            extra_format_validators={"date-time-rfc-2822": _is_rfc_2822, "phone-number": _is_text, "uri-map": _is_map},
        )
        self._openapi = OpenAPI.from_dict(document, config=config)

    def fault_of_request(self, request: Request) -> str | None:
        try:
            self._openapi.validate_request(FlaskOpenAPIRequest(request))
        except OpenAPIError as error:
            return _explain(error)
        return None

    def fault_of_answer(self, request: Request, response: Response) -> str | None:
        """Check an answer that means success; the document does not describe the others."""
        try:
            self._openapi.validate_response(FlaskOpenAPIRequest(request), FlaskOpenAPIResponse(response))
        except OpenAPIError as error:
            return _explain(error)
        return None


def _explain(error: BaseException) -> str:
    parts = [str(error)]
    while error.__cause__ is not None:
        error = error.__cause__
        parts.append(str(error))
    parts += [str(detail) for detail in getattr(error, "schema_errors", ())]
    return " <- ".join(parts)


def _is_rfc_2822(value: Any) -> bool:
    parsedate_to_datetime(value)
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)
