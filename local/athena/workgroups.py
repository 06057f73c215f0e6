"""Work groups: where results go, and who says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from local.athena.errors import invalid_request


ENGINE_VERSION = "Athena engine version 3"
PRIMARY = "primary"


@dataclass
class WorkGroup:
    """A work group as CreateWorkGroup describes it."""

    name: str
    description: str = ""
    state: str = "ENABLED"
    output_location: str | None = None
    enforced: bool = True
    bytes_cutoff: int | None = None
    configuration: dict[str, Any] = field(default_factory=dict)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def update(self, changes: dict[str, Any]) -> None:
        """Take over what UpdateWorkGroup's ``ConfigurationUpdates`` or CreateWorkGroup's ``Configuration`` says."""
        result = changes.get("ResultConfiguration") or changes.get("ResultConfigurationUpdates") or {}
        if "OutputLocation" in result:
            self.output_location = result["OutputLocation"]
        if result.get("RemoveOutputLocation"):
            self.output_location = None
        self.enforced = changes.get("EnforceWorkGroupConfiguration", self.enforced)
        self.bytes_cutoff = changes.get("BytesScannedCutoffPerQuery", self.bytes_cutoff)
        for key in ("PublishCloudWatchMetricsEnabled", "RequesterPaysEnabled", "EngineVersion"):
            if key in changes:
                self.configuration[key] = changes[key]

    def described(self) -> dict[str, Any]:
        """The ``WorkGroup`` of GetWorkGroup."""
        result = {"OutputLocation": self.output_location} if self.output_location else {}
        return {
            "Name": self.name,
            "State": self.state,
            "Description": self.description,
            "CreationTime": self.created.timestamp(),
            "Configuration": {
                "ResultConfiguration": result,
                "EnforceWorkGroupConfiguration": self.enforced,
                "PublishCloudWatchMetricsEnabled": self.configuration.get("PublishCloudWatchMetricsEnabled", True),
                "RequesterPaysEnabled": self.configuration.get("RequesterPaysEnabled", False),
                "EngineVersion": _engine_version(),
            }
            | ({} if self.bytes_cutoff is None else {"BytesScannedCutoffPerQuery": self.bytes_cutoff}),
        }

    def summary(self) -> dict[str, Any]:
        """The entry of ListWorkGroups."""
        return {
            "Name": self.name,
            "State": self.state,
            "Description": self.description,
            "CreationTime": self.created.timestamp(),
            "EngineVersion": _engine_version(),
        }

    def location(self, requested: str | None) -> str:
        """Where a statement's result goes, with a slash at its end.

        Raises:
            AthenaApiError: Nobody said where.
        """
        location = self.output_location if self.output_location and self.enforced else requested or self.output_location
        if not location:
            raise invalid_request(
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input."
            )
        if not location.startswith("s3://") or not location.removeprefix("s3://").partition("/")[0]:
            raise invalid_request(f"outputLocation is not a valid S3 path: {location}")
        return location.rstrip("/") + "/"


def _engine_version() -> dict[str, str]:
    return {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": ENGINE_VERSION}


class WorkGroups:
    """All work groups; ``primary`` is always there."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._groups: dict[str, WorkGroup] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all but ``primary``."""
        with self._lock:
            self._groups = {PRIMARY: WorkGroup(PRIMARY, enforced=False)}

    def get(self, name: str) -> WorkGroup:
        """One work group.

        Raises:
            AthenaApiError: There is none of that name.
        """
        group = self._groups.get(name)
        if group is None:
            raise invalid_request(f"WorkGroup {name} is not found.")
        return group

    def all(self) -> list[WorkGroup]:
        """All of them, by name."""
        return sorted(self._groups.values(), key=lambda group: group.name)

    def create(self, name: str, description: str, configuration: dict[str, Any]) -> None:
        """Add one that does not exist yet."""
        with self._lock:
            if name in self._groups:
                raise invalid_request("WorkGroup is already created")
            group = WorkGroup(name, description)
            group.update(configuration)
            self._groups[name] = group

    def delete(self, name: str) -> None:
        """Remove one that is not ``primary``."""
        with self._lock:
            if name == PRIMARY:
                raise invalid_request("The primary workgroup cannot be deleted.")
            self._groups.pop(name, None)
