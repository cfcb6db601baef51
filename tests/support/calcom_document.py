"""What we rely on of Cal.com's interface, in our own words, and the check of a request or an answer against it."""

import json
import re
from pathlib import Path
from typing import Any

from flask import Request
from openapi_core import Config, OpenAPI

from tests.support.openapi_check import OpenApiCheck

DOCUMENT = Path(__file__).with_name("calcom-schema.json")

# An array of objects in a query: no OpenAPI document can describe that.
_LISTED = re.compile(r"calendarsToLoad\[\d+\]\[(credentialId|externalId)\]")


class CalcomDocument(OpenApiCheck):
    """The document at `path` as served from `base_url`."""

    def __init__(self, *, base_url: str, path: Path = DOCUMENT) -> None:
        document: dict[str, Any] = json.loads(path.read_text())
        document["servers"] = [{"url": base_url}]
        self._paths: dict[str, dict[str, Any]] = document["paths"]
        super().__init__(OpenAPI.from_dict(document, config=Config(spec_validator_cls=None)))

    def fault_of_request(self, request: Request) -> str | None:
        strange = {name for name in request.args if not _LISTED.fullmatch(name)} - self._query_names(request)
        if strange:
            return f"no such parameters: {sorted(strange)}"
        return super().fault_of_request(request)

    def _query_names(self, request: Request) -> set[str]:
        for path, operations in self._paths.items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), request.path):
                parameters = operations.get(request.method.lower(), {}).get("parameters", [])
                return {each["name"] for each in parameters if each["in"] == "query"}
        return set()
