"""``python -m local.trino``: have the releases that this machine can run in the cache, before they are needed."""

from __future__ import annotations

import os
import sys

from local.console import Console, complain
from local.errors import LocalError
from local.trino.distribution import MissingToolError, is_cached, jdk, prepare
from local.trino.releases import CLOSEST, RELEASES, Release


def main() -> int:
    """Fetch what is missing. The release that all cases need must be there; the others come where a JDK is."""
    console = Console()
    for release in RELEASES:
        try:
            _have(release, console)
        except MissingToolError as error:
            if release is CLOSEST:
                complain(str(error))
                return 2
            console.say(f"Trino {release.version} is left out. {error}")
        except LocalError as error:
            complain(str(error))
            return error.exit_code
    return 0


def _have(release: Release, console: Console) -> None:
    if is_cached(release):
        jdk(release, os.environ)
        return
    with console.step(f"fetch Trino {release.version} from Maven Central (some minutes, once)"):
        prepare(release)


if __name__ == "__main__":
    sys.exit(main())
