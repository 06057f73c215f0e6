"""What can go wrong on this machine, as opposed to in the pipeline.

The hierarchy::

    LocalError
    ├── UsageError          what was typed makes no sense, or the pipeline is not running
    ├── PortTakenError      another program listens where ours should
    ├── StartError          a process of ours did not come up
    └── WaitError           something that should have happened did not, in the time it was given

Every command prints the message, which names the thing and the remedy, and exits with ``exit_code``.
"""

from __future__ import annotations


class LocalError(Exception):
    """Base of every error that a local command reports in a sentence."""

    exit_code = 1


class UsageError(LocalError):
    """What was typed makes no sense, or the pipeline it is meant for is not running."""

    exit_code = 2


class PortTakenError(LocalError):
    """Another program listens on a port that the local pipeline needs."""


class StartError(LocalError):
    """A process of the local pipeline did not come up."""


class WaitError(LocalError):
    """Something that should have happened did not, in the time it was given."""
