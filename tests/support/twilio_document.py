"""The vendor's own description of its REST interface, and the check of a request or an answer against it."""

import json
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from openapi_core import Config, OpenAPI

from tests.support.openapi_check import OpenApiCheck

DOCUMENT = Path(__file__).with_name("twilio-api-v2010.json")


class TwilioDocument(OpenApiCheck):
    """The document as served from `base_url`. It describes only answers that mean success."""

    def __init__(self, *, base_url: str) -> None:
        document: dict[str, Any] = json.loads(DOCUMENT.read_text())
        document["servers"] = [{"url": base_url}]
        for path in document["paths"].values():
            path.pop("servers", None)
        config = Config(
            spec_validator_cls=None,  # the document has small faults that do not matter here
            extra_format_validators={"date-time-rfc-2822": _is_rfc_2822, "phone-number": _is_text, "uri-map": _is_map},
        )
        super().__init__(OpenAPI.from_dict(document, config=config))


def _is_rfc_2822(value: Any) -> bool:
    parsedate_to_datetime(value)
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)
