"""Slips that no catalogue has: each is named by its line, and nothing is named that does not explain everything."""

import pytest

from lockstep.causes import causes
from lockstep.causes.cause import Cause
from lockstep.diagnose.by_line.lines import Quick
from lockstep.diagnose.by_line.mutation import KINDS, Mutant
from lockstep.diagnose.diagnosis import diagnose
from lockstep.text import ENGLISH, Voice
from parity_tests.support.mutants import ANSWERED, WRONG, planted, slips, table, tried
from parity_tests.support.reference_recordings import recordings


def slip(path: str, layer: str, name: str) -> Mutant:
    return next(one for one in slips(path, layer) if one.name == name)


def test_every_formula_has_slips_and_each_is_told_in_both_languages():
    for path, layer in tried():
        made = slips(path, layer)
        assert len({one.name for one in made}) == len(made) > 10, (path, layer)
        for one in made:
            assert one.kind in KINDS
            assert ENGLISH.say(one.fix).endswith("not in the catalogue")
            assert Voice("ko").say(one.fix)


@pytest.mark.parametrize(
    "name",
    [
        "v_hat = v_max * (1 - beta2 ** step)",
        "v_hat = v_max / (1 - beta2)",
        "v_hat = v_max / (1 - beta2 ** (step - 1))",
        "denom = v_hat + eps",
        "denom = np.sqrt(v_hat)",
        "m = beta1 * exp_avg + d",
        "v = beta2 * exp_avg_sq + (1 - beta2) * abs(d)",
        "param = decayed - lr * m / denom",
        "param = decayed + lr * m_hat / denom",
        "betas = (betas[1], betas[0])",
        "step = 1",
        "step = step + 1",
        "v_max = np.minimum(max_exp_avg_sq, v) if amsgrad else v",
        "m kept as m_hat",
    ],
)
def test_what_people_get_wrong_is_among_them(name):
    assert slip("optim.adam", "", name)


@pytest.mark.parametrize(
    ("path", "layer", "name"),
    [
        ("layers.batchnorm", "BatchNorm1d", "dx_hat = dy"),
        ("layers.batchnorm", "BatchNorm1d", "unbiased = var * (m / (m + 1)) if tracked else var"),
        ("layers.activation", "ReLU", "dx = np.where(x >= 0, dy, 0)"),
        ("layers.loss", "BCEWithLogitsLoss", "dlosses = dloss"),
        ("layers.linear", "Linear", "dbias = None if bias is None else drows.mean(axis=0)"),
        ("penalty.l2", "L2", "dw = w * dpenalty"),
    ],
)
def test_and_of_layers_too(path, layer, name):
    assert slip(path, layer, name) is not None


def test_line_by_line_is_the_formula_itself():
    """A formula taken apart makes what the compiled one makes, with and without causes, to the last bit it keeps."""
    for path in ("optim.adam", "optim.rmsprop", "optim.sgd"):
        for cause in causes(path):
            if not cause.behaviour:
                recorded = recordings(path, [cause], "float64")
                quick = Quick(recorded)
                assert all(quick.fits(one, (cause,)) for one in recorded), cause
                shown = [one for one in recorded if not quick.fits(one, ())]
                of_some = any("ndim" in text for text in cause.lines.values())  # a trail is of one tensor
                assert shown or of_some or "float64" not in cause.dtypes, cause


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "layer", "name"),
    [
        ("optim.adam", "", "v_hat = v_max * (1 - beta2 ** step)"),
        ("optim.adam", "", "m = beta1 * exp_avg + (1 - beta1) * g"),
        ("optim.sgd", "", "buf = d if momentum_buffer is None else momentum * momentum_buffer + (1 + dampening) * d"),
        ("layers.batchnorm", "BatchNorm1d", "dbeta = dy.mean(axis=axes)"),
        ("layers.activation", "ReLU", "dx = np.where(x > -1, dy, 0)"),
    ],
)
@pytest.mark.parametrize("hidden", [False, True])
def test_a_slip_is_named_by_its_line(path, layer, name, hidden):
    one = slip(path, layer, name)
    found = diagnose(planted(path, layer, (one,), "float64", hidden))
    assert found.answer is not None
    assert found.answer.residual <= 1
    names = [other.name for other in (found.answer, *found.equivalent)]
    assert name in names
    assert "not in the catalogue" in str(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "layer", "name", "cause"),
    [
        ("optim.adam", "", "g = np.clip(-grad if maximize else grad, -0.5, 0.5)", "gradient-clipped (bound=0.5)"),
        ("layers.batchnorm", "BatchNorm1d", "dx_hat = dy", "gamma-missing-on-the-way-back"),
        ("layers.activation", "ReLU", "dx = np.where(x >= 0, dy, 0)", "slope-at-zero"),
    ],
)
@pytest.mark.parametrize("hidden", [False, True])
def test_a_slip_that_is_a_known_cause_is_named_as_that(path, layer, name, cause, hidden):
    """What people have met says more than a line does."""
    found = diagnose(planted(path, layer, (slip(path, layer, name),), "float64", hidden))
    assert [one.name for one in found.causes] == [cause]
    assert found.answer is not None
    assert found.answer.residual <= 1
    assert "not in the catalogue" not in str(found)


@pytest.mark.slow
def test_known_causes_are_named_beside_what_is_something_else():
    """Of three lines that differ, two are explained; the third is no slip of one line."""
    known = {cause.id: cause for cause in causes("layers.batchnorm")}
    strange = Cause(
        id="strange",
        backward={"dgamma": "(dy * lines.x_hat * np.exp(-lines.x_hat * lines.x_hat)).sum(axis=axes)"},
        formula="",
        shows="",
        first=known["momentum-complement"].first,
    )
    wrong = [known["momentum-complement"], known["running-variance-biased"], strange]
    found = diagnose(planted("layers.batchnorm", "BatchNorm1d", tuple(wrong), "float64", False))
    assert found.answer is None
    assert found.partly is not None
    assert {cause.id for cause in found.partly.causes} == {"momentum-complement", "running-variance-biased"}
    assert set(found.partly.explained) == {"running_mean", "running_var"}
    assert found.partly.left[1] == "dgamma"
    assert found.partly.residual <= 1
    assert "dgamma is something else" in str(found)


@pytest.mark.slow
def test_each_format_is_answered_by_itself():
    """The powers of β are rounded in float32 alone, where they show; float64 shows another cause without doubt."""
    known = {cause.name: cause for cause in causes("optim.adam")}
    inside, powers = known["eps-inside-sqrt"], known["beta-powers-low-precision (power)"]
    found = diagnose(
        [
            *planted("optim.adam", "", (inside,), "float64", False),
            *planted("optim.adam", "", (inside, powers), "float32", False),
        ]
    )
    assert found.answer is None
    assert {dtype: one and [cause.id for cause in one.causes] for dtype, one in found.formats.items()} == {
        "float64": ["eps-inside-sqrt"],
        "float32": ["eps-inside-sqrt", "beta-powers-low-precision"],
    }
    assert "in float64" in str(found)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", ["optim.sgd", "layers.dropout", "layers.activation", "penalty.l1"])
def test_some_slips_are_answered_and_none_wrongly(path):
    single, double = table([one for one in tried() if one[0] == path], some=4, pairs=4, say=lambda text: None)
    assert single[ANSWERED] >= 0.95 * single.total()
    assert single[WRONG] == double[WRONG] == 0


@pytest.mark.exhaustive
@pytest.mark.timeout(36000)
def test_nineteen_slips_of_twenty_are_answered_and_nine_pairs_of_ten_and_none_wrongly(capsys):
    """Of all that make other numbers than PyTorch's formula; the table is printed."""
    with capsys.disabled():
        single, double = table(tried())
    assert single[ANSWERED] >= 0.95 * single.total()
    assert double[ANSWERED] >= 0.9 * double.total()
    assert single[WRONG] == double[WRONG] == 0
