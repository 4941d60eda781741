"""A browser of the machine's own, and a page as somebody reads it in there."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nothing is looked up, updated or reported, whatever the browser would like to do besides showing the page.
QUIET = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions",
)  # fmt: skip
PATIENCE = 60_000  # ms, on a machine that is busy with other tests


def found() -> str | None:
    """The browser's path, or None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def lacking(path: str | None, environment: Mapping[str, str]) -> tuple[bool, str]:
    """Whether a missing browser is an error, and what is said of it; in CI the check must not silently vanish."""
    if path:
        return False, ""
    return bool(environment.get("CI")), f"the pages are not tried in a browser: none of {', '.join(NAMES)} is installed"


@contextlib.contextmanager
def launched(path: str) -> Iterator[Browser]:
    """The browser, headless, with a profile of its own that is gone afterwards."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(QUIET), chromium_sandbox=os.geteuid() != 0, timeout=PATIENCE
        )
        try:
            yield browser
        finally:
            browser.close()


class Reader:
    """A page that is being read: what it asked for, and what it complained of, from the moment it was opened.

    Arguments:
        page: empty. file: what is opened in it. at: where in there, behind #.
    """

    def __init__(self, page: Page, file: Path, at: str = ""):
        self.page, self.file = page, file
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("console", self.heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(file.as_uri() + at)

    def heard(self, message) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@contextlib.contextmanager
def reading(
    browser: Browser, file: Path, *, width: int = 1200, scripts: bool = True, at: str = "", **settings
) -> Iterator[Reader]:
    """A page of the report, with the network switched off."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=scripts, offline=True, **settings
    )
    try:
        yield Reader(context.new_page(), file, at)
    finally:
        context.close()
