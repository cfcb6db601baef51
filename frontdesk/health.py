"""Whether this process serves, and whether what it needs is there."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from frontdesk.bootstrap import Services
from jobs.due import last_finished

WORKER_SEEN_WITHIN = timedelta(minutes=2)


def health_blueprint(services: Services) -> Blueprint:
    """Return `/healthz` (this process answers) and `/readyz` (database, Redis and a worker are there too)."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return jsonify(status="ok")

    @blueprint.get("/readyz")
    def readyz() -> ResponseReturnValue:
        checks = readiness(services)
        is_ready = all(state == "ok" for state in checks.values())
        return jsonify(status="ok" if is_ready else "unavailable", checks=checks), 200 if is_ready else 503

    return blueprint


def readiness(services: Services) -> dict[str, str]:
    """Check everything once; each is "ok" or says in a word what is wrong."""
    return {
        "database": _database(services),
        "redis": _redis(services.redis),
        "worker": _worker(services),
    }


def _database(services: Services) -> str:
    try:
        with services.db.read() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return "unreachable"
    return "ok"


def _redis(redis: Any) -> str:
    try:
        redis.ping()
    except RedisError:
        return "unreachable"
    return "ok"


def _worker(services: Services) -> str:
    try:
        with services.db.read() as session:
            seen_at = last_finished(session)
    except SQLAlchemyError:
        return "unknown"
    if seen_at is None or seen_at < services.clock.now() - WORKER_SEEN_WITHIN:
        return "not seen"
    return "ok"
