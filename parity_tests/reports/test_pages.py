"""The report's pages: what they show is what the records say, and nothing in a record can harm them."""

import math
import posixpath
import re

import pytest

import reports
from lockstep.numerics.verdict import Verdict
from lockstep.records.record import BadRecord
from lockstep.text import LANGUAGES, Voice, message
from parity_tests.reports.made import (
    AXES,
    ERRORS,
    FINDINGS,
    FUNCTION,
    HOSTILE,
    RUNGS,
    cause,
    cell,
    chapter,
    detection_record,
    experiment_record,
    explanation_record,
    finding,
    growth_record,
    identical_record,
    laboratory_record,
    left,
    line,
    printed,
    rows,
    run_record,
    scenario,
    setting,
    unexplained_record,
    walk_record,
    walked,
)
from parity_tests.reports.page import Page, Undrawn
from reports import address, html, words
from reports.contents import contents
from reports.pages.detection import Detection
from reports.site import site
from reports.text import PageVoice

pytestmark = pytest.mark.slow


def pages_of(*records, languages=LANGUAGES) -> dict[str, Page]:
    return {name: Page(text) for name, text in site(records, Undrawn(), languages).items()}


def everything():
    return [
        run_record(), identical_record(case={"desc": "zero"}), run_record(subject="optim.sgd"), experiment_record(),
        explanation_record(), growth_record(), walk_record(), detection_record(), laboratory_record(),
    ]  # fmt: skip


# Where pages are.


def test_there_is_a_page_a_subject_a_cause_a_chapter_and_the_machine_in_every_language():
    english = {
        "index.html", "laboratory.html", "machine.html", "notebook.html", "models/mlp.html", "optim/adam.html",
        "optim/sgd.html", "optim/adam/eps-inside-sqrt.html", "optim/adam/eps-value.html",
    }  # fmt: skip
    assert set(pages_of(*everything())) == english | {f"ko/{name}" for name in english}
    assert set(pages_of(*everything(), languages=("ko",))) == english


def test_every_address_leads_somewhere(tmp_path):
    reports.render(everything(), tmp_path / "out")
    files = list((tmp_path / "out").rglob("*.html"))
    reached = set()
    for file in files:
        page = Page(file.read_text("utf-8"))
        assert page.addresses
        for address_ in page.addresses:
            if address_.startswith("data:"):
                assert address_.startswith("data:image/png;base64,")
            elif address_.startswith("#"):
                assert address_[1:] in page.names
            else:
                path, _, name = address_.partition("#")
                place = posixpath.normpath(posixpath.join(file.parent.relative_to(tmp_path).as_posix(), path))
                assert (tmp_path / place).is_file(), f"{file}: {address_}"
                assert not name or name in Page((tmp_path / place).read_text("utf-8")).names
                reached.add(place)
        assert len(page.names) == len(set(page.names))
    assert {file.relative_to(tmp_path).as_posix() for file in files} <= reached


def test_two_subjects_that_would_be_one_page_are_refused():
    with pytest.raises(BadRecord, match=r"two subjects or causes would be one page, optim/a-b\.html"):
        pages_of(run_record(subject="optim.a b"), run_record(subject="optim.a/b"))


def test_what_is_none_of_our_families_has_its_page_too():
    assert "dreams/lion.html" in pages_of(run_record(subject="dreams.lion"))


# The same every time.


def test_order_of_records_makes_no_difference():
    records = everything()
    one, other = (site(order, Undrawn(), ("en",)) for order in (records, records[::-1]))
    assert one == other


@pytest.mark.parametrize(
    ("array", "step"), [("drift/param/absolute", -1), ("defect/param/scaled_ulp", 2), ("trace/path/theirs", -1)]
)
def test_another_value_makes_another_page(array, step):
    record, other = run_record(), run_record()
    other.arrays[array] = other.arrays[array].copy()
    other.arrays[array][step] *= 3
    assert pages_of(record)["optim/adam.html"].text != pages_of(other)["optim/adam.html"].text


# What is said is what the records say.


def test_the_index_says_what_the_records_say():
    worse = run_record(subject="optim.sgd", case={"desc": "worse"}, used=0.81)
    pages = pages_of(run_record(), identical_record(case={"desc": "zero"}), worse)
    english, korean = pages["index.html"].text, pages["ko/index.html"].text
    assert "NumPy and PyTorch agree in 3 runs: 1 identical to the last bit and 2 apart by rounding alone" in english
    assert "2 subjects, 36 steps compared. The closest call used 81 % of what rounding allows" in english
    assert "실행 3개에서 NumPy와 PyTorch가 일치합니다: 1개는 마지막 비트까지 동일, 2개는 반올림만큼의 차이" in korean
    assert "대상 2개, 모두 36스텝 비교했습니다. 허용 범위를 가장 많이 쓴 경우도 81 %에 그쳤습니다" in korean


def test_what_fails_is_said_first_and_what_was_known_is_not_a_failure():
    why = {"id": "nothing-moved", "message": "no param changed"}
    broken = identical_record(case={"desc": "stuck"}, broken=why, verdict="broken")
    other = run_record(verdict="different", used="inf", evidence=finding(used="inf"), case={"desc": "wrong"})
    known = run_record(verdict="different", used=9.0, case={"desc": "clip", "differs": "clipped"})
    text = pages_of(run_record(), other, broken, known)["index.html"].text
    assert "NumPy and PyTorch part in 2 of 4 runs:" in text
    assert "1 of another formula, 1 not to be trusted and 1 known to follow another formula" in text
    assert "nothing-moved : no param changed" in text
    assert "Elsewhere the closest call used 37 %" in text
    failing, rest = text.split("Every subject")
    assert failing.index("stuck") < failing.index("wrong")
    assert "clip" not in failing
    assert "clip · float32 · single : the notebook clips p to 1e-10" in rest
    agreeing = pages_of(run_record(), known)["index.html"].text
    assert "agree in 1 run: 1 apart by rounding alone and 1 known to follow another formula" in agreeing


def test_every_verdict_has_a_word_and_a_sign():
    assert list(words.SIGNS) == [str(verdict) for verdict in Verdict]
    assert len(set(words.SIGNS.values())) == len(Verdict)
    assert [words.fails(verdict) for verdict in Verdict] == [not verdict.passes for verdict in Verdict]
    for language in LANGUAGES:
        for verdict, sign in words.SIGNS.items():
            name = Voice(language)(f"verdict.{verdict}.name")
            expected = (
                f'<span class="verdict {verdict}"><span class="sign" aria-hidden="true">{sign}</span> {name}</span>'
            )
            assert html.Speaker(language).written(verdict, "verdict") == expected


def test_a_subject_in_four_answers():
    pages = pages_of(run_record(), explanation_record(), walk_record(), detection_record())
    text = pages["optim/adam.html"].text
    assert "Where do they part? Step 3: they part at line m , by 1 ulp in 2 of 6 elements" in text
    assert "Rounding, and nothing else. After 12 steps in the paper's order 4 of 6 elements differ" in text
    assert "at worst by 339 ulp" in text
    assert "at most 37 % of what the arithmetic allows was used" in text
    assert "The runs caught all 2 causes known here, each at the first step" in text
    assert "The smallest first error is 0.5 lr; rounding makes at most 6e-5" in text
    assert "어디서 어긋나나? 스텝 3: 줄 m 에서 어긋납니다" in pages["ko/optim/adam.html"].text
    assert "Step 3: they part at line m" in pages["index.html"].text


def test_only_what_was_not_explained_is_left():
    text = pages_of(unexplained_record())["optim/adam.html"].text
    assert "Not all of it is known." in text
    assert "with PyTorch's sqrt , 2 still do" in text
    assert "Left at step 3, line denom : param, 1 ulp . theta [1]" in text


def test_a_run_with_a_failure_matters():
    wrong = run_record(verdict="different", used=3.0, evidence=finding(used=3.0), case={"desc": "wrong"})
    assert "Yes: 1 of 2 runs cannot be explained by rounding" in pages_of(run_record(), wrong)["optim/adam.html"].text


def test_the_walk_shows_every_line_of_every_step():
    text = site([walk_record()], Undrawn(), ("en",))["optim/adam.html"]
    steps = re.findall(r'<div class="step" data-step="(\d)"( hidden)?>', text)
    assert steps == [("1", " hidden"), ("2", " hidden"), ("3", ""), ("4", " hidden")]
    third = text.split('data-step="3"')[1].split('data-step="4"')[0]
    assert re.findall(r'<tr data-line="(\w+)" tabindex="0"( class="first")?>', third) == [
        ("m", ' class="first"'), ("m_hat", ""), ("param", ""),
    ]  # fmt: skip
    page = Page(third)
    assert "0.25 0x3e800000" in page.text
    assert "0.25000003 0x3e800001" in page.text
    assert page.text.count("worked out only inside another line") == 1
    assert "≠ 1 ulp in 2 of 6 Here they part first" in page.text
    assert "Lines with nothing to do in this case: 1" in page.text
    assert "lerp_" in page.text


def test_a_walk_in_which_nothing_parts_shows_its_first_step():
    same = walk_record(walked=[walked(), walked()], steps=2)
    text = site([same], Undrawn(), ("en",))["optim/adam.html"]
    assert re.findall(r'data-step="(\d)"( hidden)?>', text) == [("1", ""), ("2", " hidden")]
    assert "Step 1: no line that PyTorch shows differs by a bit" in text
    assert "Nowhere here: in 2 steps no line that PyTorch shows differs by a bit" in text


def test_where_every_bit_is_equal_nothing_matters():
    assert "There is nothing: in 1 run every bit is equal." in pages_of(identical_record())["optim/adam.html"].text


def test_symbols_are_the_same_in_the_formula_and_in_the_code():
    text = site([walk_record()], Undrawn(), ("en",))["optim/adam.html"]
    row = text.split('<tr data-line="m"')[1].split("</tr>")[0]
    formula, code = row.split("</th>")
    assert set(re.findall(r'data-symbol="(\w+)"', formula)) == {"m", "beta1", "exp_avg", "d"}
    assert set(re.findall(r'data-symbol="(\w+)"', code)) == {"m", "beta1", "exp_avg", "d"}
    legend = text.split('class="legend"')[1].split("</div>")[0]
    assert re.findall(r'<button type="button" class="symbol" data-symbol="(\w+)"', legend)[:2] == ["d", "m"]
    assert '<span class="row" data-line="m">' in text


def test_which_wrong_one_is_yours():
    pages = pages_of(walk_record(), detection_record())
    assert "faithful: rounding alone 6e-5 3e-5" in pages["optim/adam.html"].text
    assert "eps-inside-sqrt ≠ shows: 0.98 6e-5" in pages["optim/adam.html"].text
    assert "eps-value (1e-06) ≠ shows: 0.5 ≠ shows: 0.002" in pages["optim/adam.html"].text
    page = pages["optim/adam/eps-inside-sqrt.html"]
    assert "Theirs" in page.text
    assert "denom = np . sqrt ( v_hat + eps )".replace(" ", "") in page.text.replace(" ", "")
    assert "denom = np . sqrt ( v_hat ) + eps".replace(" ", "") in page.text.replace(" ", "")
    assert "at step 1, line v : 0.98 lr off, 2e4 times what rounding allows" in page.text
    assert "somebody/something#1" in page.text


def test_a_cause_that_never_shows_is_not_said_to_be_caught():
    quiet = detection_record(rows=rows(cells=[[cell(0.3, 6e-5)] * 2, [cell(0.4, 6e-5)] * 2, [cell(11.0, 2e-3)] * 2]))
    pages = pages_of(quiet)
    assert "Of 2 causes known here the runs caught 1" in pages["optim/adam.html"].text
    assert "in no scenario of this table" in pages["optim/adam/eps-inside-sqrt.html"].text


def test_a_cause_says_what_its_messages_say():
    pages = pages_of(detection_record(rows=rows(("a", "b"))))
    assert "To put it right the comparison itself cannot be trusted here" in pages["optim/adam/a.html"].text
    assert "고치는 법 비교 자체를 믿을 수 없다" in pages["ko/optim/adam/a.html"].text


def test_the_notebook_is_quoted():
    page = pages_of(experiment_record())["notebook.html"]
    assert "✗ does not hold it is last short steps" in page.text
    assert "✓ holds 2.2 against 2.6" in page.text
    assert "? not tested" in page.text
    assert "[-1.4 2.07]" in page.text
    assert "≠ differs" in page.text


def test_the_ladder_and_the_growth_are_on_the_page():
    page = pages_of(explanation_record(), growth_record())
    assert "fused multiply-add: 4 of 6 elements, at worst 14 ulp" in page["optim/adam.html"].text
    assert "PyTorch's sqrt : 0 of 6 elements, at no step" in page["optim/adam.html"].text
    growth = page["models/mlp.html"].text
    assert "linear1.bias[7] is furthest apart, by 0.028 : ill-conditioned" in growth
    assert "By themselves its steps make 1.2e-7" in growth
    assert "the problem makes 2e5 ulp" in growth
    assert "5 of linear1.bias are ill-conditioned" in growth


def test_the_machine_is_shown_once():
    page = pages_of(explanation_record(), explanation_record(case={"desc": "other"}))["machine.html"].text
    assert page.count("sqrt float32 PyTorch off at times 0.61 % 0.55 ulp") == 1
    assert "sqrt float32 NumPy = correct wherever tried 0 % 0.5 ulp" in page
    assert "addcmul multiply and add round once fused" in page
    assert "sum two threads add up half each shares" in page


def test_two_machines_are_shown_beside_each_other():
    other = explanation_record(findings=FINDINGS | {"machine": FINDINGS["machine"] | {"cpu": "another CPU"}})
    assert len(contents([explanation_record(), explanation_record(case={"desc": "other"})]).machines) == 1
    assert len(contents([explanation_record(), other]).machines) == 2
    assert contents([explanation_record(findings=None)]).machines == []


# Nothing in a record can harm a page.


def hostile(text: str):
    """Records of every kind that say `text` wherever a text of somebody's can stand."""
    run = run_record(
        subject=f"optim.{text}", case={"desc": text}, path=text, rerun=text, environment={"python": text, "cpu": text},
        evidence=finding(tensor=text, line=text), first_difference=finding(line=text),
        quantities={"param": {"line": text, "verdict": "rounding"}},
    )  # fmt: skip
    claims = [dict.fromkeys(("claim", "original", "found", "why"), text) | {"holds": "partly", "theirs": None}]
    runs = [dict.fromkeys(("subject", "case", "dtype"), text) | {"steps": 1, "verdict": "rounding", "used": 0.3}]
    numbers = [printed(**dict.fromkeys(("name", "notebook", "ours", "theirs"), text))]
    names = (*RUNGS[:3], text)
    findings = FINDINGS | {
        "contraction": {text: text}, "machine": FINDINGS["machine"] | {"cpu": text}, "missing": text,
    }  # fmt: skip
    stage = {
        "stage": text, "tensor": text, "shape": [6], "equations": {text: text},
        "lines": [
            line(text, code=text, their_code=text, differing=1, scaled_ulp=1.0,
                 operations=[{"name": text, "value": None}]),
            line("idle", code=text, idle=True, operations=[]),
        ],
    }  # fmt: skip
    met = {"key": "cause.met", "values": {"seen": text}}
    wrong = cause(
        f"a {text}", formula=text, equations={text: text}, seen=met, tensor=text,
        changes=[{"of": "line", "line": text, "ours": text, "theirs": text}], fix=met, code=text,
    )  # fmt: skip
    count = {"line": text, "kind": "count", "start": 0.0, "when": "", **AXES}
    case = {"desc": text, "problem": text, "hyperparameters": {text: text}, "lr_at": {text: 1}}
    given = {text: 0.1, f"{text}2": True, f"{text}3": [0.1, 0.2]}
    settled = setting(name=text, why=met, case=case, hyperparameters=given)
    laboratory = laboratory_record(
        subject=f"optim.{text}", equations={"g": text, text: text},
        state={"momentum_buffer": {"line": "buf", "kind": "array", "start": text, "when": text, **AXES}, text: count},
        functions={text: {"paper": FUNCTION, "pytorch": FUNCTION}},
        settings=[settled],
    )  # fmt: skip
    return [
        laboratory,
        run,
        experiment_record(subject=text, title=text, claims=claims, printed=numbers, runs=runs, figures=["weights"]),
        explanation_record(
            names, case={"desc": text}, rerun=text, kernels=[text], findings=findings, explained=False,
            left=left(tensor=text, line=text),
        ),
        growth_record(worst=[text, [1], text], classes={text: 1}, ill_conditioned={text: 1}),
        walk_record(
            case={"desc": text}, rerun=text, source={text: text}, walked=[[stage]], steps=1, state={text: text},
            equations={text: text},
        ),
        detection_record(
            scenarios=[scenario(text), scenario("tiny")], rows=rows([(f"a {text}", wrong), "b"]),
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_text_is_shown_and_not_obeyed(language):
    said = site(hostile(HOSTILE), Undrawn(), (language,))
    plain = site(hostile("<harmless"), Undrawn(), (language,))  # a name that sorts as the other does
    for (name, text), other in zip(said.items(), plain.values(), strict=True):
        page, harmless = Page(text), Page(other)
        # Pygments cuts code into other tokens
        without = [
            [tag for tag in one.tags if tag not in ("span", "mi", "mo", "mn", "mrow", "mtext")]
            for one in (page, harmless)
        ]
        assert without[0] == without[1], name
        assert set(page.attributes) <= set(harmless.attributes) | {"class", "data-symbol", "display"}
        assert "alert(2)" not in "".join(value for value in page.addresses if not value.startswith("data:"))
        assert "49" not in re.sub(r"data:[^\"]*", "", page.text)
        assert re.fullmatch(r"[\w./-]+", name)
    assert sum(Page(text).text.count("<script>alert(1)</script>") for text in said.values()) > 30


def test_a_page_needs_nothing_from_outside():
    for text in site(everything(), Undrawn()).values():
        scripts = re.findall(r"<script[^>]*>", text)
        data = re.findall(r'<script type="application/json"(?: id="[\w.-]+")?>', text)
        assert {*scripts} - {*data} <= {"<script>", '<script type="module">'}
        assert len(scripts) - len(data) <= 2
        assert "url(" not in text.replace("url(#", "")
        assert "@import" not in text
        assert not re.search(r"\bon[a-z]+=", re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.DOTALL))


def test_what_is_read_aloud_is_text_alone():
    labels = [label for text in site(everything(), Undrawn()).values() for label in Page(text).labels]
    assert any(label.startswith("drift of param") for label in labels)
    assert not [label for label in labels if "<" in label]


def test_the_script_is_short_and_ours_alone():
    script = html.static("script.js")
    assert 0 < len(script.splitlines()) <= 100
    assert "http" not in script
    assert script.strip() in site([walk_record()], Undrawn())["optim/adam.html"]


def test_a_formula_that_has_no_translation_makes_no_laboratory():
    for source in ("import os", "def paper(x):\n    os.system('x')\n    return Lines(x)", "", HOSTILE):
        pages = pages_of(laboratory_record(source={"paper": source, "pytorch": source}))
        assert "data-lab" not in pages["optim/adam.html"].attributes
    assert "data-lab" in pages_of(laboratory_record())["optim/adam.html"].attributes


def test_a_page_whose_formulas_do_not_run_in_it_says_so():
    said = "No line can be changed on this page"
    assert said in pages_of(walk_record())["optim/adam.html"].text
    assert said not in pages_of(walk_record(), laboratory_record())["optim/adam.html"].text
    assert said not in pages_of(run_record())["optim/adam.html"].text  # no formula stands there


def test_messages_are_escaped_as_html():
    speaker = html.Speaker("en")
    assert speaker.written("<b>", "code") == "<code>&lt;b&gt;</code>"
    assert speaker.written("<b>", "user") == "<bdi>&lt;b&gt;</bdi>"
    assert speaker("rung.kernel", name="<b>") == "PyTorch&#39;s <code>&lt;b&gt;</code>"
    listed = speaker.written(["<b>", message("rung.kernel", name="<i>")], "list")
    assert listed == "&lt;b&gt; and PyTorch&#39;s <code>&lt;i&gt;</code>"


def test_addresses_are_safe_and_relative():
    assert address.of_subject("optim.adam") == "optim/adam.html"
    assert not address.of_subject("../../etc/passwd").startswith((".", "/"))
    place = address.Place("optim/adam/eps.html", "ko")
    assert place.file == "ko/optim/adam/eps.html"
    assert place.to("index.html") == "../../index.html"
    assert place.to(place.page, "en") == "../../../optim/adam/eps.html"
    assert place.beside("figures/a.png") == "../../../figures/a.png"
    assert address.Place("index.html", "ko", ("ko",)).file == "index.html"


def test_the_notebook_is_told_in_its_chapters():
    chapters = [
        chapter("optimizers", figures=["paths"], subjects=["optim.adam"], code="run = 1"),
        chapter("comparison", figures=["summary"], claims=True),
    ]
    numbers = [printed(chapter="optimizers")]
    record = experiment_record(chapters=chapters, printed=numbers, figures=["paths", "summary"])
    page = pages_of(record, run_record())["notebook.html"]
    first, second = page.text.split("2. All together")
    assert "1. Optimizers" in first
    assert "Line by line: Adam" in first
    assert "[-1.4 2.07]" in first
    assert "run = 1" in first
    assert "does not hold" not in first
    assert "does not hold" in second
    assert "[-1.4 2.07]" not in second
    assert page.tags.count("figure") == 2
    assert "1. 고급 최적화 알고리즘" in pages_of(record)["ko/notebook.html"].text


# The table of causes.


def shown(**changes) -> Detection:
    return Detection(detection_record(**changes), Undrawn())


def test_the_table_of_causes_says_what_is_caught_and_where():
    assert PageVoice("en").say(shown().finding) == (
        "All 2 causes caught, by one scenario, “tiny”. Rounding makes errors of at most 6e-5 lr"
    )
    broken = cell(2.0, 1.0) | {"used": "inf", "error": "inf"}  # as JSON has it
    split = [[cell(0.3, 6e-5), cell(0.2, 3e-5)], [cell(2e4, 0.98), cell(0.4, 6e-5)], [cell(0.9, 1e-5), broken]]
    assert (
        PageVoice("en")
        .say(shown(rows=rows(cells=split)).finding)
        .startswith("All 2 causes caught, by no scenario alone: “tiny” catches 1.")
    )
    one = [[cell(0.3, 6e-5), cell(0.2, 3e-5)], [cell(2e4, 0.98), cell(0.4, 6e-5)], [cell(0.9, 1e-5)] * 2]
    assert (
        PageVoice("en")
        .say(shown(rows=rows(cells=one)).finding)
        .startswith("1 of 2 causes caught, by one scenario, “tiny”")
    )
    none = shown(rows=rows(cells=[[cell(0.3, 6e-5), cell(0.2, 3e-5)]] * 3))
    assert PageVoice("en").say(none.finding) == "None of 2 causes is caught; rounding makes errors of at most 6e-5 lr"


def test_the_table_of_causes_is_coloured_where_they_show_and_nowhere_else():
    text = site([detection_record()], Undrawn(), ("en",))["optim/adam.html"]
    cells = re.findall(r'<td class="number([^"]*)"( style="[^"]*")?>.*?([\d.e∞-]+)</span></td>', text)
    assert [(kind, style) for kind, style, _ in cells] == [
        ("", ""), ("", ""), (" shows meant", ' style="--heat: 100%"'), ("", ""),
        (" shows meant", ' style="--heat: 90%"'), (" shows", ' style="--heat: 0%"'),
    ]  # fmt: skip
    infinite = shown(rows=rows(cells=[*ERRORS[:2], [ERRORS[2][0], cell(math.inf, math.inf)]]))
    assert [infinite.heat(size) for size in (0.5, 0.98, math.inf)] == [0, 100, 100]
