"""The check of a request or an answer against an OpenAPI document."""

from flask import Request, Response
from openapi_core import OpenAPI
from openapi_core.contrib.flask import FlaskOpenAPIRequest, FlaskOpenAPIResponse
from openapi_core.exceptions import OpenAPIError


class OpenApiCheck:
    """Each check returns what is wrong, or None."""

    def __init__(self, document: OpenAPI) -> None:
        self._openapi = document

    def fault_of_request(self, request: Request) -> str | None:
        try:
            self._openapi.validate_request(FlaskOpenAPIRequest(request))
        except OpenAPIError as error:
            return _explain(error)
        return None

    def fault_of_answer(self, request: Request, response: Response) -> str | None:
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
