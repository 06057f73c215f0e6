"""A plugin of the ``aws`` command: with ``AWS_ENDPOINT_URL`` set, no command leaves the machine.

Version 1 of the command ignores the variable for SQS and Health and would call AWS itself. The file ``config`` beside
this one names the plugin; ``AWS_CONFIG_FILE`` points there wherever the local AWS is used.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


CONFIG = Path(__file__).with_name("config")
"""The configuration file of the ``aws`` command that loads this plugin."""


def awscli_initialize(event_handlers: Any) -> None:
    """Register the plugin (the name is the command's)."""
    event_handlers.register_first("before-building-argument-table-parser", _stay_local)


def _stay_local(parsed_globals: Any, **_: Any) -> None:
    if parsed_globals.endpoint_url is None:
        parsed_globals.endpoint_url = os.environ.get("AWS_ENDPOINT_URL")
