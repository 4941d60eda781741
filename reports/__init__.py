"""Pictures and pages, drawn from records alone; torch need not be installed."""

from reports.publish import NotAReport, render

__all__ = ["NotAReport", "render"]
