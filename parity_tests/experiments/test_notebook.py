"""The notebook on both sides: its printed numbers to every digit, and claims whose words follow the numbers."""

import dataclasses

import numpy as np
import pytest

import lockstep
from lockstep.experiments import collection
from lockstep.experiments.notebook import claims, parts
from lockstep.experiments.notebook import record as notebook
from lockstep.experiments.notebook.claims import Facts, Gain, Rate, Spot
from lockstep.numerics.verdict import Verdict
from lockstep.records.loading import load
from lockstep.subjects.families.draws import Notebook
from lockstep.subjects.registry import subjects
from lockstep.tasks import workers
from lockstep.text import ENGLISH, LANGUAGES, Message, Voice, texts

pytestmark = pytest.mark.slow

PLAN = notebook.plan()
FIGURES = [name for name in PLAN if name.startswith(("optim/", "regular/")) and name != "regular/both"]


@pytest.fixture(scope="module")
def runs():
    """Those of its runs that the notebook has, whole; and every other in a few steps, for what it writes."""
    made = {}
    for name, arguments in PLAN.items():
        whole = name == "batchnorm" or name in FIGURES
        seldom = {"judge_every": 1000, "drift_every": 1000}
        made[name] = lockstep.run(**(arguments | seldom | ({} if whole else {"steps": 2})))
    return made


@pytest.fixture(scope="module")
def record(runs):
    return notebook.record({name: parts.kept(name, run, notebook.part(name)[2]) for name, run in runs.items()})


# The numbers it prints


@pytest.mark.parametrize("name", notebook.PRINTED)
def test_both_sides_print_what_the_notebook_printed(record, name):
    (entry,) = [entry for entry in record.printed if entry.name.key == f"printed.{name}"]
    assert entry.ours == entry.notebook
    assert entry.theirs == entry.notebook
    assert entry.equal is True


def test_a_last_digit_that_is_not_the_notebooks_is_told(record):
    arrays = dict(record.arrays)
    arrays["nb/optim/adam/ours/path"] = arrays["nb/optim/adam/ours/path"] + 1e-8
    found = {entry.name.key: entry for entry in notebook.printed(arrays)}
    assert found["printed.position.adam"].equal is False
    assert found["printed.position.sgd"].equal is True


@pytest.mark.parametrize("array", [np.array([0.999996, 0.999996]), np.array([-1.5, 2.25]), np.array([1e-16, 0.0])])
def test_arrays_are_written_as_numpy_prints_them(array):
    assert notebook.as_printed(array).split() == str(array).replace("[ ", "[").split()


@pytest.mark.parametrize("name", FIGURES)
def test_the_sides_part_by_rounding_alone(runs, name):
    assert runs[name].verdict in (Verdict.IDENTICAL, Verdict.ROUNDING)


def test_the_notebooks_stream_is_numpys_after_its_seed():
    ours, theirs = Notebook(42), np.random.RandomState(42)
    weight, bias = ours.linear(2, 20, True, np.float64)
    assert weight.tobytes() == (theirs.randn(20, 2) * 0.1).tobytes()
    assert not bias.any()
    assert ours.linear(20, 1, True, np.float64)[0].tobytes() == (theirs.randn(1, 20) * 0.1).tobytes()
    for _ in range(2):  # samples are columns there, rows here
        mask = ours.dropout_mask(0.3, (40, 20), np.float64)
        assert mask.tobytes() == np.ascontiguousarray((theirs.rand(20, 40) > 0.3).T).astype(float).tobytes()


# What it promises and never writes


def test_adagrad_and_l1_are_added_and_say_with_what(record, runs):
    assert record.settings["optim"]["adagrad"] == {"lr": 0.01}
    assert record.settings["regular"]["l1"]["l1"] == 0.1
    assert set(record.settings["added"]) == {"adagrad", "l1"}
    assert runs["optim/adagrad"].outcome.steps == 100


# Its figures


def test_every_array_of_the_figures_is_there_on_both_sides(record):
    arrays = record.arrays
    for side in ("ours", "theirs"):
        for name in ("sgd", "rmsprop", "adam", "adagrad"):
            path, loss = (arrays[f"nb/optim/{name}/{side}/{what}"] for what in ("path", "loss"))
            assert path.shape == (101, 2)
            assert path[0].tolist() == [-1.5, 2.5]
            assert loss.shape == (101,)
            assert loss[0] == 12.5
        for name in ("none", "l2", "l1", "dropout"):
            assert arrays[f"nb/regular/{name}/{side}/losses"].shape == (2000,)
            assert arrays[f"nb/regular/{name}/{side}/W1"].shape == (20, 2)
        assert arrays[f"nb/batchnorm/{side}"].shape == (2, 4)
    assert arrays["nb/batchnorm/before"].tolist() == [[2, 3, 4, 5], [1, 2, 3, 4]]
    assert arrays["trace/contour/z"].shape == (100, 100)
    assert arrays["trace/contour/z"][0, -1] == (1 - 2) ** 2 + 100 * (-1 - 4) ** 2  # x runs along a row


def test_the_record_is_read_back(record, tmp_path):
    record.save(tmp_path / "notebook.json")
    found = load(tmp_path / "notebook.json")
    assert found.kind == "experiment"
    assert [claim.claim.key for claim in found.claims] == [f"claim.{row}.claim" for row in claims.CLAIMS]
    assert repr(found.claims) == repr(record.claims)  # a NaN among them is no other NaN
    assert found.to_json() == record.to_json()
    assert found.arrays.keys() == record.arrays.keys()
    assert {entry.verdict for entry in found.runs} <= set(Verdict)


def test_a_claim_without_a_verdict_of_its_own_is_none(record):
    for claim in record.claims:
        assert claim.holds in (True, False, "partly")
        assert all(
            Voice(language).say(getattr(claim, part)) for language in LANGUAGES for part in ("claim", "found", "why")
        )


def test_the_korean_claims_are_the_notebooks_own_sentences(record):
    assert [claim.original for claim in record.claims] == [
        "Adam이 가장 빠르게 수렴",
        "RMSprop도 SGD보다 훨씬 빠름",
        "SGD는 느리지만 때로는 더 나은 최종 성능",
        "L2 정규화가 가중치 크기를 효과적으로 제한",
        "Dropout도 과적합 방지에 효과적",
        "작은 데이터셋에서 특히 중요",
        "입력을 정규화하여 학습 안정화",
        "평균 0, 분산 1로 변환",
        "더 높은 학습률 사용 가능",
        "Adam을 기본으로 사용, 필요시 SGD로 fine-tuning",
        "L2와 Dropout을 함께 사용",
        "깊은 네트워크에서 필수적",
    ]


# The claims: the notebook's own numbers, then others


def rates(**accuracies) -> dict[bool, dict[float, Rate]]:
    """Of BatchNorm and of none, an accuracy and a jump a learning rate."""
    return {
        True: {lr: Rate(*pair, 0.1) for lr, pair in zip((0.1, 1.0, 10.0), accuracies["normed"], strict=True)},
        False: {lr: Rate(*pair, 0.1) for lr, pair in zip((0.1, 1.0, 10.0), accuracies["plain"], strict=True)},
    }


FOUND = Facts(
    steps=100,
    left={"sgd": Spot(2.667, 5.954), "rmsprop": Spot(2.684, 6.017), "adam": Spot(2.869, 6.412)},
    later_steps=3000,
    later={"sgd": Spot(0.485, 0.0574), "rmsprop": Spot(0.0651, 0.0227), "adam": Spot(0.00922, 1.7e-5)},
    norms={"none": 2.6515, "l2": 2.2032, "l1": 1.9141, "dropout": 2.8845},
    samples=40,
    seen={"none": 0.0007, "l2": 0.003, "l1": 0.004, "dropout": 0.0003, "both": 0.002},
    fresh={"none": 0.0081, "l2": 0.0124, "l1": 0.0145, "dropout": 0.0077, "both": 0.01},
    gains={"l2": Gain(-0.0043, 0.0009), "dropout": Gain(0.0005, 0.0007), "both": Gain(-0.002, 5e-4)},
    large=400,
    fresh_large={"none": 0.004, "l2": 0.0041, "dropout": 0.0037},
    gains_large={"l2": Gain(-0.0001, 0.0001), "dropout": Gain(0.0003, 0.0006)},
    mean=0.0,
    variance=0.999992,
    expected_variance=0.999992,
    rounding=1e-15,
    rate_steps=100,
    rates=rates(normed=[(0.95, 0.2), (0.97, 0.4), (0.3, 3.0)], plain=[(0.5, 0.1), (0.7, 1.0), (0.1, 9.0)]),
    depth=8,
    deep={"sgd": (0.103, 0.961), "adam": (0.326, 0.958)},
    adam=0.978,
    tuned=Gain(0.003, 0.005),
    held_back=359,
    adam_steps=150,
    tuning_steps=50,
)  # fmt: skip


def spots(sgd, rmsprop, adam):
    return {"sgd": Spot(*sgd), "rmsprop": Spot(*rmsprop), "adam": Spot(*adam)}


ADAM_FIRST = spots((2, 2), (1, 1), (0.1, 0.1))
RMSPROP_FIRST = spots((2, 2), (0.1, 0.1), (1, 1))
SGD_FIRST = spots((0.1, 0.1), (1, 1), (2, 2))
SGD_SECOND = spots((2, 2), (1, 1), (3, 3))
BOTH_GAIN = {"l2": Gain(0.1, 1e-3), "dropout": Gain(0.1, 1e-3)}
OUTCOMES = [
    (claims.fastest, {}, "partly", "furthest from the optimum"),
    (claims.fastest, {"left": ADAM_FIRST}, True, "nearest to the optimum"),
    (claims.fastest, {"left": RMSPROP_FIRST}, "partly", "second nearest to the optimum"),
    (claims.fastest, {"later": SGD_FIRST}, False, "After 3000 the order is SGD 0.1"),
    (claims.fastest, {"left": spots((1, 3), (2, 1), (3, 2))}, "partly", "by loss the order is another"),
    (claims.much_faster, {}, "partly", "RMSprop is behind SGD"),
    (claims.much_faster, {"left": ADAM_FIRST, "later": ADAM_FIRST}, True, "RMSprop is ahead of SGD"),
    (claims.much_faster, {"later": SGD_FIRST}, False, "behind"),
    (claims.much_faster, {"left": ADAM_FIRST, "later": SGD_FIRST}, "partly", "ahead"),
    (claims.better_at_the_end, {}, False, "the lowest loss of the three after 100"),
    (claims.better_at_the_end, {"left": ADAM_FIRST, "later": SGD_FIRST}, True, "highest loss of the three after 100"),
    (claims.better_at_the_end, {"later": SGD_FIRST}, "partly", "the lowest after 3000"),
    (claims.better_at_the_end, {"left": ADAM_FIRST}, "partly", "the highest after 3000"),
    (claims.better_at_the_end, {"left": SGD_SECOND}, "partly", "the second lowest loss"),
    (claims.limits_weights, {}, True, "-17 %"),
    (claims.limits_weights, {"norms": FOUND.norms | {"l2": 2.9167}}, False, "+10 %"),
    (claims.against_overfitting, {}, False, "within what chance may do"),
    (claims.against_overfitting, {"gains": {"dropout": Gain(0.005, 1e-3)}}, True, "is no chance"),
    (claims.against_overfitting, {"gains": {"dropout": Gain(-0.005, 1e-3)}}, False, "is a loss, and no chance"),
    (claims.on_small_data, {}, False, "-0.0043 ± 0.0018 on 40"),
    (claims.on_small_data, {"gains": {"l2": Gain(0.1, 1e-3), "dropout": Gain(0.1, 1e-3)}}, True, "+0.1000"),
    (claims.on_small_data, {"gains": {"l2": Gain(0.1, 1e-3), "dropout": Gain(0.0, 1e-3)}}, "partly", "+0.0000"),
    (claims.on_small_data, {"gains": {"l2": Gain(-0.1, 1e-3), "dropout": Gain(-0.1, 1e-3)}}, False, "-0.1000"),
    (claims.on_small_data, {"gains": BOTH_GAIN, "gains_large": BOTH_GAIN}, False, "+0.1000 ± 0.0020 on 400"),
    (claims.on_small_data, {"gains": {"l2": Gain(0.001, 1e-3), "dropout": Gain(0.001, 1e-3)}}, False, "+0.0010"),
    (claims.stabilises, {}, True, "at 2 of them, without it at 0"),
    (
        claims.stabilises,
        {"rates": rates(normed=[(0.95, 0.2), (0.5, 4.0), (0.1, 9.0)], plain=[(0.5, 0.2), (0.5, 1.0), (0.1, 9.0)])},
        "partly",
        "at 1 of them, without it at 0",
    ),
    (
        claims.stabilises,
        {"rates": rates(normed=[(0.5, 0.2), (0.5, 4.0), (0.1, 9.0)], plain=[(0.95, 0.2), (0.5, 1.0), (0.1, 9.0)])},
        False,
        "at 0 of them, without it at 1",
    ),
    (
        claims.stabilises,
        {"rates": rates(normed=[(0.5, 0.2), (0.5, 0.5), (0.1, 9.0)], plain=[(0.95, 0.2), (0.5, 1.0), (0.1, 9.0)])},
        "partly",
        "0.5 with it and 1 without",
    ),
    (claims.normalises, {}, "partly", "0.99999200"),
    (claims.normalises, {"variance": 1.0}, True, "1.00000000"),
    (claims.normalises, {"variance": 0.75, "mean": 0.1}, False, "0.75"),
    (claims.higher_rates, {}, True, "is 1 with BatchNorm and none without"),
    (
        claims.higher_rates,
        {"rates": rates(normed=[(0.95, 0.2), (0.5, 4.0), (0.1, 9.0)], plain=[(0.95, 0.2), (0.95, 1.0), (0.1, 9.0)])},
        False,
        "is 0.1 with BatchNorm and 1 without",
    ),
    (claims.adam_then_sgd, {}, "partly", "+1 of 359"),
    (claims.adam_then_sgd, {"tuned": Gain(0.02, 0.005)}, True, "+7 of 359"),
    (claims.adam_then_sgd, {"tuned": Gain(-0.02, 0.005), "adam": 0.5}, False, "-7 of 359"),
    (claims.together, {}, False, "-0.0020"),
    (claims.together, {"gains": {"both": Gain(0.002, 1e-4)}, "fresh": FOUND.fresh | {"both": 0.006}}, True, "0.0060"),
    (claims.together, {"gains": {"both": Gain(0.002, 1e-4)}}, "partly", "+0.0020"),
    (claims.together, {"gains": {"both": Gain(0.001, 1e-3)}}, False, "+0.0010"),
    (claims.essential_in_depth, {"deep": {"sgd": (0.95, 0.96), "adam": (0.95, 0.94)}}, False, "95.0 % without"),
    (claims.essential_in_depth, {}, True, "10.3 % without"),
    (claims.essential_in_depth, {"deep": {"sgd": (0.1, 0.96), "adam": (0.95, 0.96)}}, "partly", "95.0 % without"),
    (claims.essential_in_depth, {"deep": {"sgd": (0.96, 0.96), "adam": (0.95, 0.9)}}, False, "96.0 % without"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "numbers", "holds", "words"), OUTCOMES)
def test_the_words_follow_the_numbers(claim, numbers, holds, words):
    found = claim(FOUND._replace(**numbers))
    assert found.holds == holds
    assert words in ENGLISH.say(found.found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_outcomes_of_a_claim_read_the_same(language):
    voice, read, whys = Voice(language), set(), {}
    for claim, numbers, _, _ in OUTCOMES:
        found = claim(FOUND._replace(**numbers))
        read.add((claim.__name__, voice.say(found.found), voice.say(found.why)))
        whys.setdefault((claim.__name__, found.holds), set()).add(voice.say(found.why))
    assert len(read) == len(OUTCOMES)
    for claim in {claim.__name__ for claim, *_ in OUTCOMES}:
        holding, failing = (whys.get((claim, holds), set()) for holds in (True, False))
        assert not holding & failing


def test_every_claim_is_tried_with_two_outcomes_at_least():
    for claim in claims.CLAIMS.values():
        assert len({str(holds) for tested, _, holds, _ in OUTCOMES if tested is claim}) >= 2


def test_pytorchs_numbers_are_told_where_they_say_otherwise():
    same = claims.claims(FOUND, FOUND)
    assert not any("PyTorch" in ENGLISH.say(claim.found) for claim in same)
    other = claims.claims(FOUND, FOUND._replace(norms=FOUND.norms | {"l2": 3.0}))
    told = [claim for claim in other if "PyTorch's run says otherwise" in ENGLISH.say(claim.found)]
    assert [ENGLISH.say(claim.claim) for claim in told] == ["L2 effectively limits the size of the weights"]


def keys(value) -> set[str]:
    """Of a message and of those in it."""
    if isinstance(value, Message):
        return {value.key}.union(*map(keys, value.values.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def test_every_message_of_a_claim_is_said_in_some_outcome(record):
    used = {key for claim, numbers, _, _ in OUTCOMES for key in keys(list(claim(FOUND._replace(**numbers))[1:]))}
    used |= {key for entry in record.claims for key in keys(entry.claim)} | {"claim.otherwise"}
    used |= keys([entry.name for entry in record.printed]) | keys([*record.settings["added"].values()])
    assert used == {key for key in texts("en") if key.startswith(("claim.", "printed."))}


@pytest.mark.parametrize(
    ("gain", "sign"), [(Gain(3, 1), 1), (Gain(-3, 1), -1), (Gain(2, 1), 0), (Gain(-2, 1), 0), (Gain(0, 0), 0)]
)
def test_a_gain_counts_beyond_two_standard_errors(gain, sign):
    assert gain.sign == sign


def test_the_standard_error_is_that_of_a_mean():
    found = notebook.gain(np.array([1.0, 2.0, 3.0, 6.0]))
    assert found.amount == 3.0
    assert found.doubt == np.sqrt(14 / 3) / 2


def test_what_is_kept_of_it_is_made_anew_where_any_subject_takes_part_or_no_longer_does():
    asked = {f"lockstep.cases.{subject.path}" for subject in subjects()}
    task = collection.whole({})
    workers.check(task, asked)
    with pytest.raises(workers.TaskFailed, match=r"lockstep\.cases"):
        workers.check(dataclasses.replace(task, about=("optim.sgd",)), asked)
