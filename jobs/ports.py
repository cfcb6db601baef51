"""What carries a Delivery to a worker. It may lose, repeat and reorder: the row in the database decides."""

from typing import Protocol


class Queue(Protocol):
    def put(self, *, delivery_id: str, handout: int) -> None:
        """Have some worker run the Delivery soon. The same (delivery, handout) twice is one. Raises Unavailable."""
        ...
