"""A check as JUnit's XML: a test case a scenario."""

from xml.etree import ElementTree

from lockstep.checking.answer import Check, details, headline
from lockstep.numerics.verdict import Verdict
from lockstep.text import ENGLISH


def junit(check: Check) -> str:
    """The document; a difference is a failure, what could not be checked an error, what was not tried skipped."""
    suite = ElementTree.Element("testsuite", name=f"lockstep {check.target} like {check.subject}")
    counts = {"failures": 0, "errors": 0, "skipped": 0}
    for outcome in check.outcomes:
        case = add(suite, check, outcome.recording.label)
        if outcome.verdict in (Verdict.DIFFERENT, Verdict.ILL_CONDITIONED):
            counts["failures"] += 1
            lines = details(outcome.finding) if outcome.finding else []
            node = ElementTree.SubElement(case, "failure", message=str(outcome.verdict), type=str(outcome.verdict))
            node.text = clean("\n".join([*lines, *check.explained()]))
    for remark in check.remarks:
        counts["failures"] += 1
        node = add(suite, check, remark.id)
        ElementTree.SubElement(node, "failure", message=clean(ENGLISH.say(remark.what)), type="different")
    for entry in check.not_triggered:
        counts["skipped"] += 1
        node = add(suite, check, entry.get("scenario", ""))
        ElementTree.SubElement(node, "skipped", message=clean(str(entry.get("reason", ""))))
    if check.broken:
        counts["errors"] += 1
        node = add(suite, check, check.broken.id)
        ElementTree.SubElement(node, "error", message=clean(headline(check)), type="broken").text = clean(
            str(check.broken.message)
        )
    suite.attrib.update({"tests": str(len(suite))} | {name: str(count) for name, count in counts.items()})
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def add(suite: ElementTree.Element, check: Check, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=f"{check.subject}.{check.target}", name=clean(name))


def clean(text: str) -> str:
    """Without the control characters that XML has no word for."""
    return "".join(sign for sign in text if sign in "\n\t" or ord(sign) >= 32)
