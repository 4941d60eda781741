"""A figure as SVG, small and the same every time; and as it stands inside a page, in the page's own colours."""

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from reports.style import COLOURS, settled, styled

SVG, LINKS = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
FONT = "'DejaVu Sans', Verdana, sans-serif"
DECIMAL = re.compile(r"-?\d*\.\d+(?:e-?\d+)?")
HEX = re.compile(r"#[0-9a-f]{6}\b")
LINK, REFERENCE = re.compile(r"^#(.+)$"), re.compile(r"url\(#([^)]+)\)")
PART = re.compile(r"([a-zA-Z])([^a-zA-Z]*)")
PLACES = {"d": 1, "points": 1, "x": 1, "y": 1, "width": 1, "height": 1, "transform": 2}  # decimals, in points
VARIABLES = {shade: name for name, shade in COLOURS.items()}

ET.register_namespace("", SVG)
ET.register_namespace("xlink", LINKS)


def svg(drawing: Figure | str) -> bytes:
    """A figure, or what is SVG already, as a file of its own: fixed colours on white, text as text."""
    return drawing.encode("utf-8") if isinstance(drawing, str) else printed(drawing)


@styled
def printed(figure: Figure) -> bytes:
    settled(figure)
    buffer = io.BytesIO()
    FigureCanvasSVG(figure).print_svg(buffer)  # savefig would draw it twice
    root = ET.fromstring(buffer.getvalue())
    for part in list(root):
        style = part.find(f"{{{SVG}}}style")  # of all elements, of a page's as well where the picture stands in one
        if style is not None:
            part.remove(style)
        if part.tag == f"{{{SVG}}}metadata" or (style is not None and not len(part)):
            root.remove(part)
    for element in root.iter():
        shrink(element)
    for group in root.iter(f"{{{SVG}}}g"):
        hoist(group)
    root.set("style", f"stroke-linejoin: round; stroke-linecap: butt; font-family: {FONT}")
    rename(root, "")
    return ET.tostring(root, "utf-8", xml_declaration=True)


def inline(drawn: bytes, stem: str) -> str:
    """The SVG for inside a page: its ids begin with `stem`, its colours are variables, its font is the page's."""
    root = ET.fromstring(drawn)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.set("style", "stroke-linejoin: round; stroke-linecap: butt")
    rename(root, f"{stem}-")
    for element in root.iter():
        if "style" in element.attrib:
            element.set("style", HEX.sub(variable, element.attrib["style"]))
        if f"{{{LINKS}}}href" in element.attrib:
            element.set("href", element.attrib.pop(f"{{{LINKS}}}href"))
    return ET.tostring(root, "unicode")


def variable(shade: re.Match[str]) -> str:
    name = VARIABLES.get(shade.group())
    return f"var(--{name})" if name else shade.group()


def shrink(element: ET.Element) -> None:
    """Coordinates to a tenth of a point, no white space between elements, one font for all."""
    for name, places in PLACES.items():
        if name in element.attrib:
            element.set(name, rounded(element.attrib[name], places))
    if "d" in element.attrib:
        element.set("d", relative(element.attrib["d"]))
    if element.get("transform", "").startswith("rotate(0 "):
        del element.attrib["transform"]
    if "fill" in element.attrib:  # of what a hatch lies on
        element.set("style", f"fill: {element.attrib.pop('fill')}")
    if "style" in element.attrib:
        size = re.sub(r"font: (bold )?([\d.]+px) [^;]*", bold_or_not, element.attrib["style"])
        element.set("style", re.sub(r"font-family: [^;]*;?|(?<=[;:])\s+", "", size).strip("; "))
    if element.tag != f"{{{SVG}}}text" and not (element.text or "").strip():
        element.text = None
    element.tail = None


def bold_or_not(font: re.Match[str]) -> str:
    return f"font-size: {font.group(2)}" + ("; font-weight: bold" if font.group(1) else "")


def rounded(text: str, places: int) -> str:
    return " ".join(
        DECIMAL.sub(lambda number: written(float(number.group()), places), text).replace("(-0 ", "(0 ").split()
    )


def written(number: float, places: int = 1) -> str:
    """In so many decimals at most, without a zero that says nothing."""
    return f"{round(number, places) + 0.0:.{places}f}".rstrip("0").rstrip(".")


def relative(path: str) -> str:
    """The path with lines as steps from point to point, of two fifths of the length; one with curves as it is."""
    parts = PART.findall(path)
    if any(command not in "MLz" for command, _ in parts):
        return path
    made, x, y = [], 0.0, 0.0
    for command, numbers in parts:
        if command == "z":
            made.append("z")
            continue
        there_x, there_y = map(float, numbers.split())
        across, down = there_x - x, there_y - y
        if command == "M":
            made.append(f"M{written(there_x)} {written(there_y)}")
        elif not round(down, 1):
            made.append(f"h{written(across)}")
        elif not round(across, 1):
            made.append(f"v{written(down)}")
        else:
            made.append(f"l{written(across)} {written(down)}")
        x, y = there_x, there_y
    return "".join(made).replace(" -", "-")


def hoist(group: ET.Element) -> None:
    """A style that all marks of a group share is the group's."""
    marks = list(group)
    styles = {mark.get("style") for mark in marks}
    if len(marks) > 1 and len(styles) == 1 and None not in styles and all(m.tag == f"{{{SVG}}}use" for m in marks):
        for mark in marks:
            del mark.attrib["style"]
        group.set("style", "; ".join(filter(None, [group.get("style"), *styles])))


def rename(root: ET.Element, prefix: str) -> None:
    """Short ids, each beginning with `prefix`, for what is referred to; none for the rest."""
    used = list(references(root))
    targets = dict.fromkeys(target for _, _, target in used)
    names = {old: f"{prefix}{place}" if prefix else f"i{place}" for place, old in enumerate(targets)}
    for element, attribute, target in used:
        element.set(attribute, element.attrib[attribute].replace(f"#{target}", f"#{names[target]}"))
    for element in root.iter():
        old = element.attrib.pop("id", None)
        if old in names:
            element.set("id", names[old])


def references(root: ET.Element) -> Iterator[tuple[ET.Element, str, str]]:
    """Every attribute that refers to an id: the element, the attribute's name, the id."""
    for element in root.iter():
        for name, value in element.attrib.items():
            if "#" not in value:  # most have none, and looking for one is quicker than matching
                continue
            link = LINK.search(value) if name.endswith("href") else REFERENCE.search(value)
            if link:
                yield element, name, link.group(1)
