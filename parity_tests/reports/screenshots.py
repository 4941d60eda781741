"""`make screenshots`: every page of a report at three widths, light and dark, for whoever changes pages to look at."""

import sys
from pathlib import Path

from playwright.sync_api import Browser

from parity_tests.reports.browser import NAMES, found, launched, reading

WIDTHS = (400, 900, 1400)
COLOURS = ("light", "dark")


def shoot(browser: Browser, page: Path, name: str, folder: Path) -> list[Path]:
    """One page as whole pictures, `NAME-WIDTH-COLOUR.png`."""
    made = []
    for width in WIDTHS:
        for colour in COLOURS:
            picture = folder / f"{name}-{width}-{colour}.png"
            with reading(browser, page, width=width, color_scheme=colour) as reader:
                reader.page.screenshot(path=picture, full_page=True)
            made.append(picture)
    return made


def main(report: Path, folder: Path) -> int:
    path, pages = found(), sorted(report.rglob("*.html"))
    if not path or not pages:
        print(f"{report} has no page: make report" if path else f"none of {', '.join(NAMES)} is installed")
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    with launched(path) as browser:
        for page in pages:
            shoot(browser, page, "-".join(page.relative_to(report).with_suffix("").parts), folder)
            print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:3])))
