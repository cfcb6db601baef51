"""The OpenAPI 3.1 document, made from the table of endpoints and the models that serve."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from frontdesk.api.endpoint import Endpoint
from frontdesk.api.forms.problem import ProblemOut
from frontdesk.api.problems import PROBLEMS, meanings

BASE = "/api/v1"
_REF = "#/components/schemas/{model}"
_TEXT = {"type": "string"}


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the whole document."""
    refs, schemas = _schemas(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, refs, schemas)
    for endpoint in endpoints:
        if endpoint.query is not None:
            schemas.pop(endpoint.query.__name__, None)
    schemas["ProblemOut"]["properties"]["code"]["enum"] = sorted(meanings())
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Frontdesk",
            "version": version("frontdesk"),
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": BASE}],
        "tags": [{"name": tag} for tag in dict.fromkeys(endpoint.tag for endpoint in endpoints)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": {str(status): _problem(status) for status in _described()},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": PROBLEMS["unauthorized"][1]}
            },
        },
    }


_INTRODUCTION = """The clinic's diary for programs. Instants have the offset of the location's clock. A POST that changes something
may carry an Idempotency-Key: sent again with the same key it does nothing twice and gives the same answer, for 24 hours. What is
refused is a problem (RFC 9457) whose `code` tells why, and whose `also` tells every other rule that says no."""


def problem_statuses(endpoint: Endpoint) -> list[int]:
    """Return with which statuses of problems the endpoint may answer."""
    statuses = {400, 429, 503}
    if endpoint.scopes:
        statuses |= {401, 403}
    if endpoint.path_names or endpoint.body or endpoint.query:
        statuses |= {404, 422}
    if endpoint.body:
        statuses |= {413, 415}
    if endpoint.path_names or endpoint.effect is endpoint.effect.WRITES:
        statuses |= {409}
    if endpoint.needs_match:
        statuses |= {412, 428}
    return sorted(statuses)


def _operation(
    endpoint: Endpoint, refs: Mapping[type[BaseModel], dict[str, Any]], schemas: Mapping[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": endpoint.description,
        "tags": [endpoint.tag],
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint, schemas), *_headers(endpoint)],
        "security": [{"key": [scope.value for scope in endpoint.scopes]}] if endpoint.scopes else [],
        "responses": {str(endpoint.status): _success(endpoint, refs)}
        | ({"304": {"description": "It is as the caller has it."}} if endpoint.is_cacheable else {})
        | {str(status): {"$ref": f"#/components/responses/{status}"} for status in problem_statuses(endpoint)},
    }
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": refs[endpoint.body]}},
        }
    return operation


def _success(endpoint: Endpoint, refs: Mapping[type[BaseModel], dict[str, Any]]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done." if endpoint.answer is None else endpoint.summary + "."}
    if endpoint.answer is not None:
        success["content"] = {"application/json": {"schema": refs[endpoint.answer]}}
    headers: dict[str, Any] = {}
    if endpoint.gives_etag or endpoint.is_cacheable:
        headers["ETag"] = {"required": True, "schema": _TEXT, "description": "The version that is shown."}
    if endpoint.status == 201:
        headers["Location"] = {"required": True, "schema": _TEXT, "description": "Where what was made is found."}
    return success | ({"headers": headers} if headers else {})


def _path_parameters(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    for name in endpoint.path_names:
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query_parameters(endpoint: Endpoint, schemas: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    if endpoint.query is None:
        return
    schema = schemas[endpoint.query.__name__]
    for name, given in schema.get("properties", {}).items():
        wanted = {key: value for key, value in given.items() if key not in {"title", "description", "default"}}
        nullable = [one for one in wanted.get("anyOf", []) if one != {"type": "null"}]
        if "anyOf" in wanted and len(nullable) < len(wanted["anyOf"]):  # a query has no null: it leaves the name out
            wanted = nullable[0] if len(nullable) == 1 else {**wanted, "anyOf": nullable}
        parameter = {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": wanted}
        yield parameter | ({"description": given["description"]} if "description" in given else {})


def _headers(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    if endpoint.is_repeatable:
        schema = {"type": "string", "pattern": "^[!-~]{1,200}$"}
        yield _header("Idempotency-Key", schema, "The same key again gives the same answer and does nothing twice.")
    if endpoint.needs_match:
        schema = {"type": "string", "pattern": '^(\\*|"[!-~]{0,64}")$'}
        yield _header("If-Match", schema, "The ETag it was read with, or *.") | {"required": True}
    if endpoint.is_cacheable:
        yield _header("If-None-Match", _TEXT, "The ETag of what the caller has.")


def _header(name: str, schema: Mapping[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": description}


def _described() -> list[int]:
    return sorted({status for status, _ in meanings().values()})


def _problem(status: int) -> dict[str, Any]:
    of_status = {code: meaning for code, (one, meaning) in meanings().items() if one == status}
    described: dict[str, Any] = {
        "description": "\n".join(f"- `{code}`: {meaning}" for code, meaning in of_status.items()),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}},
    }
    if status in {429, 503}:
        retry = {"required": True, "schema": _TEXT, "description": "After how many seconds to try again."}
        described["headers"] = {"Retry-After": retry}
    return described


def _schemas(
    endpoints: Sequence[Endpoint],
) -> tuple[dict[type[BaseModel], dict[str, Any]], dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(ProblemOut, "serialization"): None}
    for endpoint in endpoints:
        for taken in (endpoint.query, endpoint.body):
            if taken is not None:
                wanted[taken, "validation"] = None
        if endpoint.answer is not None:
            wanted[endpoint.answer, "serialization"] = None
    found, definitions = models_json_schema(list(wanted), by_alias=True, ref_template=_REF)
    return {model: found[model, mode] for model, mode in wanted}, definitions["$defs"]
