"""``python -m local.browser``: make sure that the browser tests have a browser.

Debian's chromium where there is one, Playwright's own download elsewhere. As root it is installed; everybody else is
told the one command to type, because the tests must not pass by being skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from local.console import complain


FLAGS = (
    "--no-sandbox",  # containers and root have none
    "--disable-gpu",
    # Nothing phones home.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str | None:
    """Path of a Chromium that runs, None when there is none."""
    installed = next((path for path in map(shutil.which, _NAMES) if path and _runs(path)), None)
    return installed or _playwrights_own()


def main() -> int:
    """Install a browser if there is none; the exit code."""
    if find_browser():
        return 0
    if os.geteuid() == 0:
        for command in _installations():
            sys.stdout.write(f"Installing Chromium for the browser tests: {' '.join(command)}\n")
            sys.stdout.flush()
            if subprocess.run(command, check=False).returncode == 0 and find_browser():
                return 0
    wanted = "sudo apt-get install chromium" if shutil.which("apt-get") else ".venv/bin/playwright install chromium"
    complain(f"The browser tests need a Chromium, and none was found. Type: {wanted}")
    return 1


def _installations() -> list[list[str]]:
    own = [[sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]]
    if shutil.which("apt-get") is None:
        return own
    update = ["sh", "-c", "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y chromium"]
    return [update, *own]


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() and _runs(path) else None


def _runs(path: str) -> bool:
    # Ubuntu's chromium is a stub that only asks for a snap.
    return subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
