"""What Lambda does with a batch: invoke, retry, and in the end give it up to the dead-letter queue."""

from __future__ import annotations

import json
import logging
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dmd_pipeline.event_sources import FOREVER
from local.delivery_worker.crashes import FunctionCrashError, FunctionHangsError, crash_point
from local.delivery_worker.failures import Condition, on_failure_message, stamp
from local.delivery_worker.reports import CRASHED, RECEIVED_BATCH, TIMED_OUT, InvocationLog, Reports


if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_sqs.client import SQSClient

    from dmd_pipeline.event_sources import EventSourceMapping
    from dmd_pipeline.settings import Settings
    from local.delivery_worker.batches import Batch
    from local.delivery_worker.function import DeliveryFunction

logger = logging.getLogger(__name__)
_FIRST_PAUSE_SECONDS = 0.2  # AWS waits longer; here somebody is watching
_LONGEST_PAUSE_SECONDS = 5.0


class StoppedError(Exception):
    """The worker is told to stop; the batch is neither delivered nor given up."""


class Invoker:
    """Brings batches to their end, one way or the other.

    Args:
        function: What is invoked.
        mapping: Gives the event source mapping as it is now.
        reports: Where logs and metrics go.
        lambda_: Holds the function's environment variables and timeout.
        sqs: Holds the dead-letter queue.
        settings: The environment's names.
        stop: Set when the worker is to end.
    """

    def __init__(
        self,
        function: DeliveryFunction,
        mapping: Callable[[], EventSourceMapping],
        reports: Reports,
        lambda_: LambdaClient,
        sqs: SQSClient,
        settings: Settings,
        stop: threading.Event,
    ) -> None:
        self._function = function
        self._mapping = mapping
        self._reports = reports
        self._lambda = lambda_
        self._sqs = sqs
        self._settings = settings
        self._stop = stop

    def bring_to_end(self, batch: Batch, failures: int = 0) -> None:
        """Invoke until the batch is delivered or given up.

        Args:
            batch: The records.
            failures: How often a larger batch with these records failed.

        Raises:
            StoppedError: The worker was told to stop meanwhile.
        """
        while True:
            mapping = self._mapping()
            if self._too_old(batch, mapping):
                self._give_up(batch, Condition.AGE, uuid.uuid4(), failures)
                return
            request_id = uuid.uuid4()
            if self._invoke(batch, request_id):
                return
            if mapping.bisect and len(batch) > 1:
                # Halving does not count as a retry, as in Lambda.
                for half in batch.halves():
                    self.bring_to_end(half, failures)
                return
            failures += 1
            if mapping.retries != FOREVER and failures > mapping.retries:
                self._give_up(batch, Condition.RETRIES, request_id, failures)
                return
            if self._stop.wait(min(_FIRST_PAUSE_SECONDS * 2 ** (failures - 1), _LONGEST_PAUSE_SECONDS)):
                raise StoppedError

    def _invoke(self, batch: Batch, request_id: uuid.UUID) -> bool:
        log = InvocationLog(request_id, _now)
        log.platform(f"START RequestId: {request_id} Version: $LATEST")
        log.winston("info", RECEIVED_BATCH, **_context(batch))
        started, now = time.monotonic(), _now()
        records = [record.data for record in batch.records]
        variables, timeout = self._configuration()
        try:
            self._function.handle(records, now, log, crash_point(records, variables))
            succeeded = True
        except FunctionHangsError:
            self._stop.wait(timeout)
            log.platform(f"{stamp(_now())} {request_id} {TIMED_OUT} {timeout:.2f} seconds")
            succeeded = False
        except FunctionCrashError:
            log.platform(f"RequestId: {request_id} Error: Runtime exited with error: signal: killed {CRASHED}")
            succeeded = False
        except Exception as error:
            # Whatever goes wrong in the function fails the batch, and Lambda goes on; a failed S3 write for instance.
            logger.exception("invocation %s failed", request_id)
            log.winston("error", "Batch failed", batchSize=len(batch), error=type(error).__name__)
            log.platform(f"RequestId: {request_id} Error: {CRASHED}")
            succeeded = False
        milliseconds = (time.monotonic() - started) * 1000
        log.platform(f"END RequestId: {request_id}")
        log.platform(f"REPORT RequestId: {request_id} Duration: {milliseconds:.2f} ms Memory Size: 512 MB")
        self._report(batch, log, now, milliseconds, succeeded=succeeded)
        return succeeded

    def _report(self, batch: Batch, log: InvocationLog, now: datetime, milliseconds: float, *, succeeded: bool) -> None:
        age = max(0.0, (now - batch.records[-1].arrived).total_seconds() * 1000)
        self._reports.lines(log)
        self._reports.invocation(
            now,
            {
                "Invocations": 1,
                "Errors": 0 if succeeded else 1,
                "Throttles": 0,
                "Duration": milliseconds,
                "IteratorAge": age,
            },
        )
        counted = "InvokedEventCount" if succeeded else "FailedInvokeEventCount"
        self._reports.mapping(now, {counted: len(batch)})

    def _configuration(self) -> tuple[dict[str, str], float]:
        """The function's environment variables, and its timeout in seconds."""
        configuration = self._lambda.get_function_configuration(FunctionName=self._settings.function)
        return configuration.get("Environment", {}).get("Variables", {}), configuration["Timeout"]

    def _too_old(self, batch: Batch, mapping: EventSourceMapping) -> bool:
        return mapping.record_age is not None and _now() - batch.records[0].arrived > mapping.record_age

    def _give_up(self, batch: Batch, condition: Condition, request_id: uuid.UUID, invocations: int) -> None:
        destination = self._mapping().destination
        if destination is None:
            self._reports.mapping(_now(), {"DroppedEventCount": len(batch)})
            return
        message = on_failure_message(
            batch,
            condition,
            request_id=request_id,
            invocations=invocations,
            function_arn=self._settings.function_arn,
            stream_arn=self._settings.stream_arn,
            now=_now(),
        )
        queue = self._sqs.get_queue_url(QueueName=destination.rpartition(":")[2])["QueueUrl"]
        self._sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(message))
        self._reports.mapping(_now(), {"OnFailureDestinationDeliveredEventCount": len(batch)})


def _context(batch: Batch) -> dict[str, object]:
    """What tells which records an invocation was for. Lambda's lanes are its own secret; here they can be known."""
    return {
        "batchSize": len(batch),
        "shardId": batch.shard_id,
        "lane": batch.lane,
        "firstSequenceNumber": batch.records[0].sequence_number,
        "lastSequenceNumber": batch.records[-1].sequence_number,
    }


def _now() -> datetime:
    return datetime.now(UTC)
