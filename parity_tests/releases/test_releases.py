"""The page about PyTorch's releases is what was recorded of them, and this release is as it was recorded."""

import copy
import json
import pathlib
import subprocess
import sys

import pytest
import torch

from parity_tests.releases import facts, page

ROOT = pathlib.Path(__file__).parents[2]
RELEASE = torch.__version__.partition("+")[0]
KNOWN = page.recordings()


def test_the_page_is_what_was_recorded():
    assert page.page(KNOWN) == (ROOT / "docs/releases.md").read_text("utf-8")


def test_the_pinned_release_and_all_that_are_tested_are_recorded():
    pinned = (ROOT / "constraints.txt").read_text("utf-8").partition("\ntorch==")[2].splitlines()[0]
    assert {pinned, *page.TESTED} <= set(KNOWN)
    assert f'"torch>={page.TESTED[0].rpartition(".")[0]}",' in (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.mark.skipif(RELEASE not in KNOWN, reason=f"there is no recording of {RELEASE}")
@pytest.mark.parametrize("of", ["options", "refusals", "operations"])
def test_this_release_is_as_recorded(of):
    assert getattr(facts, of)() == KNOWN[RELEASE][of]


@pytest.mark.skipif(RELEASE not in KNOWN, reason=f"there is no recording of {RELEASE}")
def test_its_random_streams_are_as_recorded():
    """Those that no processor's instructions decide: whole numbers and uniform ones."""
    plain = [name for name in KNOWN[RELEASE]["default"]["streams"] if name.startswith(("rand(", "randint", "randperm"))]
    assert len(plain) > 8
    held = {name: bits for name, bits in facts.streams().items() if name in plain}
    assert held == {name: KNOWN[RELEASE]["default"]["streams"][name] for name in plain}


def test_the_facts_are_written_by_the_command_that_the_page_names():
    command = [sys.executable, "-W", "ignore", facts.__file__, "bits"]
    ran = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    assert set(json.loads(ran.stdout)) == {"streams", "kernels"}


def changed(change) -> list[str]:
    facts_after = copy.deepcopy(KNOWN[RELEASE if RELEASE in KNOWN else page.TESTED[0]])
    before = copy.deepcopy(facts_after)
    change(facts_after)
    return [*page.changed(before, facts_after)]


CHANGES = [
    (lambda f: f["options"]["optim.Adam"].update(lr="0.1"), "`optim.Adam`: `lr` is 0.1 by default; before, 0.001."),
    (lambda f: f["options"]["optim.Adam"].pop("eps"), "`optim.Adam`: no longer takes `eps`."),
    (lambda f: f["options"]["optim.Adam"].update(beta3="0.5"), "`optim.Adam`: takes `beta3`, 0.5 by default."),
    (lambda f: f["options"].pop("optim.Adam"), "`optim.Adam`: gone."),
    (lambda f: f["refusals"].update({"Adam(lr=0)": "ValueError: no"}), "`Adam(lr=0)`: \u201cValueError: no\u201d;"),
    (lambda f: f["operations"].update({"SGD single": ["add_", "zap_"]}), "SGD single runs `zap_`"),
    (lambda f: f["own"]["kernels"].update({"exp, float32": "0"}), "exp (float32): rounds otherwise, with this"),
    (lambda f: f["default"]["streams"].update({"randperm(10)": "0"}), "randperm(10): draws other bits, with plain"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), CHANGES, ids=[sentence for _, sentence in CHANGES])
def test_a_change_is_told(change, sentence):
    (told,) = changed(change)
    assert told.startswith(sentence)


def test_nothing_is_told_of_what_did_not_change():
    assert changed(lambda facts: None) == []


def test_bits_stand_for_every_number():
    x = torch.ones(5)
    assert facts.bits(x) == facts.bits(torch.ones(5)) != facts.bits(torch.nextafter(x, x + 1))
    assert facts.bits(torch.zeros(1)) != facts.bits(-torch.zeros(1))
