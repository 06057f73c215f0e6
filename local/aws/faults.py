"""Faults on request: the next calls of an operation fail as AWS would fail them."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from local.aws.wire import AwsError


@dataclass
class Fault:
    """What shall go wrong.

    Attributes:
        operation: The operation that fails, ``"glue:BatchCreatePartition"``.
        code: The error code that the client sees.
        times: How many calls fail; each failure takes one off.
        status: HTTP status of the failures.
        message: For people.
        after: How many calls are served before the first failure.
        item: When given, the calls succeed and only this item of a batch fails, in the response's body: a partition's
            value, ``"2025-06-01"``.
    """

    operation: str
    code: str
    times: int = 1
    status: int = 400
    message: str = "Injected fault."
    after: int = 0
    item: str | None = None


class Faults:
    """The faults that are still to happen. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Make coming calls fail."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Let every call succeed again."""
        with self._lock:
            self._faults.clear()

    def strike(self, name: str) -> None:
        """Fail a call of this name if it is its turn; uses the failure up.

        Raises:
            AwsError: The failure.
        """
        self._strike(name, None)

    def strike_item(self, name: str, item: str) -> None:
        """Fail one item of a batch if it is its turn; uses the failure up.

        Raises:
            AwsError: The failure, for the response's body.
        """
        self._strike(name, item)

    def _strike(self, name: str, item: str | None) -> None:
        with self._lock:
            for fault in self._faults:
                if (fault.operation, fault.item) != (name, item) or fault.times <= 0:
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                raise AwsError(fault.code, fault.message, fault.status)
