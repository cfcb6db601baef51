"""What has happened, told to whom it may concern through the outbox.

An event is small: ids, instants and codes, never names or numbers of people. Publisher and subscriber deploy at different
moments, so reading one ignores fields it does not know.
"""

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Self


@dataclass(frozen=True, kw_only=True)
class DomainEvent:
    """Base of all events. `name` never changes once published; `aggregate_id` orders events of one thing."""

    name: ClassVar[str]
    version: ClassVar[int] = 1

    occurred_at: datetime

    @property
    def aggregate_id(self) -> str:
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    @classmethod
    def from_json(cls, payload: dict[str, Any]) -> Self:
        values = {}
        for field in dataclasses.fields(cls):
            if field.name in payload:
                value = payload[field.name]
                values[field.name] = datetime.fromisoformat(value) if field.name.endswith("_at") and value else value
        return cls(**values)


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
