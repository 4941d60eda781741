"""Figures: what they say is what the records say, they are the same every time, and they speak no language."""

import copy
import csv
import dataclasses
import functools
import io
import itertools
import re
import zlib
from xml.etree import ElementTree as ET

import matplotlib as mpl
import matplotlib.image
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text

from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.records.kinds.explanation import ExplanationRecord
from lockstep.records.record import BadRecord
from lockstep.text import texts
from parity_tests.reports.made import (
    HOSTILE,
    RUNGS,
    STEPS,
    cause,
    detection_record,
    experiment_record,
    explanation_record,
    finding,
    growth_record,
    identical_record,
    rows,
    run_record,
    scenario,
    unexplained_record,
)
from parity_tests.reports.page import hung
from reports import figures, palette, style, vector
from reports.drawing import columns
from reports.figures import batches, digits, drift, ends, growth, heat, keep, ladder, loss, path, trajectory
from reports.figures.notebook import batchnorm, convergence, paths, summary, training, weights
from reports.gallery import Gallery, Picture
from reports.rails import MOST_POINTS, envelope, rails, stretches, trace
from reports.sparkline import sparkline
from reports.text import PageVoice

pytestmark = pytest.mark.slow

ENGLISH, KOREAN = PageVoice("en"), PageVoice("ko")
SVG = "{http://www.w3.org/2000/svg}"
MODULES = (*figures.RUN, *figures.EXPERIMENT, ladder, growth, trajectory)
# What may stand in a picture besides symbols: names of ours and of the records below.
NAMES = {
    "NumPy", "PyTorch", "SGD", "RMSprop", "Adam", "AdaGrad", "L1", "L2", "Dropout", "lion", "ulp", "lr",
    "param", "grad", "exp", "avg", "theta",
}  # fmt: skip


def title(module, record, *which) -> str:
    return ENGLISH.say(module.finding(record, *which))


def digits_record() -> ExperimentRecord:
    arrays = {}
    for name, end in (("adam", 0.975), ("sgd", 0.964)):
        for side, shift in (("ours", 0.0), ("theirs", 1e-7)):
            arrays[f"digits/{name}/{side}/loss"] = np.geomspace(2.3, 0.1, 30) + shift
            arrays[f"digits/{name}/{side}/accuracy"] = np.linspace(0.1, end, 30)
    settings = {"title": "The digits", "claims": [], "printed": [], "optimum": None}
    return dataclasses.replace(experiment_record(subject="digits", **settings), arrays=arrays)


def batches_record() -> ExperimentRecord:
    size = np.array([2, 4, 16, 256])
    biased = np.array([1.0, 0.5, 2.0, 4.0])
    kept = biased * size / (size - 1)
    arrays = {"batch/size": size, "batch/biased": biased, "batch/ratio": size / (size - 1)}
    arrays |= {"batch/ours": kept, "batch/theirs": kept}
    record = experiment_record(subject="layers.batchnorm", title="batch sizes", claims=[], printed=[])
    return dataclasses.replace(record, arrays=arrays)


def keep_record() -> ExperimentRecord:
    p = np.array([0.1, 0.3, 0.5])
    mask = np.random.default_rng(0).random((16, 40)) > 0.3
    arrays = {"keep/p": p, "keep/ours": 0.99 - p, "keep/theirs": 0.99 - p, "keep/equal": np.ones(3)}
    arrays |= {"keep/mask/ours": mask + 0.0, "keep/mask/theirs": mask + 0.0}
    record = experiment_record(subject="layers.dropout", title="kept", claims=[], printed=[])
    return dataclasses.replace(record, arrays=arrays)


def everything() -> list[tuple]:
    """Every kind of picture: its module, a record, and the number of the cause where it takes one."""
    found = [
        (module, record)
        for record in (
            run_record(), identical_record(), explanation_record(), unexplained_record(), growth_record(),
            experiment_record(), digits_record(), batches_record(), keep_record(),
        )
        for module in figures.of(record)
    ]  # fmt: skip
    table = detection_record()
    return [*found, *((module, table, number) for number in (1, 2) for module in figures.of_cause(table, number))]


def id_of(one) -> str:
    module, record, *which = one
    return "-".join([module.NAME, record.subject, *map(str, which)])


EVERY = everything()
every = pytest.mark.parametrize("one", EVERY, ids=id_of)
SIZE = {summary: 120_000}  # characters inside a page: four pictures in one; of any other picture 60 000


def drawn(one: tuple) -> tuple[Gallery, list[Picture]]:
    """The picture drawn twice, of the record and of a copy of it, under one name."""
    return drawn_at(next(place for place, known in enumerate(EVERY) if known is one))


@functools.cache
def drawn_at(place: int) -> tuple[Gallery, list[Picture]]:
    module, record, *which = EVERY[place]
    gallery, copy = Gallery(), dataclasses.replace(record, arrays=dict(record.arrays))
    pictures = [gallery.picture(module, again, "a", *which) for again in (record, copy)]
    gallery.draw()
    return gallery, pictures


def test_no_kind_of_picture_is_left_out():
    assert {module for module, *_ in EVERY} == set(MODULES)
    assert len({module.NAME for module in MODULES}) == len(MODULES)


# The interface.


@every
def test_it_says_in_both_languages_what_it_shows_and_how_to_read_it(one):
    module, *drawn_from = one
    assert {"svg", "png"} >= {module.KIND}
    for said in (module.finding(*drawn_from), module.read(*drawn_from)):
        assert said.key.startswith(f"figure.{module.NAME}.")
        english, korean = ENGLISH.say(said), KOREAN.say(said)
        assert english
        assert re.search("[가-힣]", korean)
        assert not re.search("[가-힣]", english)


def test_every_message_of_a_figure_is_said_by_one():
    source = "\n".join(file.read_text("utf-8") for file in style.STYLE.parent.rglob("*.py"))
    keys = [key.removeprefix("figure.") for key in texts("en", PageVoice.packages) if key.startswith("figure.")]
    assert keys
    for key in keys:
        name, _, which = key.partition(".")
        assert (
            f'"figure.{key}"' in source
            or (f'"figure.{name}.{{' in source and f'"{which}"' in source)
            or (f"'{which}'" in source)
        ), key


def written_in(drawing: Figure | str) -> list[str]:
    """Every text in a picture."""
    if isinstance(drawing, str):
        return [text.text or "" for text in ET.fromstring(drawing.encode()).iter(f"{SVG}text")]
    drawing.canvas.draw()
    return [text.get_text() for text in drawing.findobj(Text) if text.get_visible()]


@every
def test_the_picture_speaks_no_language(one):
    module, record, *which = one
    written = written_in(module.draw(record, *which))
    assert any(written)
    for text in written:
        assert set(re.findall(r"[A-Za-z가-힣]{2,}", text)) <= NAMES, text


@every
def test_its_table_holds_what_was_drawn(one):
    module, *drawn_from = one
    table = module.table(*drawn_from)
    assert len({len(np.ravel(column)) for column in table.values()}) == 1
    rows = list(csv.reader(io.StringIO(columns(table).decode("utf-8"))))
    assert rows[0] == list(table)
    assert len(rows) == 1 + len(next(iter(table.values())))
    for name, column in table.items():
        if np.asarray(column).dtype.kind == "f":
            read = np.array([float(row[rows[0].index(name)]) for row in rows[1:]])
            np.testing.assert_array_equal(read.astype(np.asarray(column).dtype), column)


def test_columns_of_different_lengths_are_no_table():
    with pytest.raises(ValueError, match="shorter"):
        columns({"t": [1, 2], "x": [1]})


# The same every time, small, in the page's colours.


@every
def test_the_same_record_gives_the_same_bytes(one):
    gallery, (first, again) = drawn(one)
    files = [[gallery.files[picture.file(end)] for end in (picture.kind, "csv")] for picture in (first, again)]
    assert files[0] == files[1]
    assert all(files[0])
    assert first.inline == again.inline.replace(again.stem, first.stem)


@pytest.mark.parametrize("module", [loss, heat])
def test_it_is_laid_out_once_and_drawn_once_in_the_format_that_is_shown(monkeypatch, module):
    work = []
    for kind, name in ((ConstrainedLayoutEngine, "execute"), (Figure, "draw")):
        real = getattr(kind, name)
        monkeypatch.setattr(kind, name, lambda *given, real=real, name=name: (work.append(name), real(*given))[1])
    gallery, picture = hung(module, run_record(), "a")
    assert work == ["execute", "draw"]
    assert sorted(gallery.files) == sorted([picture.file("csv"), picture.file(module.KIND)])


def test_the_users_settings_stay_and_change_nothing():
    record = run_record()
    expected, _ = hung(loss, record, "a")
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 20, "savefig.dpi": 30, "svg.fonttype": "path"}):
        before = dict(mpl.rcParams)
        found, _ = hung(loss, record, "a")
        assert found.files == expected.files
        assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(
    ("array", "step"),
    [("drift/param/absolute", -1), ("defect/param/scaled_ulp", 2), ("trace/path/theirs", -1), ("trace/loss/ours", -1)],
)
def test_another_value_makes_another_picture(array, step):
    record, other = run_record(), run_record()
    other.arrays[array] = other.arrays[array].copy()
    other.arrays[array][step] *= 3
    made = [{vector.svg(module.draw(one)) for module in figures.of(one)} for one in (record, other)]
    assert made[0] != made[1]


@every
def test_inside_a_page_it_has_ids_of_its_own_and_the_pages_colours(one):
    module, *_ = one
    gallery, pictures = drawn(one)
    assert [picture.stem for picture in pictures] == [f"a-{module.NAME}", f"a-{module.NAME}-2"]
    if module.KIND == "png":
        assert all(picture.source.startswith("data:image/png;base64,") and not picture.inline for picture in pictures)
        return
    known = []
    for picture in pictures:
        root = ET.fromstring(picture.inline)
        assert root.tag == f"{SVG}svg"
        assert not {"width", "height"} & root.attrib.keys()
        ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
        known += ids
        assert {target for _, _, target in vector.references(root)} == set(ids)
        assert not re.search(r"#[0-9a-f]{6}\b|rgb\(|<style|font-family|<title|metadata|<script", picture.inline)
        assert set(re.findall(r"var\(--(\w+)\)", picture.inline)) <= style.COLOURS.keys()
        assert len(picture.inline) < SIZE.get(module, 60_000)
        assert not picture.source
    assert len(known) == len(set(known))
    assert known or module is trajectory  # which refers to nothing
    file = gallery.files[pictures[0].file("svg")]
    assert b"var(" not in file
    assert b"#ffffff" in file


def test_no_two_colours_are_one():
    assert len(set(style.COLOURS.values())) == len(style.COLOURS)
    assert len(vector.VARIABLES) == len(style.COLOURS)


def test_a_picture_is_drawn_once_for_all_languages(monkeypatch):
    gallery, record, drawn = Gallery(), run_record(), []
    real = loss.draw
    monkeypatch.setattr(loss, "draw", lambda shown: (drawn.append(shown), real(shown))[1])
    pictures = [gallery.picture(loss, record, name) for name in ("one", "other")]
    assert pictures[0] is pictures[1]
    gallery.draw()
    assert sorted(gallery.files) == ["figures/one-loss.csv", "figures/one-loss.svg"]
    gallery.picture(trajectory, detection_record(), "c", 1)
    gallery.draw()
    assert "figures/c-trajectory.svg" in gallery.files
    assert drawn == [record]


def test_names_are_safe_and_each_its_own():
    gallery = Gallery()
    stems = [gallery.picture(loss, run_record(), name).stem for name in ("a/b", "a b", "../../" + HOSTILE, "../..")]
    assert len(set(stems)) == 4
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.-]*", stem) and ".." not in stem for stem in stems)


def test_text_is_escaped_in_the_file_and_in_the_page():
    record = run_record(subject=HOSTILE, case={"desc": HOSTILE}, first_difference=finding(line=HOSTILE))
    gallery = Gallery()
    pictures = [gallery.picture(module, record, HOSTILE) for module in figures.of(record) if module.KIND == "svg"]
    gallery.draw()
    assert pictures
    for picture in pictures:
        for text in (picture.inline, gallery.files[picture.file("svg")].decode("utf-8")):
            tags = {element.tag.removeprefix(SVG) for element in ET.fromstring(text).iter()}
            assert not tags & {"script", "img", "foreignObject", "a"}
            assert "<script>" not in text
            assert "onerror=alert" not in text.replace("src=x onerror=alert", "")


def test_a_long_series_stays_small_and_keeps_its_spikes():
    spike = np.full(20_000, 1e-9)
    spike[7777] = 1.0
    x, y = envelope(np.arange(20_000), spike)
    assert len(x) <= MOST_POINTS + 1
    assert y.max() == 1.0
    assert x[y.argmax()] == 7777
    noise = np.random.default_rng(0).random(20_000) * (np.arange(20_000) % 3 > 0)
    record = run_record(steps=20_000, arrays={"trace/loss/ours": 1 + noise, "trace/loss/theirs": 1 + noise[::-1]})
    assert len(hung(loss, record, "a")[1].inline) < 60_000


def test_a_path_written_by_steps_is_the_same_path():
    generator = np.random.default_rng(0)
    points = np.round(generator.uniform(-99, 99, (200, 2)), 1)
    points[50:60, 1], points[80:90, 0] = 3.0, -4.5
    text = "M 1 2 " + " ".join(f"L {x:.1f} {y:.1f}" for x, y in points) + " z M 5 5 L 5 5"
    short = vector.relative(text)
    assert len(short) < 0.85 * len(text)
    x = y = 0.0
    found = []
    for command, numbers in re.findall(r"([MlhvzL])([^MlhvzL]*)", short):
        values = [float(value) for value in re.findall(r"-?[\d.]+", numbers)]
        if command == "M":
            x, y = values
        elif command != "z":
            x, y = x + (values[0] if command in "lh" else 0), y + (values[-1] if command in "lv" else 0)
            found.append((round(x, 1), round(y, 1)))
    assert found == [*map(tuple, points.tolist()), (5.0, 5.0)]
    assert vector.relative("M 0 0 C 1 1 2 2 3 3") == "M 0 0 C 1 1 2 2 3 3"


# What is said is what the record says.


def test_titles_of_a_run_quote_the_record():
    record = run_record()
    assert title(drift, record) == (
        "After 12 steps param is at most 2.4e-7 apart; one step by itself adds at most 1.6 ulp"
    )
    apart = np.hypot(*(record.arrays["trace/path/theirs"][-1] - record.arrays["trace/path/ours"][-1]))
    assert title(path, record).startswith(f"After 12 steps the paths are {apart:.1e}".replace("e-0", "e-"))
    assert title(path, record).endswith("they part at step 3")
    assert title(loss, record) == (
        "After 12 steps the loss is 0.5 on both sides; "
        "the losses are 1.2e-7 apart, at most 1.2e-7, first at step 3"
    )  # fmt: skip
    assert title(heat, record) == (
        "Of 24 values of param a single step changes 4 values, by at most 0.6 ulp (element 0, step 3)"
    )
    assert (
        KOREAN.say(drift.finding(record)) == "12스텝 뒤 param 차이는 최대 2.4e-7, 한 스텝이 보태는 것은 많아야 1.6 ulp"
    )


def test_titles_say_another_formula_first():
    record = run_record(verdict="different", evidence=finding(step=5, line="denom"))
    assert title(drift, record).startswith("Another formula from step 5 on, at line denom. After 12 steps")


def test_titles_say_when_nothing_differs():
    assert title(drift, identical_record()) == "12 steps, 3 quantities: not a bit apart"
    assert not heat.applies(identical_record())
    same = run_record()
    for name in ("path", "loss"):
        same.arrays[f"trace/{name}/theirs"] = same.arrays[f"trace/{name}/ours"]
    assert title(path, same) == "After 12 steps the paths are not a bit apart"
    assert title(loss, same).endswith("equal to the last bit all the way")
    same.arrays["drift/param/absolute"] = np.zeros(STEPS)
    assert title(drift, same).startswith("After 12 steps param is not a bit apart; one step by itself adds")
    same.arrays["drift/param/absolute"] = np.eye(STEPS)[4]
    assert title(drift, same).startswith("After 12 steps param is equal again, bit for bit")


def test_a_ladder_says_what_is_left_on_its_first_rung_and_its_last():
    assert title(ladder, explanation_record()) == (
        "339 ulp in the paper's order, 0 after 3 rewrites, the last of them PyTorch's sqrt; so at every one of 12 steps"
    )
    assert title(ladder, explanation_record(RUNGS[:1])) == (
        "0 ulp in the paper's order already, at every one of 12 steps"
    )
    assert title(ladder, unexplained_record()) == (
        "Not explained: 339 ulp in the paper's order, 7 ulp still with PyTorch's sqrt, from step 3 on, at line denom"
    )
    other = explanation_record()
    other.arrays["rung/0/exp_avg/scaled_ulp"][4] = 512.0  # the largest of all quantities, wherever it is
    assert title(ladder, other).startswith("512 ulp")
    assert "3: fused multiply-add" in ENGLISH.say(ladder.read(other))


def lowest(record: ExplanationRecord) -> list[float]:
    """The heights at which the last rung of a ladder is drawn."""
    (axis,) = ladder.draw(record).axes
    lines = [line for line in axis.lines if line.get_color() == style.INK and line.get_transform() == axis.transData]
    return [y for line in lines for y in line.get_ydata() if not np.isnan(y)]


def test_the_last_rung_is_flat_on_the_rail_and_the_others_are_not():
    scale = rails(*ladder.drifts(explanation_record()))
    assert set(lowest(explanation_record())) == {scale.bottom}
    assert max(lowest(unexplained_record())) > scale.low
    (axis,) = ladder.draw(explanation_record()).axes
    assert axis.get_yticklabels()[0].get_text() == "0"
    assert [text.get_text() for text in axis.texts] == ["4:  =", "3:  ≠ 4", "2:  ≠ 4", "1:  ≠ 4"]


def test_a_growth_is_told_from_adding_up():
    assert title(growth, growth_record()) == (
        "After 12 steps the parameters are 0.028 apart; on PyTorch's own gradients the steps by themselves make "
        "1.2e-7, and of 1 ulp at the start the problem makes 2e5 ulp"
    )
    still = growth_record()
    still.arrays["growth/drift"] = np.zeros(STEPS)
    assert title(growth, still).startswith("After 12 steps no parameter differs")


def test_a_trajectory_says_where_a_cause_leads():
    record = detection_record()
    assert title(trajectory, record, 2) == (
        "“tiny”: after 12 steps theta[1] is 2 away from PyTorch's, which itself ranged over 1; they part at step 2"
    )
    record.arrays["trajectory/1/drift"] = np.where(np.arange(STEPS) > 6, np.inf, 0.1)
    assert title(trajectory, record, 1) == "“tiny”: from step 8 on one side is no number any more"
    record.arrays["trajectory/1/drift"] = np.zeros(STEPS)
    assert title(trajectory, record, 1) == "“tiny”: after 12 steps theta[1] is not a bit apart"
    assert not trajectory.applies(record, 0)


def test_the_variance_that_is_kept_follows_the_size_of_the_batch():
    record = batches_record()
    assert title(batches, record) == (
        "The running variance is the batch's times n/(n-1): 2 of it for n = 2, 1.00392 for n = 256, to within 0. "
        "NumPy and PyTorch are equal to the last bit"
    )
    record.arrays["batch/theirs"] = record.arrays["batch/biased"]
    assert "1 of it for n = 2, 1 for n = 256, to within 1." in title(batches, record)
    assert "never more than 1 apart" in title(batches, record)


def test_what_dropout_keeps_and_whether_it_is_the_same():
    record = keep_record()
    assert title(keep, record) == (
        "From one seed both drop the same units: the masks of all 3 values of p from 0.1 to 0.5 are equal bit for bit; "
        "what is kept is within 0.01 of 1 - p"
    )
    record.arrays["keep/equal"] = np.array([1.0, 0.0, 1.0])
    assert title(keep, record).startswith("The masks of 2 of 3 values of p")
    record.arrays["keep/mask/theirs"] = 1 - record.arrays["keep/mask/ours"]
    titles = [axis.get_title(loc="left") for axis in keep.draw(record).axes[1:]]
    assert titles[-1] == "≠   640 / 640"


def test_the_notebooks_figures_say_what_they_show():
    record = experiment_record()
    assert figures.of(record) == [paths, convergence, training, weights, batchnorm, summary]
    assert title(paths, record).startswith("Left to the optimum after 20 steps: lion 2.42, SGD 2.51 and Adam 2.60.")
    assert title(paths, record).endswith("never more than 2.2e-15 apart")
    assert title(weights, record).startswith(
        "Size of the first layer's weights against no regularisation: L2 -50 %, Dropout -75 % and L1 -67 %."
    )
    assert title(training, record).startswith("Training loss after 60 steps: ∅ 0.0100, L2 0.0200")
    assert title(batchnorm, record) == (
        "Means 3.5 and 2.5 become 0, the deviations 0.999996. NumPy and PyTorch are equal to the last bit"
    )


def test_the_digits_say_what_they_show():
    record = digits_record()
    assert figures.of(record) == [digits]
    assert title(digits, record) == (
        "Accuracy after 30 steps: Adam 97.5 % and SGD 96.4 %. "
        "PyTorch's end at the same, the losses are at most 1e-7 apart"
    )
    record.arrays["digits/sgd/theirs/accuracy"][-1] -= 0.01
    assert "PyTorch's end at most 1.0 points away" in title(digits, record)


def test_an_experiment_names_its_pictures():
    record = experiment_record(figures=["weights", "paths"])
    assert [module.NAME for module in figures.of(record)] == ["weights", "paths"]
    with pytest.raises(BadRecord, match=r"no picture 'pie'; there are paths, convergence"):
        figures.of(experiment_record(figures=["pie"]))
    for name in ("adam", "sgd", "lion"):
        del record.arrays[f"nb/optim/{name}/theirs/path"]
    with pytest.raises(BadRecord, match="arrays of its picture 'paths' are missing"):
        figures.of(record)


# Zeros, infinities and what is not a number.


@given(st.lists(st.floats(min_value=0) | st.just(np.nan), max_size=8))
def test_rails_have_a_place_for_every_value(values):
    scale = rails(values)
    for value in values:
        (place,) = scale.place([value])
        if np.isnan(value):
            assert np.isnan(place)
        elif value == 0:
            assert scale.zero
            assert place == scale.bottom < scale.low
        elif np.isinf(value):
            assert scale.infinite
            assert place == scale.top > scale.high
        else:
            assert scale.low <= place <= scale.high


def test_every_value_is_drawn():
    values = [0.0, 0.0, 3e-8, 0.0, np.inf, 2e-7, np.nan, 1e-7]  # 3e-8 stands alone: no line would show it
    scale, axis = rails(values), Figure().subplots()
    trace(axis, range(8), values, scale, color="black", linewidth=1.0)
    ends = [line.get_xydata().reshape(-1, 3, 2)[:, :2] for line in axis.lines if line.get_snap() is False]
    bars = sorted((round(a[0]), round(b[0]), float(a[1])) for group in ends for a, b in group.tolist() or [])
    expected = [(0, 1, scale.bottom), (3, 3, scale.bottom), (4, 4, scale.top)]
    expected += [(x, x, float(scale.place(values[x]))) for x in (2, 5, 7)]
    assert bars == sorted(expected)


@given(st.lists(st.booleans(), max_size=12))
def test_a_rail_is_covered_where_a_value_is_on_it(there):
    axis = Figure().subplots()
    stretches(axis, np.arange(len(there)), np.array(there, bool), 1.0)
    (line,) = axis.lines
    covered = [False] * len(there)
    for first, last, _ in line.get_xdata().reshape(-1, 3) if there else []:
        covered[round(first) : round(last) + 1] = [True] * (round(last) - round(first) + 1)
    assert covered == there


@given(st.lists(st.floats(0, 200), min_size=1, max_size=12).map(sorted))
def test_names_at_the_ends_do_not_cover_each_other(wanted):
    found = ends.spread(wanted, 200.0)
    assert len(found) == len(wanted)
    if len(wanted) * ends.APART < 200:
        assert all(b - a > ends.APART - 1e-6 for a, b in itertools.pairwise(found))
        assert all(-1e-6 < place < 200 + 1e-6 for place in found)
    if all(b - a > ends.APART for a, b in itertools.pairwise(wanted)):
        assert found == wanted


def test_rails_are_drawn():
    record = run_record()
    record.arrays["drift/param/absolute"][-1] = np.inf
    labels = [text.get_text() for text in drift.draw(record).axes[0].get_yticklabels()]
    assert labels[0] == "0"
    assert labels[-1] == "∞"
    assert "param is infinitely far apart" in title(drift, record)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
@every
def test_pictures_of_extreme_records_are_drawn(one, value):
    module, record, *which = one
    fixed = ("trace/contour", "batch/size", "keep/p", "batch/biased")
    arrays = {
        key: array if key.startswith(fixed) or key.endswith(("/elements", "/differing")) else spoilt(array, value)
        for key, array in record.arrays.items()
    }
    other = copy.copy(record)
    vars(other)["arrays"] = arrays
    if module.applies(other, *which):
        assert vector.svg(module.draw(other, *which))
        assert columns(module.table(other, *which))
        assert KOREAN.say(module.finding(other, *which))


def spoilt(array: np.ndarray, value: float) -> np.ndarray:
    """The array with its second half replaced."""
    made = np.array(array, np.float64)
    made[len(made) // 2 :] = value
    return made


def test_a_run_of_one_step_is_drawn():
    arrays = {
        key: array[: 2 if "path" in key else 1] if "contour" not in key else array
        for key, array in run_record().arrays.items()
    }
    record = run_record(steps=1, first_difference=finding(step=1), arrays=arrays)
    assert [module.NAME for module in figures.of(record)] == ["path", "drift"]
    assert all(style.png(module.draw(record)) for module in figures.of(record))


def test_hostile_causes_are_drawn():
    table = detection_record(
        rows=rows([(HOSTILE, cause(HOSTILE, shows=HOSTILE, tensor=HOSTILE)), "b"]),
        scenarios=[scenario(HOSTILE), scenario("tiny")],
    )
    _, picture = hung(trajectory, table, "a", 1)
    assert "<script>" not in picture.inline


def test_a_spike_survives_drawing():
    tall = np.zeros((5000, 3))
    tall[3333, 1] = 9.0
    assert heat.worst_of(tall, 600).max() == 9.0
    drift = np.zeros(5000)
    drift[3333] = 1e-3
    record = run_record(steps=5000, arrays={"drift/param/absolute": drift})
    line = sparkline(record)
    assert len({point.split(",")[1] for point in line.points.split()}) == 2
    assert ENGLISH.say(line.text) == "drift of param, 5\u202f000 steps: from step 3334 on, 0 at the end, at most 0.001"


# Pictures of few colours.


def test_a_palette_of_few_colours_is_exact(tmp_path):
    generator = np.random.default_rng(0)
    colours = generator.permutation(32)[:, None] * np.array([8, 1, 7]) % 256  # no two in one bin
    pixels = colours[generator.integers(0, 32, (40, 30))].astype(np.uint8)
    file = tmp_path / "picture.png"
    file.write_bytes(palette.encode(pixels))
    decoded = np.rint(255 * matplotlib.image.imread(file)).astype(np.uint8)
    assert np.array_equal(decoded[..., :3], pixels)


def test_a_palette_of_many_colours_is_near():
    ramp = np.arange(256, dtype=np.uint8)
    pixels = np.stack([*np.meshgrid(ramp, ramp), np.full((256, 256), 90, np.uint8)], axis=-1)
    indices, colours = palette.reduce(pixels)
    assert len(colours) == 256
    # The entries that go to the furthest lie no further apart than 256 / sqrt(128) ≈ 23, and a bin is 8 wide.
    assert np.hypot(*(colours[indices].astype(int) - pixels)[..., :2].reshape(-1, 2).T).max() < 23 + 8


def test_a_picture_carries_no_date_and_no_name():
    content = style.png(loss.draw(run_record()))
    kinds, place = [], len(palette.SIGNATURE)
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        kind, body = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        assert zlib.crc32(kind + body) == int.from_bytes(content[place + 8 + length : place + 12 + length], "big")
        kinds.append(kind)
        place += 12 + length
    assert kinds == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    assert not re.search(rb"matplotlib|20\d\d-", vector.svg(loss.draw(run_record())))
