"""The report as it is used: opened from the file system in a browser, walked through, read in every way there is.

Each check is a function from a page that is being read to what is wrong with it, and has a broken page that it catches.
"""

import dataclasses
import os
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

import lockstep
import reports
from lockstep.experiments import walks
from lockstep.experiments.detection import detections
from lockstep.numerics import formats
from lockstep.records.kinds.detection import DetectionRecord
from lockstep.records.kinds.walk import WalkRecord
from lockstep.records.record import Record
from lockstep.subjects.registry import find
from lockstep.text import LANGUAGES
from parity_tests.reports import screenshots
from parity_tests.reports.browser import Reader, found, lacking, launched, reading
from parity_tests.reports.made import experiment_record, walk_record

pytestmark = pytest.mark.slow

CASE = "the notebook's run"
KINDS = {
    "index": "index.html",
    "subject": "optim/adam.html",
    "cause": "optim/adam/eps-inside-sqrt.html",
    "chapter": "notebook.html",
    "machine": "machine.html",
}
COLOURS = ("light", "dark")
NARROW, PAPER = 400, 794  # pixels: a telephone, and a sheet of A4


@pytest.fixture(scope="module")
def browser():
    path = found()
    wrong, why = lacking(path, os.environ)
    if not path:
        pytest.fail(why) if wrong else pytest.skip(why)
    with launched(path) as browser:
        yield browser


@pytest.fixture(scope="module")
def walk() -> WalkRecord:
    return walks.walked(next(iter(walks.walks(find("optim.adam")).values())))


@pytest.fixture(scope="module")
def walked(walk) -> dict[str, WalkRecord]:
    """Walks by subject: Adam's own, which parts where this machine has it, and one made up, which parts at step 3."""
    return {"adam": walk, "sgd": walk_record(subject="optim.sgd")}


@pytest.fixture(scope="module")
def report(walked, tmp_path_factory) -> Path:
    """A small report of real records: Adam whole, but of its causes a few; the notebook's and SGD's are made up."""
    run = lockstep.run("optim.adam", case=CASE, steps=40).record
    ladder = lockstep.explain("optim.adam", case=CASE, steps=40).record
    causes = few(detections.detected({"subject": "optim.adam"}), ("eps-inside-sqrt", "step-shared"))
    folder = tmp_path_factory.mktemp("report")
    reports.render([*walked.values(), run, ladder, causes, experiment_record()], folder)
    return folder


def few(record: DetectionRecord, causes: tuple[str, ...]) -> DetectionRecord:
    """A detection of these causes alone."""
    kept = [number for number, row in enumerate(record.rows) if row.cause is None or row.cause.id in causes]
    arrays = {
        f"trajectory/{place}/{side}": record.arrays[f"trajectory/{number}/{side}"]
        for place, number in enumerate(kept)
        for side in ("ours", "theirs", "drift")
        if place
    }
    return dataclasses.replace(record, rows=tuple(record.rows[number] for number in kept), arrays=arrays)


def file(report: Path, kind: str, language: str) -> Path:
    return report / ("" if language == LANGUAGES[0] else language) / KINDS[kind]


# What is wrong with a page


def leaving(reader: Reader) -> list[str]:
    """What it asked for that is not of the report."""
    own = next(folder for folder in reader.file.parents if (folder / "figures").is_dir()).as_uri()
    return [url for url in reader.requests if not url.startswith((f"{own}/", "data:"))]


def complaints(reader: Reader) -> list[str]:
    return reader.complaints


def violations(reader: Reader) -> list[str]:
    """What axe finds."""
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in Axe().run(reader.page).response["violations"]
        for node in one["nodes"]
    ]


def sticking_out(reader: Reader) -> list[str]:
    """What is wider than the page, so that the page itself must be pushed sideways; a table may scroll by itself."""
    return reader.page.evaluate("""() => {
        const width = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= width) return [];
        const inside = (one) => one && (getComputedStyle(one).overflowX !== "visible" || inside(one.parentElement));
        return [...document.querySelectorAll("body *")]
            .filter((one) => one.getBoundingClientRect().right > width + 1 && !inside(one.parentElement))
            .map((one) => one.outerHTML.slice(0, 160)).concat(`${document.documentElement.scrollWidth} > ${width}`);
    }""")


LIT = """(mark) => {
    const lit = [...document.querySelectorAll(".lit")];
    const name = document.activeElement.dataset[mark];
    const alike = [...document.querySelectorAll(`[data-${mark}]`)].filter((one) => one.dataset[mark] === name);
    const others = alike.filter((one) => one !== document.activeElement).length;
    return {name, others, wrong: alike.some((one) => !lit.includes(one)) || lit.some((one) => !alike.includes(one))};
}"""


def unlit(reader: Reader) -> list[str]:
    """Symbols and lines whose counterparts do not light up with them when they are focused, or stay lit afterwards."""
    page, wrong = reader.page, []
    for mark, selector in (("symbol", ".legend [data-symbol]"), ("line", ".step:not([hidden]) [data-line]")):
        elements = page.locator(selector).all()
        if not elements:
            wrong.append(f"there is no {mark} to focus")
        for element in elements:
            element.focus()
            told = page.evaluate(LIT, mark)
            if told["wrong"] or not told["others"]:
                wrong.append(f"{mark} {told['name']}: {told}")
            element.blur()
    if page.locator(".lit").count():
        wrong.append("something stays lit")
    return wrong


SHOWN = """() => [...document.querySelectorAll(".walk .step")].filter((step) => step.checkVisibility()).map((step) => ({
    step: step.dataset.step,
    lines: [...step.querySelectorAll("tr[data-line]")].map((row) => [
        row.dataset.line, row.classList.contains("first"), ...["ours", "theirs"].map((side) => {
            const value = row.querySelector(`[data-side="${side}"]`);
            return value && [...value.querySelectorAll("code")].map((one) => one.textContent);
        })]),
}))"""


def expected(stages) -> list:
    """What must be read of a step: each line, and of both sides its number and its bits."""
    return [
        [
            line.line,
            line.line == stage.first,
            [line.ours, line.ours_bits],
            None if line.theirs is None else [line.theirs, line.theirs_bits],
        ]
        for stage in stages
        for line in stage.lines
        if not line.idle
    ]


def read(record: WalkRecord, lines: list) -> list:
    """The numbers that the digits on the page are in the record's dtype."""
    kind = np.dtype(record.dtype).type
    return [[*line[:2], *(one and [float(kind(one[0])), one[1]] for one in line[2:])] for line in lines]


def misread(reader: Reader, record: WalkRecord) -> list[str]:
    """The steps of the walk that do not show what the record says, as they are turned from the first to the last."""
    page, wrong = reader.page, []
    page.locator(".stepper input").press("Home")
    for number, stages in enumerate(record.walked, 1):
        shown = page.evaluate(SHOWN)
        if [one["step"] for one in shown] != [str(number)]:
            return [*wrong, f"step {number} is not the one that is shown: {[one['step'] for one in shown]}"]
        if read(record, shown[0]["lines"]) != expected(stages):
            wrong.append(f"step {number}: {shown[0]['lines']}")
        if number < len(record.walked):
            page.locator("[data-go=next]").click()
    return wrong


def lost_without_scripts(reader: Reader, record: WalkRecord) -> list[str]:
    """What is amiss where no script runs: the first differing step stands there in full, and nothing dead to press."""
    number = record.first_step
    shown = reader.page.evaluate(SHOWN)
    wrong = []
    if [one["step"] for one in shown] != [str(number)]:
        wrong.append(f"step {number} does not stand there: {[one['step'] for one in shown]}")
    elif read(record, shown[0]["lines"]) != expected(record.walked[number - 1]):
        wrong.append(f"step {number}: {shown[0]['lines']}")
    return wrong + ["the slider, which does nothing"] * reader.page.locator(".stepper").is_visible()


STOPS = """() => {
    const stops = "button:not(:disabled), input:not([type=radio]), input:checked, select, summary, [tabindex='0']";
    const all = [...document.querySelectorAll(`a[href], ${stops}`)];
    return all.filter((one) => one.checkVisibility() && one.tabIndex >= 0 || one.matches("button, a, input"))
        .filter((one) => one.checkVisibility()).map((one, place) => (one.dataset.stop = place, place));
}"""
FOCUSED = """() => {
    const one = document.activeElement, style = getComputedStyle(one);
    return [one.dataset.stop ?? null, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
        one.outerHTML.slice(0, 160)];
}"""


def out_of_reach(reader: Reader) -> list[str]:
    """What the Tab key does not come to, and what does not show that it has come there."""
    page = reader.page
    wanted = set(map(str, page.evaluate(STOPS)))
    reached, wrong = set(), []
    for _ in range(len(wanted) + 1):
        page.keyboard.press("Tab")
        stop, outlined, text = page.evaluate(FOCUSED)
        if stop is None:
            break
        reached.add(stop)
        if not outlined:
            wrong.append(f"focus does not show: {text}")
    return wrong + [
        "not reached: " + page.locator(f"[data-stop='{stop}']").evaluate("one => one.outerHTML.slice(0, 160)")
        for stop in sorted(wanted - reached, key=int)
    ]


def printed_badly(reader: Reader) -> list[str]:
    """What a sheet of paper shows that nobody can press, or that does not fit on it."""
    reader.page.emulate_media(media="print")
    useless = [name for name in ("nav", ".stepper", ".legend", ".skip") if reader.page.locator(name).first.is_visible()]
    return useless + sticking_out(reader)


# The way in


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("subject", ["adam", "sgd"])
def test_from_the_index_to_the_first_step_that_differs(browser, report, walked, subject, language):
    first = walked[subject].first_step
    with reading(browser, report / "index.html") as reader:
        page = reader.page
        if language != "en":
            page.locator(f"nav a[hreflang={language}]").click()
        assert page.locator("html").get_attribute("lang") == language
        page.locator(f"a[href$='optim/{subject}.html']").first.click()
        assert page.url == file(report, "subject", language).with_name(f"{subject}.html").as_uri()
        page.locator(".stepper input").press("Home")
        marked = page.locator(".step:not([hidden]) .first .mark")
        for _ in range(1, first):
            assert marked.count() == 0
            page.locator("[data-go=next]").click()
        assert page.locator(".step:not([hidden])").get_attribute("data-step") == str(first)
        assert marked.is_visible()
        page.locator("[data-go=next]").click()
        page.locator("[data-go=first]").click()
        assert page.locator(".step:not([hidden])").get_attribute("data-step") == str(first)
        assert complaints(reader) == []
        assert leaving(reader) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_languages_lead_to_each_other_and_back(browser, report, language):
    other = next(one for one in LANGUAGES if one != language)
    with reading(browser, file(report, "subject", language)) as reader:
        reader.page.locator(f"nav a[hreflang={other}]").click()
        assert reader.page.url == file(report, "subject", other).as_uri()
        reader.page.locator(f"nav a[hreflang={language}]").click()
        assert reader.page.url == file(report, "subject", language).as_uri()


# What is right with every page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_it_asks_for_nothing_and_complains_of_nothing(browser, report, kind, language):
    with reading(browser, file(report, kind, language)) as reader:
        reader.page.wait_for_load_state("networkidle")
        assert leaving(reader) == []
        assert complaints(reader) == []
        assert reader.requests


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing(browser, report, kind, language, colour):
    with reading(browser, file(report, kind, language), color_scheme=colour) as reader:
        reader.page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
        assert violations(reader) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_it_reads_on_a_telephone_and_on_paper(browser, report, kind, language):
    with reading(browser, file(report, kind, language), width=NARROW) as reader:
        assert sticking_out(reader) == []
    with reading(browser, file(report, kind, language), width=PAPER) as reader:
        assert printed_badly(reader) == []
        assert reader.page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("kind", KINDS)
def test_the_keyboard_comes_everywhere(browser, report, kind):
    with reading(browser, file(report, kind, "ko")) as reader:
        assert out_of_reach(reader) == []


# The page on Adam


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("subject", ["adam", "sgd"])
def test_every_step_shows_what_the_record_says(browser, report, walked, subject, language):
    with reading(browser, file(report, "subject", language).with_name(f"{subject}.html")) as reader:
        assert misread(reader, walked[subject]) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("subject", ["adam", "sgd"])
def test_without_scripts_the_first_step_that_differs_stands_there(browser, report, walked, subject, language):
    page = file(report, "subject", language).with_name(f"{subject}.html")
    with reading(browser, page, scripts=False) as reader:
        assert lost_without_scripts(reader, walked[subject]) == []


def test_what_is_focused_lights_up_with_its_counterparts(browser, report):
    with reading(browser, file(report, "subject", "ko")) as reader:
        assert unlit(reader) == []


def test_what_is_pressed_stays_lit_until_it_is_pressed_again(browser, report):
    with reading(browser, file(report, "subject", "en")) as reader:
        button = reader.page.locator(".legend button").first
        for pressed in (True, False):
            button.press("Enter")
            button.blur()
            assert button.get_attribute("aria-pressed") == str(pressed).lower()
            lit = reader.page.locator(".lit").count()
            alike = reader.page.locator(f"[data-symbol='{button.get_attribute('data-symbol')}']").count()
            assert lit == (alike if pressed else 0)


def test_pointing_lights_up_too(browser, report):
    with reading(browser, file(report, "subject", "en")) as reader:
        symbol = reader.page.locator(".step:not([hidden]) math [data-symbol]").first
        symbol.hover()
        name = symbol.get_attribute("data-symbol")
        assert reader.page.locator(".lit").count() == reader.page.locator(f"[data-symbol='{name}'], .lit").count() > 1
        reader.page.mouse.move(0, 0)
        assert reader.page.locator(".lit").count() == 0


def test_the_slider_obeys_the_arrow_keys(browser, report, walk):
    with reading(browser, file(report, "subject", "ko")) as reader:
        slider = reader.page.locator(".stepper input")
        slider.press("Home")
        slider.press("ArrowRight")
        step = reader.page.locator(".step:not([hidden])")
        assert step.get_attribute("data-step") == "2"
        assert slider.get_attribute("aria-valuetext") == step.locator("h3").inner_text()
        assert reader.page.locator(".stepper output").inner_text() == f"2 / {len(walk.walked)}"
        slider.press("End")
        assert reader.page.locator("[data-go=next]").is_disabled()


def test_the_content_is_a_key_away(browser, report):
    with reading(browser, file(report, "subject", "en")) as reader:
        reader.page.keyboard.press("Tab")
        skip = reader.page.locator(":focus")
        assert skip.get_attribute("href") == "#content"
        assert skip.bounding_box()["x"] >= 0
        reader.page.keyboard.press("Enter")
        assert reader.page.url.endswith("#content")


# Broken pages


def swapped(old: str, new: str):
    def broken(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return broken


def before(end: str, extra: str):
    return swapped(end, extra + end)


def without_script(text: str) -> str:
    start, end = text.index("<script>"), text.index("</script>")
    return text[:start] + text[end:].removeprefix("</script>")


def style(rule: str):
    return before("</style>", rule)


BROKEN = {
    "a picture from elsewhere": (before("</main>", '<img alt="" src="https://example.org/x.png">'), leaving),
    "a fetch": (before("</body>", "<script>fetch('https://example.org/').catch(() => 0)</script>"), leaving),
    "a script that fails": (before("</body>", "<script>undefined.x</script>"), complaints),
    "a picture that is missing": (before("</main>", '<img alt="" src="nowhere.png">'), complaints),
    "no language": (swapped('<html lang="en">', "<html>"), violations),
    "a label that is gone": (swapped("<label>", "<div>"), violations),
    "too little contrast": (swapped("--soft: #5a6068", "--soft: #b4b4b4"), violations),
    "something wide": (before("</main>", '<div style="width: 1300px">.</div>'), sticking_out),
    "a table that cannot scroll": (style(".scroll { overflow: visible }"), sticking_out),
    "no script": (without_script, unlit),
    "lit for good": (swapped('[false, ["mouseout", "focusout"]]', '[true, ["mouseout", "focusout"]]'), unlit),
    "no focus to see": (style("* { outline: none !important }"), out_of_reach),
    "a button out of reach": (swapped("<button ", '<button tabindex="-1" '), out_of_reach),
    "buttons on paper": (swapped("header nav, .stepper, .legend", ".legend"), printed_badly),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_page_is_caught(browser, report, name):
    breaking, check = BROKEN[name]
    whole = file(report, "subject", "en")
    page = whole.with_name("broken.html")
    page.write_text(breaking(whole.read_text("utf-8")), "utf-8")
    with reading(browser, page, width=NARROW if check is sticking_out else 1200) as reader:
        reader.page.wait_for_load_state("networkidle")
        assert check(reader)


def test_too_little_contrast_in_the_dark_is_caught_there_alone(browser, report):
    whole = file(report, "subject", "en")
    page = whole.with_name("broken.html")
    page.write_text(swapped("--soft: #a7aeb7", "--soft: #555555")(whole.read_text("utf-8")), "utf-8")
    for colour in COLOURS:
        with reading(browser, page, color_scheme=colour) as reader:
            assert bool(violations(reader)) == (colour == "dark")


@pytest.mark.parametrize(("side", "step"), [("ours", 0), ("theirs", -1)])
def test_a_value_that_is_not_the_records_is_caught(browser, report, walk, side, step):
    data = walk.to_json()
    line = next(line for line in reversed(data["walked"][step][0]["lines"]) if not line["idle"])
    other = np.nextafter(np.float32(line[side]), np.float32(np.inf))
    line |= {side: float(other), f"{side}_bits": formats.named("float32").bits(other)}
    other = Record.from_json(data, {})
    with reading(browser, file(report, "subject", "en")) as reader:
        assert len(misread(reader, other)) == 1


def test_what_is_lost_without_scripts_is_caught(browser, report, walk):
    whole = file(report, "subject", "en")
    page = whole.with_name("broken.html")
    first = f'<div class="step" data-step="{walk.first_step}"'
    page.write_text(swapped(first, f"{first} hidden")(whole.read_text("utf-8")), "utf-8")
    with reading(browser, page, scripts=False) as reader:
        assert lost_without_scripts(reader, walk)
    page.write_text(swapped('<div class="stepper" hidden>', '<div class="stepper">')(whole.read_text("utf-8")), "utf-8")
    with reading(browser, page, scripts=False) as reader:
        assert lost_without_scripts(reader, walk) == ["the slider, which does nothing"]


def test_screenshots_are_of_three_widths_in_both_colours(browser, report, tmp_path):
    made = screenshots.shoot(browser, file(report, "machine", "ko"), "ko-machine", tmp_path)
    images = {one.name: matplotlib.image.imread(one) for one in made}
    assert {name: image.shape[1] for name, image in images.items()} == {
        f"ko-machine-{width}-{colour}.png": width for width in screenshots.WIDTHS for colour in COLOURS
    }
    light, dark = (images[f"ko-machine-400-{colour}.png"][0, 0, :3].mean() for colour in COLOURS)
    assert light > 0.5 > dark


def test_without_a_browser_it_is_skipped_and_in_ci_it_fails():
    assert lacking("/usr/bin/chromium", {"CI": "true"}) == (False, "")
    wrong, why = lacking(None, {})
    assert not wrong
    assert "chromium" in why
    assert lacking(None, {"CI": "true"}) == (True, why)
