"""A cause's page: the wrong formula beside the right one, who does it, its own way, how to translate."""

from typing import Any

from reports.contents import family
from reports.pages.detection import Detection
from reports.pages.walk import Walk
from reports.symbols import Symbols, symbols


def context(cause: str, detection: Detection, walk: Walk | None) -> dict[str, Any]:
    """All that the page shows; the same in every language."""
    subject = detection.record.subject
    known: Symbols = walk.symbols if walk else symbols(family(subject), {}, {})
    return {
        "subject": subject,
        "cause": cause,
        "detection": detection,
        "variants": detection.causes[cause],
        "symbols": known,
    }
