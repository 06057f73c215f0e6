"""``make bench``: measure, keep the figures in bench/results.json, and put their tables into the README.

Names of benches as arguments run only those (``python -m bench parsing``); the others keep their last figures.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from bench import figures


BENCHES = ("registration", "schema_change", "delivery", "replay", "quality", "retention", "parsing", "demo")

logger = logging.getLogger("bench")


def main(names: list[str]) -> int:
    """Run the named benches, or all; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logger.setLevel(logging.INFO)
    unknown = sorted(set(names) - set(BENCHES))
    if unknown:
        logger.error("Unknown: %s. There are: %s.", ", ".join(unknown), ", ".join(BENCHES))
        return 2
    results: dict[str, Any] = (
        json.loads(figures.RESULTS.read_text(encoding="utf-8")) if figures.RESULTS.exists() else {}
    )
    for name in names or BENCHES:
        logger.info("%s ...", name)
        results[name] = import_module(f"bench.{name}").measure()
        logger.info("%s", json.dumps(results[name], indent=2))
        results.setdefault("measured", {})[name] = {
            "on": datetime.now(UTC).date().isoformat(),
            "python": platform.python_version(),
            "cores": os.cpu_count(),
        }
    figures.RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    readme = Path(__file__).resolve().parents[1] / "README.md"
    readme.write_text(figures.placed_into(readme.read_text(encoding="utf-8"), results), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
