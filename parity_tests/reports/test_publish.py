"""The report as a whole: the same every time, without torch, whole or not at all; malformed records are refused."""

import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import reports
from lockstep.records.loading import load
from lockstep.tasks.workers import Progress, TaskFailed
from parity_tests.reports.made import (
    detection_record,
    experiment_record,
    explanation_record,
    growth_record,
    identical_record,
    run_record,
    walk_record,
)
from parity_tests.reports.page import Page, tree
from reports.figures import heat

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def command(arguments, **environment):
    call = [sys.executable, "-m", "reports", *arguments]
    return subprocess.run(call, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)


BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "torch_impl", "reference", "sklearn"}:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Blocked())
try:
    import torch
except ModuleNotFoundError:
    pass
else:
    sys.exit("the block does not hold")
"""


def test_two_processes_one_without_torch_write_the_same_bytes(tmp_path):
    made = {
        "a": run_record(), "b": identical_record(case={"desc": "zero"}), "c": walk_record(), "d": detection_record(),
        "e": explanation_record(), "f": experiment_record(), "g": growth_record(),
    }  # fmt: skip
    for name, record in made.items():
        record.save(tmp_path / f"records/{name}.json")
    (tmp_path / "block").mkdir()
    (tmp_path / "block/sitecustomize.py").write_text(BLOCKED)  # which every process imports first, workers too
    without = {"PYTHONPATH": str(tmp_path / "block")}
    for name, workers, settings in (("one", "1", {}), ("two", "2", without)):
        arguments = ["--records", str(tmp_path / "records"), "--out", str(tmp_path / name), "--workers", workers]
        done = command(arguments, PYTHONHASHSEED=workers, **settings)
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"report: {tmp_path / name / 'index.html'}\n"
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two")
    assert {"index.html", "ko/optim/adam.html", "optim/adam/eps-value.html"} < set(one)
    assert one == two


# Malformed records are refused.


def spoil_json(change):
    def spoil(file):
        data = json.loads(file.read_text("utf-8"))
        change(data)
        file.write_text(json.dumps(data), "utf-8")

    return spoil


def spoil_arrays(**arrays):
    def spoil(file):
        record = load(file)
        named = {name.replace("_of_", "/").replace("_slash_", "/"): array for name, array in arrays.items()}
        vars(record)["arrays"] = record.arrays | named
        record.save(file)

    return spoil


MALFORMED = {
    "truncated": (lambda file: file.write_bytes(file.read_bytes()[:300]), "no JSON, or truncated"),
    "of a later schema": (spoil_json(lambda data: data.update(version=99)), "version 99 of the schema"),
    "another archive": (
        spoil_json(lambda data: data["arrays"].update(sha256="0")),
        "is not the archive it was written with",
    ),
    "no verdict": (spoil_json(lambda data: data.pop("verdict")), "the record is without verdict"),
    "a short series": (
        spoil_arrays(drift_of_param_slash_absolute=np.zeros(3)),
        "'drift/param/absolute' has shape (3,)",
    ),
    "words in an array": (spoil_arrays(trace_of_loss_slash_numpy=np.array(["a"] * 12)), "holds no numbers"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_record_is_refused_and_the_old_report_stays(name, tmp_path, call):
    spoil, expected = MALFORMED[name]
    good, bad, out = tmp_path / "records/good.json", tmp_path / "records/z.json", tmp_path / "out"
    for file in (good, bad):
        identical_record().save(file) if file == good else run_record().save(file)
    (out / "figures").mkdir(parents=True)
    (out / "index.html").write_text(reports.publish.MARK + "the old one", "utf-8")
    before = tree(out)
    spoil(bad)
    status, printed, said = call("report", "--records", str(tmp_path / "records"), "--out", str(out))
    assert (status, printed) == (2, "")
    assert expected in said
    assert tree(out) == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out", "records"]


@pytest.mark.parametrize("name", ["truncated", "of a later schema", "another archive"])
def test_a_record_that_cannot_be_read_is_refused_in_korean(name, tmp_path, call):
    spoil, expected = MALFORMED[name]
    spoil(run_record().save(tmp_path / "records/a.json"))
    status, _, said = call("--lang", "ko", "report", "--records", str(tmp_path / "records"))
    assert status == 2
    assert re.search("[가-힣]", said)
    assert expected not in said


# Whole, or not at all.


def test_a_failure_in_the_middle_leaves_the_old_report(tmp_path, monkeypatch):
    out = tmp_path / "out"
    reports.render([identical_record()], out)
    before = tree(out)

    def fail(record):
        raise RuntimeError("no paper")

    monkeypatch.setattr(heat, "draw", fail)
    with pytest.raises(TaskFailed, match="heat: RuntimeError: no paper"):
        reports.render([run_record()], out)
    assert tree(out) == before
    assert list(tmp_path.iterdir()) == [out]


def test_a_new_report_replaces_the_old_one_and_nothing_else(tmp_path):
    out = tmp_path / "out"
    reports.render([run_record(), run_record(subject="optim.sgd"), explanation_record(), experiment_record()], out)
    assert {"machine.html", "notebook.html", "ko/optim/sgd.html"} < set(tree(out))
    (out / "notes.txt").write_text("mine")
    (out / "mine.html").write_text("mine, too")
    (out / "records").mkdir()
    (out / "records/a.json").write_text("a record")
    reports.render([identical_record()], out, ("en",))
    assert sorted(name for name in tree(out) if not name.startswith("figures/")) == [
        "index.html", "mine.html", "notes.txt", "optim/adam.html", "records/a.json",
    ]  # fmt: skip
    assert "identical to the last bit" in (out / "index.html").read_text("utf-8")


@pytest.mark.parametrize("entry", ["index.html", "figures/mine.png", "optim/mine.txt", "machine.html"])
def test_somebody_elses_folder_is_left_alone(entry, tmp_path, call):
    out = tmp_path / "thesis"
    (out / entry).parent.mkdir(parents=True)
    (out / entry).write_text("years of work")
    run_record().save(tmp_path / "records/a.json")
    status, _, said = call("report", "--records", str(tmp_path / "records"), "--out", str(out))
    assert status == 2
    assert "that is not of a report; name another folder" in said
    assert tree(out) == {entry: b"years of work"}


def test_somebody_elses_page_in_a_report_is_left_alone(tmp_path):
    out = tmp_path / "out"
    reports.render([run_record()], out)
    (out / "notebook.html").write_text("years of work")
    before = tree(out)
    with pytest.raises(reports.NotAReport, match=r"has a notebook\.html that is not of a report"):
        reports.render([experiment_record()], out)
    assert tree(out) == before


# The command.


def test_only_some_subjects(tmp_path, call):
    for subject in ("optim.adam", "optim.sgd"):
        identical_record(subject=subject).save(tmp_path / f"records/{subject}.json")
    words = ["report", "--records", str(tmp_path / "records"), "--out", str(tmp_path / "out")]
    assert call(*words, "--only", "optim.sgd", "--lang", "ko")[0] == 0
    page = Page((tmp_path / "out/index.html").read_text("utf-8"))
    assert "모든 대상" in page.text
    assert not (tmp_path / "out/ko").exists()
    assert "optim.sgd" in page.text
    assert "optim.adam" not in page.text
    status, _, said = call(*words, "--only", "optim.lion")
    assert status == 2
    assert "no record of optim.lion; there are optim.adam, optim.sgd" in said


def test_no_records_is_an_error(tmp_path, call):
    status, _, said = call("report", "--records", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out"))
    assert status == 2
    assert "no records (NAME.json) there" in said
    assert call("report", "--frobnicate")[0] == 2
    assert call("report", "--records", str(tmp_path), "--lang", "de")[0] == 2
    both = ("--records", str(tmp_path), "--mnist", str(tmp_path))
    for language, expected in (("en", "--records runs nothing, so it goes with no --mnist"), ("ko", "함께 쓸 수 없다")):
        status, _, said = call("--lang", language, "report", *both, "--out", str(tmp_path / "out"))
        assert status == 2
        assert expected in said
    assert list(tmp_path.iterdir()) == []


def test_it_says_in_korean_what_it_took(tmp_path, call):
    identical_record().save(tmp_path / "records/a.json")
    words = ("report", "--records", str(tmp_path / "records"), "--out", str(tmp_path / "out"), "--workers", "1")
    status, printed, said = call("--lang", "ko", *words)
    assert (status, printed) == (0, f"보고서: {tmp_path / 'out/index.html'}\n")
    assert re.fullmatch(
        r"보고서: 기록 .*초.*, 그림과 페이지 .*초.*\. 모두 .*초, 한꺼번에 1개씩\n"
        r"프로세스들이 쓴 프로세서 시간: .* \d+\.\d초\n",
        said,
    )
    assert not re.search("pages|pictures", said)
    assert "기록(NAME.json)이 없다" in call("--lang", "ko", "report", "--records", str(tmp_path / "out/ko"))[2]


def test_without_records_the_experiments_are_run(tmp_path, monkeypatch, call):
    told = []

    def collect(out_dir, only, data, workers, tell):
        told.append((only, out_dir.name, data, workers.count))
        tell(Progress(1, 2, ("optim.adam",), 1.0, 2.0))
        return [identical_record().save(out_dir / "adam.json")]

    monkeypatch.setitem(sys.modules, "lockstep.experiments", types.SimpleNamespace(collect=collect))
    out = tmp_path / "build/report"
    status, printed, _ = call("report", "--out", str(out), "--only", "optim.adam", "--mnist", "data", "--workers", "1")
    assert (status, printed) == (0, f"report: {out / 'index.html'}\n")
    assert told == [(["optim.adam"], "records", {"mnist": Path("data")}, 1)]
    assert sorted(file.name for file in out.iterdir()) == ["figures", "index.html", "ko", "optim", "records"]
    assert load(out / "records/adam.json").verdict == "identical"
    assert sorted(file.name for file in out.parent.iterdir()) == ["report", "report.kept"]
