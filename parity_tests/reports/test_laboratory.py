"""The laboratories as a reader uses them: a line changed and changed back, typed right, wrong and in malice, a bit
turned, a link followed, a riddle solved; and what each shows held against what Lockstep itself finds.
"""

import os
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest

from lockstep.experiments import laboratories, walks
from lockstep.experiments.detection import detections
from lockstep.records.kinds.detection import DetectionRecord
from lockstep.records.kinds.laboratory import LaboratoryRecord
from lockstep.records.loading import load
from lockstep.subjects.registry import find
from lockstep.text import LANGUAGES
from parity_tests.reports.browser import Reader, found, lacking, launched, reading
from parity_tests.reports.page import Undrawn
from parity_tests.reports.test_browser import (
    complaints,
    leaving,
    out_of_reach,
    printed_badly,
    sticking_out,
    violations,
)
from reference.layers import batchnorm
from reports import address
from reports.pages.laboratory import Laboratory
from reports.site import site

pytestmark = pytest.mark.slow

SUBJECT = "optim.adam"
COLOURS = {"en": "light", "ko": "dark"}
OTHERS = ("optim.adafactor", "optim.sparse_adam", "penalty.l1", "penalty.l2")  # whose numbers are not each for itself
DEAREST = "optim.adafactor"  # whose redraws take longest
STEPS, MOST = 500, 50.0  # of which a redraw takes at most so many milliseconds


@pytest.fixture(scope="module")
def browser():
    path = found()
    wrong, why = lacking(path, os.environ)
    if not path:
        pytest.fail(why) if wrong else pytest.skip(why)
    with launched(path) as browser:
        yield browser


@pytest.fixture(scope="module")
def detection() -> DetectionRecord:
    return detections.detected({"subject": SUBJECT})


@pytest.fixture(scope="module")
def record() -> LaboratoryRecord:
    return laboratories.equipped({"subject": SUBJECT})


@pytest.fixture(scope="module")
def report(detection, record, tmp_path_factory) -> Path:
    """The pages of Adam's laboratory, without pictures."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "figures").mkdir()
    walked = [next(iter(walks.walks(find(path)).values())) for path in ("layers.batchnorm", "layers.dropout")]
    others = [laboratories.equipped({"subject": path}) for path in OTHERS]
    for name, text in site([detection, record, *others, *map(walks.walked, walked)], Undrawn()).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def page(report: Path, name: str = "optim/adam.html", language: str = "en") -> Path:
    return report / ("" if language == LANGUAGES[0] else language) / name


EVERY = """(root, dtypes) => dtypes.flatMap((dtype) => {
    const select = root.querySelector("[name=case]"), part = (name) => root.querySelector(`[data-part=${name}]`);
    const radio = root.querySelector(`[name=dtype][value=${dtype}]`);
    return [...select.options].map(({value}) => {
        radio.checked = true;
        select.value = value;
        select.dispatchEvent(new Event("change", {bubbles: true}));
        return [value, dtype, part("verdict").dataset.verdict, part("source").textContent];
    });
})"""


class Bench:
    """A laboratory that somebody sits at."""

    def __init__(self, reader: Reader):
        self.page = reader.page
        self.root = self.page.locator("section.lab:visible").first
        self.root.wait_for()

    @property
    def verdict(self) -> str:
        return self.root.locator("[data-part=verdict]").get_attribute("data-verdict") or ""

    @property
    def sentence(self) -> str:
        return self.root.locator("[data-part=verdict]").inner_text()

    def row(self, key: str):
        return self.root.locator(f'[data-row="{key}"]')

    def take(self, key: str, choice: str) -> None:
        self.row(key).locator("select").select_option(choice)

    def type(self, key: str, text: str) -> str:
        """What stands under a row in which that is typed."""
        self.take(key, "=")
        self.row(key).locator("input").fill(text)
        return self.row(key).locator(".fault").inner_text()

    def setting(self, name: str, dtype: str = "float32") -> None:
        self.root.locator(f"[name=dtype][value={dtype}]").check()
        self.root.locator("[name=case]").select_option(name)

    def every_setting(self, *dtypes: str) -> list[list[str]]:
        """One setting after another: its name, its format, its verdict, and whose bits PyTorch's are."""
        return self.root.evaluate(EVERY, dtypes)

    def numbers(self) -> list[str]:
        """Every number of every line of the step that is shown."""
        return self.root.locator(".numbers button").all_inner_texts()


# What the page says is what Lockstep says


def test_the_right_formula_is_apart_by_rounding_in_every_setting(browser, report, record):
    with reading(browser, page(report)) as reader:
        tried = Bench(reader).every_setting("float32", "float64")
        assert [verdict for *_, verdict, _ in tried if verdict not in ("rounding", "identical")] == []
        assert all("recorded" in source for *_, source in tried)
        assert {(name, dtype) for name, dtype, *_ in tried} == {(one.name, one.dtype) for one in record.settings}
        assert reader.complaints == []


def test_what_is_no_elementwise_optimizer_is_tried_as_well(browser, report):
    """Means along axes, gradients with entries for some numbers alone, and penalties, in every setting."""
    verdicts = set()
    for subject in OTHERS:
        with reading(browser, page(report, address.of_subject(subject))) as reader:
            bench = Bench(reader)
            for name, dtype, verdict, source in bench.every_setting("float32", "float64"):
                assert verdict in ("rounding", "identical"), (subject, name, dtype)
                assert "recorded" in source
                verdicts.add(verdict)
            assert ("–" in bench.numbers()) == (subject == "optim.sparse_adam")  # where there is no entry
            assert reader.complaints == []
    assert verdicts == {"rounding", "identical"}


def shown(bench: Bench, cause: str, rows: list[str], scenarios: list[str]) -> set[str]:
    """The scenarios in which a cause is more than rounding on the page."""
    bench.take(rows[0], cause)
    found = set()
    for name in scenarios:
        bench.setting(name)
        found |= {name} if bench.verdict == "different" else set()
    bench.take(rows[0], "")
    return found


def test_each_line_to_each_cause_and_back(browser, report, record, detection):
    """Each shows in the scenario that is there for it, as in the table of causes; and what goes back is right again."""
    lab = Laboratory(record, detection)
    with reading(browser, page(report)) as reader:
        bench = Bench(reader)
        bench.setting("normal gradients")
        right = bench.numbers()
        for known in lab.causes:
            there = shown(bench, known.name, list(known.lines), [known.entry.shows])
            assert there == {known.entry.shows} & {*lab.shows(known.name)}, known.name
        bench.setting("normal gradients")
        assert bench.numbers() == right
        assert reader.complaints == []


def test_what_is_wrong_in_float64_alone_is_seen_there(browser, report, record, detection):
    lab = Laboratory(record, detection)
    known = next(one for one in lab.causes if one.entry.dtypes == ("float64",))
    with reading(browser, page(report)) as reader:
        bench = Bench(reader)
        bench.take(next(iter(known.lines)), known.name)
        for dtype, verdict in (("float32", "rounding"), ("float64", "different")):
            bench.setting(known.entry.shows, dtype)
            assert bench.verdict == verdict


def test_a_setting_that_nobody_recorded_says_so(browser, report):
    with reading(browser, page(report)) as reader:
        bench = Bench(reader)
        rate = bench.root.locator('[name="set:lr"]')
        rate.fill("0.02")
        rate.press("Enter")
        assert bench.verdict == "rounding"
        assert "stands in" in bench.root.locator("[data-part=source]").inner_text()
        bench.root.locator("[data-go=pytorch]").click()
        bench.root.locator("[data-go=command]").click()
        command = bench.root.locator("[data-part=copied]").inner_text()
        assert command.startswith(
            f"lockstep run {SUBJECT} --problem rosenbrock --set lr=0.02 --dtype float32 --steps 300"
        )


# Typed lines

RIGHT = "np.sqrt(v_hat) + eps"
WRONG = {
    "np.sqrt(v_hat + eps": "middle",
    "np.sqrt(v_hat] + eps": "expected",
    "v_hat +": "middle",
    "cosh(v_hat)": "no function",
    "v_het + eps": "unknown",
    "param_later": "unknown",
    "np.sqrt(v_hat, eps)": "takes 1",
    "": "Nothing",
    "1" * 500: "longer",
    "(" * 60 + "eps" + ")" * 60: "nested",
}
MALICE = [
    "alert(1)", "window.open('x')", "v_hat.constructor.constructor('self.harmed = 1')()", "self.harmed = 1",
    "(() => { self.harmed = 1 })()", "`${self.harmed = 1}`", "eval('self.harmed = 1')", "__proto__", "constructor",
    "</script><script>self.harmed = 1</script>", "eps; self.harmed = 1", "import('x')",
]  # fmt: skip


def test_a_right_line_is_the_papers(browser, report):
    with reading(browser, page(report)) as reader:
        bench = Bench(reader)
        before = bench.sentence
        assert bench.type("line:denom", RIGHT) == ""
        assert bench.sentence == before
        assert bench.type("line:denom", "sqrt(v_hat + eps)") == ""
        bench.setting("gradients near eps")
        assert bench.verdict == "different"


def test_what_no_browser_rounds_alike_is_said_where_it_is_typed(browser, report):
    with reading(browser, page(report)) as reader:
        bench = Bench(reader)
        assert bench.type("line:denom", "exp(0.5 * log(v_hat)) + eps") == ""
        note = bench.row("line:denom").locator(".note")
        assert "np.exp, np.log" in note.inner_text()
        assert "1 016" in note.inner_text()
        assert bench.verdict == "rounding"
        bench.type("line:denom", RIGHT)
        assert note.inner_text() == ""


def test_a_wrong_line_is_told_under_it(browser, report):
    with reading(browser, page(report)) as reader:
        bench = Bench(reader)
        for text, told in WRONG.items():
            assert told in bench.type("line:denom", text)
            assert bench.row("line:denom").locator("input").get_attribute("aria-invalid") == "true"
            assert bench.verdict == "stopped"
        assert bench.type("line:denom", RIGHT) == ""
        assert bench.verdict == "rounding"


def harmed(reader: Reader) -> bool:
    return reader.page.evaluate("self.harmed !== undefined") or len(reader.page.context.pages) != 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_malicious_line_is_a_wrong_one(browser, report, language):
    with reading(browser, page(report, language=language)) as reader:
        bench = Bench(reader)
        for text in MALICE:
            assert bench.type("line:denom", text) != "", text
            assert not harmed(reader), text
        assert reader.complaints == []


def test_malice_in_an_address_comes_to_nothing(browser, report):
    for text in (
        "line:denom==self.harmed=1",
        "line:denom==$%26",
        "set:lr=NaN",
        "line:denom=<img src=x onerror=harmed=1>",
        "steps=1e9",
        "flip=1 denom 0 99",
    ):
        with reading(browser, page(report), at="#case=the+notebook%27s+run&dtype=float32&" + text) as reader:
            assert Bench(reader).verdict in ("rounding", "stopped")
            assert not harmed(reader)
            assert reader.complaints == []


# Bits, links, time


def test_a_bit_is_turned_and_turned_back(browser, report):
    with reading(browser, page(report)) as reader:
        bench = Bench(reader)
        before = bench.sentence
        slider = bench.root.locator("[data-part=now]")
        slider.press("Home")
        for _ in range(9):
            slider.press("ArrowRight")
        bench.row("line:m").locator(".numbers button").first.press("Enter")
        bits = bench.row("line:m").locator("[data-part=bits] [data-bit]")  # under the number that was pressed
        assert bits.count() == 32
        value = bench.row("line:m").locator(".numbers button").first.inner_text()
        bits.nth(0).press("Enter")
        assert bench.row("line:m").locator(".numbers button").first.inner_text() == f"-{value}"
        assert bench.verdict == "different"
        assert re.search(r"step 9, line m\b", bench.sentence)
        assert "flip=9+m+0+0" in reader.page.url
        bench.root.locator('[data-bit="0"]').press("Enter")
        assert bench.sentence == before


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_link_shows_the_same(browser, report, language):
    with reading(browser, page(report, language=language)) as reader:
        bench = Bench(reader)
        bench.setting("gradients near eps", "float64")
        bench.take("line:denom", "eps-inside-sqrt")
        bench.type("line:v", "beta2 * exp_avg_sq + (1 - beta2) * d * d")
        steps = bench.root.locator("[name=steps]")
        steps.fill("20")
        steps.press("Enter")
        said, numbers, there = bench.sentence, bench.numbers(), "#" + reader.page.url.partition("#")[2]
    assert parse_qs(there[1:])["line:denom"] == ["eps-inside-sqrt"]
    with reading(browser, page(report, language=language), at=there) as reader:
        bench = Bench(reader)
        assert (bench.sentence, bench.numbers()) == (said, numbers)
    other = next(one for one in LANGUAGES if one != language)
    with reading(browser, page(report, language=other), at=there) as reader:
        assert Bench(reader).numbers() == numbers


REDRAWN = """([root, times]) => {
    const select = root.querySelector("[data-row] select:has(option:nth-of-type(3))");
    const [paper, other] = [...select.options].map(({value}) => value).filter((value) => value !== "pytorch");
    for (let k = 0; k < times; k += 1) {
        select.value = k % 2 ? paper : other;
        select.dispatchEvent(new Event("change", {bubbles: true}));
        root.querySelector("[data-part=drift]").getBoundingClientRect();
    }
}"""
REDRAWS = 10
SLOWER = "for (let k = 0; k < 20; k += 1) this.inside(step);"  # as many steps more in each that differs


def redrawn(browser, page: Path, dtype: str) -> float:
    """How long a change of a line keeps the processor, in milliseconds: a machine that has other work takes longer."""
    with reading(browser, page) as reader:
        bench = Bench(reader)
        bench.root.locator(f"[name=dtype][value={dtype}]").check()
        steps = bench.root.locator("[name=steps]")
        steps.fill(str(STEPS))
        steps.press("Enter")
        assert bench.root.locator("[data-part=at]").inner_text() == f"{STEPS} / {STEPS}"
        root = bench.root.element_handle()
        reader.page.evaluate(REDRAWN, [root, 4])  # until what runs often is compiled
        session = reader.page.context.new_cdp_session(reader.page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = busy(session)
        reader.page.evaluate(REDRAWN, [root, REDRAWS])
        return (busy(session) - before) * 1000 / REDRAWS


def busy(session) -> float:
    """Seconds that the page's thread has worked."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


@pytest.mark.parametrize(("subject", "dtype"), [(SUBJECT, "float32"), (DEAREST, "float64")])
def test_a_redraw_of_five_hundred_steps_is_quick(browser, report, subject, dtype):
    took = redrawn(browser, page(report, address.of_subject(subject)), dtype)
    assert 0 < took < MOST


def test_a_slow_redraw_is_caught(browser, report):
    begun = "  judge(found, names, made, step) {"
    text = page(report).read_text("utf-8")
    assert begun in text
    slow = page(report).with_name("slow.html")
    slow.write_text(text.replace(begun, f"{begun} {SLOWER}", 1), "utf-8")
    assert redrawn(browser, slow, "float32") >= MOST


# The line that does it at home


def unsaid(case) -> list[str]:
    """What of a case no call of `run` says."""
    return [name for name in ("lr_at", "none_at") if case.get(name)]


def test_the_line_for_home_runs_what_the_page_shows(browser, report, record, call, tmp_path):
    """Where `run` can say it; where it cannot, somebody's own is checked, which meets such steps as well."""
    said = {"run": 0, "check": 0}
    kinds = {(one.case["problem"], *unsaid(one.case), one.dtype): one for one in record.settings}
    settings = [one for (problem, *_), one in kinds.items() if problem in ("rosenbrock", "normal")]
    with reading(browser, page(report)) as reader:
        bench = Bench(reader)
        for setting in settings:
            bench.setting(setting.name, setting.dtype)
            bench.root.locator("[data-go=command]").click()
            program, command, *words = shlex.split(bench.root.locator("[data-part=copied]").inner_text())
            assert program == "lockstep"
            said[command] += 1
            if command == "check":
                assert unsaid(setting.case)
                continue
            assert not unsaid(setting.case)
            file = tmp_path / "run.json"
            assert call(command, *words, "--json", str(file))[0] == 0
            made: Any = load(file)
            assert (made.dtype, made.steps) == (setting.dtype, setting.steps)
            for name in ("problem", "hyperparameters"):
                assert made.case[name] == setting.case[name], setting.name
    assert all(said.values())


# By keyboard alone, and what else every page has to be


def test_by_keyboard_alone(browser, report):
    with reading(browser, page(report, language="ko")) as reader:
        bench = Bench(reader)
        keys = reader.page.keyboard
        bench.root.locator("[name=case]").focus()
        keys.type("eps")
        for _ in range(80):
            if reader.page.evaluate("document.activeElement.closest('[data-row]')?.dataset.row") == "line:denom":
                break
            keys.press("Tab")
        choice = bench.row("line:denom").locator("select")
        for _ in range(20):
            if choice.input_value() != "eps-inside-sqrt":
                keys.press("ArrowDown")
        assert choice.input_value() == "eps-inside-sqrt"
        assert bench.verdict == "different"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["optim/adam.html", "laboratory.html", "index.html"])
def test_axe_finds_nothing_and_nothing_sticks_out(browser, report, name, language):
    with reading(browser, page(report, name, language), color_scheme=COLOURS[language]) as reader:
        if name == "optim/adam.html":
            bench = Bench(reader)
            bench.type("line:denom", "v_hat +")
            bench.row("line:m").locator(".numbers button").first.click()
        assert violations(reader) == []
    with reading(browser, page(report, name, language), width=400) as reader:
        assert sticking_out(reader) == []
        assert leaving(reader) == []
        assert complaints(reader) == []


def test_paper_shows_the_last_state_and_the_keyboard_comes_everywhere(browser, report):
    with reading(browser, page(report)) as reader:
        assert out_of_reach(reader) == []
        Bench(reader).take("line:denom", "eps-inside-sqrt")
        assert printed_badly(reader) == []
        assert Bench(reader).row("line:denom").locator("code:visible").inner_text() == "denom = np.sqrt(v_hat + eps)"
        assert reader.page.locator(".lab-turn:visible, .lab-buttons:visible").count() == 0


@pytest.mark.parametrize("name", ["optim/adam.html", "laboratory.html", "index.html"])
def test_a_page_is_small_and_without_scripts_shows_no_dead_control(browser, report, name):
    assert page(report, name).stat().st_size < 1_500_000
    with reading(browser, page(report, name), scripts=False) as reader:
        assert reader.page.locator("[data-lab]:visible, [data-riddles]:visible").count() == 0
        assert reader.page.locator(".still svg").count() == (name == "index.html")  # what the first page leads with


# The first page, and the riddles


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_shows_rounding_and_at_a_handle_a_bug(browser, report, language):
    with reading(browser, page(report, "index.html", language)) as reader:
        handle = reader.page.get_by_role("switch")
        verdict = reader.page.locator("[data-part=verdict]")
        assert verdict.get_attribute("data-verdict") == "rounding"
        handle.press("Enter")
        assert handle.get_attribute("aria-checked") == "true"
        assert verdict.get_attribute("data-verdict") == "different"
        handle.press(" ")
        assert verdict.get_attribute("data-verdict") == "rounding"
        reader.page.locator(".opening a").click()
        assert "optim/adam.html#case=" in reader.page.url
        bench = Bench(reader)
        assert bench.verdict == "rounding"
        assert (
            reader.page.evaluate("document.querySelector('#lab').getBoundingClientRect().top") < 100
        )  # it is seen at once


def test_a_mistake_that_does_not_show_says_where_it_does(browser, report):
    with reading(browser, page(report)) as reader:
        bench = Bench(reader)
        bench.take("line:denom", "eps-inside-sqrt")
        note = bench.row("line:denom").locator(".note")
        assert bench.verdict == "rounding"
        assert "gradients near eps" in note.inner_text()
        bench.setting("gradients near eps")
        assert (bench.verdict, note.inner_text()) == ("different", "")


def test_every_riddle_is_solved_by_who_is_left(browser, report):
    with reading(browser, page(report, "laboratory.html")) as reader:
        turns = reader.page.locator("[data-turn]")
        assert turns.count() == 10
        for number in range(10):
            turns.nth(number).click()
            section = reader.page.locator("[data-riddle]:visible")
            answer = section.get_attribute("data-cause")
            assert answer not in section.locator("[data-part=verdict]").inner_text()
            section.evaluate(EVERY, ["float32"])
            left = section.locator("[data-part=suspect] option:not([disabled])").evaluate_all(
                "all => all.map((one) => one.value)"
            )
            assert answer in left
            wrong = next((one for one in left if one not in ("", answer)), None)
            for guess in filter(None, (wrong, answer)):
                section.locator("[data-part=suspect]").select_option(guess)
                section.locator("[data-go=guess]").click()
                if section.locator(".story").is_visible():
                    break
            assert section.locator(".story").is_visible()
            assert "solved" in (turns.nth(number).get_attribute("class") or "")
        assert reader.complaints == []


# Layers


def table(reader: Reader, layer: str, part: str) -> list[list[str]]:
    return reader.page.locator(f"[data-layer={layer}] [data-part={part}] tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].map((one) => one.querySelector('input')?.value ?? one.textContent))"
    )


def test_a_batch_is_normalised_as_the_reference_does(browser, report):
    with reading(browser, page(report, "laboratory.html")) as reader:
        section = reader.page.locator("[data-layer=normalising]")
        section.locator("[data-at='0 0']").fill("7.5")
        section.locator("[data-at='0 0']").press("Enter")
        for _ in range(3):
            section.locator("[data-go=another]").click()
        rows = table(reader, "normalising", "batch")
        x = np.array([[float(value) for value in row[1:3]] for row in rows])
        assert x.shape == (4, 2)
        assert x[0, 0] == 7.5
        settings = {"eps": 1e-5, "momentum": 0.1, "track_running_stats": True, "training": True}
        running = np.zeros(2), np.ones(2), 0
        for _ in range(4):  # of which the last is the one that is shown
            lines = batchnorm.paper(x, None, None, *running, **settings)
            running = lines.running_mean, lines.running_var, lines.num_batches_tracked
        wanted = np.concatenate([lines.centred, lines.x_hat, lines.y], axis=1)
        assert [[float(value) for value in row[3:]] for row in rows] == rounded(wanted)
        found = {row[0]: [float(value) for value in row[1:]] for row in table(reader, "normalising", "statistics")}
        assert found == {name: rounded(np.reshape(getattr(lines, name), (1, 2)))[0] for name in found}
        assert {"var", "unbiased", "running_var"} <= found.keys()
        section.locator("[value=evaluation]").check()
        assert "3" in section.locator("[data-part=told]").inner_text()
        assert reader.complaints == []


def rounded(values) -> list[list[float]]:
    return [[float(f"{value:.9g}") for value in row] for row in np.asarray(values)]


@pytest.mark.parametrize(("seed", "p"), [(0, 0.3), (12, 0.55)])
def test_a_mask_is_pytorchs_own(browser, report, seed, p):
    torch = pytest.importorskip("torch")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        wanted = torch.nn.functional.dropout(torch.ones(6, 8), p).numpy()
    with reading(browser, page(report, "laboratory.html")) as reader:
        section = reader.page.locator("[data-layer=dropping]")
        section.locator("[data-part=seed]").fill(str(seed))
        section.locator("[data-part=p]").evaluate(
            f"one => {{ one.value = {p}; one.dispatchEvent(new Event('input', {{bubbles: true}})); }}"
        )
        assert [[float(value) for value in row] for row in table(reader, "dropping", "mask")] == rounded(wanted)


# A laboratory that is wrong is caught


BROKEN = {
    "an operator that is another": ('"m", (s, F) => F.plus(', '"m", (s, F) => F.minus('),
    "nothing that rounding allows": ("const ROUNDINGS = 2;", "const ROUNDINGS = -1;"),
    "a state that is not kept": ("made[clock.step - 1]", "made[0]"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_laboratory_is_caught(browser, report, what):
    old, new = BROKEN[what]
    text = page(report).read_text("utf-8")
    assert old in text
    broken = page(report).with_name("broken.html")
    broken.write_text(text.replace(old, new, 1), "utf-8")
    with reading(browser, broken) as reader:
        bench = Bench(reader)
        with reading(browser, page(report)) as other:
            whole = Bench(other)
            assert (bench.sentence, bench.numbers()) != (whole.sentence, whole.numbers())
