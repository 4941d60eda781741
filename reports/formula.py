"""Formulas: LaTeX to MathML, with the pieces of it that are symbols marked."""

import functools
import re
from collections.abc import Mapping
from xml.etree import ElementTree

from latex2mathml.converter import convert
from markupsafe import Markup

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 has no place for
DERIVATIVE = "∂"
POWERS = ("2", "3", "t")

Shape = tuple[str, ...]  # of elements that stand beside each other


def mathml(latex: str, known: Mapping[Shape, str]) -> Markup:
    """A formula as MathML.

    Arguments:
        latex: the formula; what is none stands there as text.
        known: shapes to the symbols they are.
    """
    root = ElementTree.fromstring(parsed(latex))
    marked(root, known)
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{NAMESPACE}}}")
    root.set("xmlns", NAMESPACE)
    return Markup(ElementTree.tostring(root, "unicode"))


@functools.cache
def parsed(latex: str) -> str:
    """MathML of a formula; a formula that is none stands there as text."""
    try:
        made = re.sub(r"<math [^>]*>", f'<math xmlns="{NAMESPACE}">', convert(latex), count=1)
        ElementTree.fromstring(made)[0]
        return made
    except Exception:  # a record from someone else may hold anything
        root = ElementTree.Element(f"{{{NAMESPACE}}}math")
        ElementTree.SubElement(root, f"{{{NAMESPACE}}}mtext").text = ILLEGAL.sub("\ufffd", latex)
        return ElementTree.tostring(root, "unicode", default_namespace=NAMESPACE)


def marked(element: ElementTree.Element, known: Mapping[Shape, str]) -> None:
    """Give every run of elements that is a symbol its name, the longest first."""
    place = 0
    while place < len(element):
        length, name = symbol_at(list(element)[place:], known)
        if name:
            run = element[place : place + length]
            whole = run[0] if length == 1 else ElementTree.Element(f"{{{NAMESPACE}}}mrow")
            if length > 1:
                whole.extend(run)
                element[place : place + length] = [whole]
            whole.set("class", "symbol")
            whole.set("data-symbol", name)
        elif element[place].text == DERIVATIVE and len(element[place]) == 0:
            place += 1  # what it is of is not the symbol by itself
        else:
            marked(element[place], known)
        place += 1


def symbol_at(elements: list[ElementTree.Element], known: Mapping[Shape, str]) -> tuple[int, str | None]:
    """How many elements from the first on are a symbol, and which one; 1 and nothing where none is.

    A power is its base: β₂ᵗ is β₂, dₜ² is dₜ.
    """
    longest = max(map(len, known), default=0)
    for length in range(min(longest, len(elements)), 0, -1):
        symbol = known.get(tuple(map(shape, elements[:length])))
        if symbol:
            return length, symbol
    first = elements[0]
    if first.tag.endswith("}msubsup") and "".join(first[2].itertext()).strip() in POWERS:
        lower = ElementTree.Element(f"{{{NAMESPACE}}}msub")
        lower.extend([first[0], first[1]])
        return 1, known.get((shape(lower),))
    return 1, None


def shape_of(latex: str) -> Shape:
    """The shape of a formula by itself: of its elements in turn."""
    whole = ElementTree.fromstring(parsed(latex))[0]
    return tuple(map(shape, whole))


def shape(element: ElementTree.Element) -> str:
    """What makes two pieces of MathML the same: their tags and their text."""
    children = list(element)
    name = element.tag.rpartition("}")[2]
    if name == "mrow" and len(children) == 1:
        return shape(children[0])
    return f"({name} {(element.text or '').strip()}{''.join(map(shape, children))})"
