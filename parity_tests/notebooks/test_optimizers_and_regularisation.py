"""The course notebook, revisited: it runs as it stands, in both languages, and shows the numbers it is about."""

import re
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from lockstep.experiments.notebook.record import PRINTED

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "notebooks"
LANGUAGES = ("ko", "en")


def read(language: str):
    return nbformat.read(FOLDER / f"optimizers_and_regularisation.{language}.ipynb", as_version=4)


def code(notebook) -> dict[str, str]:
    return {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "code"}


def prose(notebook) -> dict[str, str]:
    return {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "markdown"}


def told_apart(one, other) -> list[str]:
    """The cells that stand elsewhere or whose code is another."""
    kinds = [[(cell.id, cell.cell_type) for cell in notebook.cells] for notebook in (one, other)]
    if kinds[0] != kinds[1]:
        return [f"{a} beside {b}" for a, b in zip(*kinds, strict=False) if a != b] or ["one has more cells"]
    return [name for name, source in code(one).items() if source != code(other)[name]]


def stored(notebook) -> list[str]:
    """The cells that carry what a run left in them."""
    left = [cell for cell in notebook.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)]
    return [cell.id for cell in left]


def execute(notebook, folder: Path, monkeypatch) -> dict[str, list]:
    """Run every cell in a kernel of this very Python; the outputs of each.

    The kernel speaks through sockets in `folder`, and finds there what it would otherwise keep in the user's home.
    """
    for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(variable, str(folder / variable.lower()))
    monkeypatch.delenv("MPLBACKEND")  # the kernel draws into the notebook
    kernel = AsyncKernelManager(
        kernel_name="python3",
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        transport="ipc",
        ip=str(folder / "k"),
    )
    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=240,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--InteractiveShell.colors=nocolor"],
    )
    client.execute(cleanup_kc=True)
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        return execute(read("ko"), tmp_path_factory.mktemp("k"), monkeypatch)


def text(outputs: list) -> str:
    """What a cell printed and the table it shows."""
    return "".join(output.get("text", "") + output.get("data", {}).get("text/markdown", "") for output in outputs)


def mathematics(source: str) -> list[str]:
    return re.findall(r"\$\$.*?\$\$|\$[^$\n]+\$", source, re.DOTALL)


# As they are stored


def test_both_languages_have_the_same_code():
    assert told_apart(*map(read, LANGUAGES)) == []


def test_another_line_of_code_is_noticed():
    other = read("en")
    next(cell for cell in other.cells if cell.id == "adam-class").source += "\n"
    assert told_apart(read("ko"), other) == ["adam-class"]
    other.cells.pop()
    assert told_apart(read("ko"), other) == ["one has more cells"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_output_is_stored(language):
    assert stored(read(language)) == []


def test_a_stored_output_is_noticed():
    notebook = read("en")
    cell = next(cell for cell in notebook.cells if cell.id == "setup")
    cell.outputs = [nbformat.v4.new_output("stream", text="1\n")]
    assert stored(notebook) == ["setup"]


def test_the_formulas_are_the_same_in_both_and_the_words_are_not():
    ko, en = (prose(read(language)) for language in LANGUAGES)
    assert {name: mathematics(source) for name, source in ko.items() if "$$" in source} == {
        name: mathematics(source) for name, source in en.items() if "$$" in source
    }
    for name, source in ko.items():
        assert re.search("[가-힣]", source), name
        assert not re.search("[가-힣]", en[name].replace("[한국어]", "")), name


def test_links_lead_somewhere():
    for language in LANGUAGES:
        links = re.findall(r"\]\(([^)#:]+)\)", "".join(prose(read(language)).values()))
        assert links
        assert [link for link in links if not (FOLDER / link).exists()] == []


# As they run


def test_the_numbers_are_the_course_notebooks(outputs):
    shown = "\n".join(text(outputs[name]) for name in ("rosenbrock-printed", "regular-printed", "batchnorm-printed"))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown.splitlines()]
    expected = [[name, value, value, value] for name, value in PRINTED.items()]
    assert [row for row in rows if row[0] in PRINTED] == expected


def test_what_it_teaches_is_what_it_shows(outputs):
    assert "rounding from step 1" in text(outputs["adam-run"])
    assert "explained to the last bit" in text(outputs["adam-ladder"])
    assert "eps-inside-sqrt" in text(outputs["eps-check"])
    assert "alpha-value" in text(outputs["check-rmsprop"])
    assert "not seen: running_mean and running_var" in text(outputs["batchnorm-check"])
    assert "`lerp_`" in text(outputs["adam-ledger"])


def test_figures_are_drawn_and_nothing_complains(outputs):
    drawn = {name for name, found in outputs.items() if any("image/png" in output.get("data", {}) for output in found)}
    assert drawn == {name for name, source in code(read("ko")).items() if "plt.show()" in source}
    assert drawn
    complaints = {name: text(found) for name, found in outputs.items() for o in found if o.get("name") == "stderr"}
    assert complaints == {}


def only(*names: str):
    """The notebook with these cells alone."""
    notebook = read("en")
    notebook.cells = [cell for cell in notebook.cells if cell.id in names]
    assert [cell.id for cell in notebook.cells] == list(names)
    return notebook


def test_a_number_that_is_not_the_course_notebooks_stops_it(tmp_path_factory, monkeypatch):
    notebook = only("setup", "tables", "batchnorm-functions", "batchnorm-printed")
    cell = notebook.cells[2]
    assert "epsilon=1e-5" in cell.source
    cell.source = cell.source.replace("epsilon=1e-5", "epsilon=1e-3")
    with pytest.raises(CellExecutionError) as told:
        execute(notebook, tmp_path_factory.mktemp("k"), monkeypatch)
    message = str(told.value)
    assert notebook.cells[3].source in message
    assert told.value.ename == "AssertionError"
    assert "0.999996" in message
    assert "\x1b" not in message


def test_the_kernel_is_this_python(tmp_path_factory, monkeypatch):
    notebook = only("setup")
    notebook.cells[0].source = "import sys\nprint(sys.executable)"
    assert text(execute(notebook, tmp_path_factory.mktemp("k"), monkeypatch)["setup"]).strip() == sys.executable
