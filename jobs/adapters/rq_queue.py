"""RQ on Redis. Jobs carry one id and are kept for a day; all else stands in the database, so Redis may be emptied."""

from datetime import timedelta
from typing import Any

from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.worker import SimpleWorker

from kernel.errors import Unavailable

_NAME = "frontdesk"
_SERIALIZER = "json"  # RQ's default would run whatever somebody else writes into Redis
_JOB = "jobs.run.run_delivery"
_JOB_TIMEOUT_S = 90  # a step bounds its own waiting well below this
_KEEP_RESULT_S = 60
_KEEP_FAILURE_S = int(timedelta(days=1).total_seconds())


class RqQueue:
    def __init__(self, redis: Any) -> None:
        self._queue = Queue(_NAME, connection=redis, serializer=_SERIALIZER)

    def put(self, *, delivery_id: str, handout: int) -> None:
        try:
            self._queue.enqueue_call(
                _JOB,
                kwargs={"delivery_id": delivery_id},
                job_id=f"delivery-{delivery_id}-{handout}",
                unique=True,
                timeout=_JOB_TIMEOUT_S,
                result_ttl=_KEEP_RESULT_S,
                failure_ttl=_KEEP_FAILURE_S,
            )
        except DuplicateJobError:
            return  # it is in the queue already, which was wanted
        except RedisError:
            raise Unavailable("the queue cannot be reached") from None


def work_on_queue(redis: Any) -> None:
    """Run what is put in, in this process and thread, until SIGTERM or Ctrl-C; the job under way is finished first.

    `redis` is a connection of its own: RQ waits on it for minutes.
    """
    queue = Queue(_NAME, connection=redis, serializer=_SERIALIZER)
    worker = SimpleWorker([queue], connection=redis, serializer=_SERIALIZER, log_job_description=False)
    worker.work(logging_level="WARNING")
