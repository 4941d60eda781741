"""docs/releases.md: what each release of PyTorch changed, from the recordings of the facts under each.

python -m parity_tests.releases.page > docs/releases.md
"""

import json
import pathlib
import textwrap
from collections.abc import Iterator, Mapping
from itertools import groupby, pairwise
from typing import Any

RECORDINGS = pathlib.Path(__file__).with_name("recordings")
TESTED = ("2.13.0", "2.14.1", "2.15.0")
HEAD = """# PyTorch, release by release

What a release of PyTorch changed in what Lockstep stands beside: the options of its optimizers, schedules and layers,
what it refuses, what it runs, the bits of its random streams and of its kernels. Made from recordings of each release
(`parity_tests/releases/facts.py`), one after the other on one {machine} processor, on one thread. A kernel that is not
named gave the same bits of the same numbers as in the release before; only what was recorded was seen, and other shapes
may show more.

The parity run passes with {tested}. Before {oldest} the backward of batch norm rounds
otherwise than the order that Lockstep follows, so that its last bit is not explained there.
"""


def recordings() -> dict[str, Any]:
    """Release to its facts, the oldest first."""
    found = [json.loads(path.read_text("utf-8")) for path in RECORDINGS.glob("*.json")]
    return {one["release"]: one for one in sorted(found, key=lambda one: [*map(int, one["release"].split("."))])}


def page(known: Mapping[str, Any]) -> str:
    machines = {facts["machine"] for facts in known.values()}
    lines = [HEAD.format(machine=" or ".join(sorted(machines)), tested=listed(TESTED), oldest=TESTED[0])]
    for before, after in reversed([*pairwise(known.values())]):
        lines.append(f"## {after['release']}, after {before['release']}\n")
        changes = [*changed(before, after)] or ["Nothing that is recorded changed."]
        lines += [*(textwrap.fill(f"- {change}", 120, subsequent_indent="  ") for change in changes), ""]
    return "\n".join(lines)


def listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def changed(before: Any, after: Any) -> Iterator[str]:
    """Every change of a release, a sentence each."""
    yield from options(before["options"], after["options"])
    for call, said in after["refusals"].items():
        earlier = before["refusals"].get(call)
        if earlier is not None and earlier != said:
            yield f"`{call}`: {saying(said)}; before, {saying(earlier)}."
    ran, running = before["operations"], after["operations"]
    for name in running:
        if name in ran and ran[name] != running[name]:
            gone, new = (
                [one for one in names if one not in others]
                for names, others in ((ran[name], running[name]), (running[name], ran[name]))
            )
            yield f"{name} runs {code(new) or 'in another order'}{' in place of ' + code(gone) if gone else ''}."
    for kind, words in (("streams", "draws other bits"), ("kernels", "rounds otherwise")):
        apart = {
            name: [where for where in ("default", "own") if differs(before, after, where, kind, name)]
            for name in after["own"][kind]
        }
        for where, names in groupby(sorted(apart, key=lambda name: (apart[name], name)), apart.__getitem__):
            if where:
                only = {("own",): ", with this processor's instructions alone", ("default",): ", with plain ones alone"}
                yield f"{formatted([*names])}: {words}{only.get(tuple(where), '')}."


def differs(before: Any, after: Any, where: str, kind: str, name: str) -> bool:
    """Whether both have it, and other bits of it."""
    one, other = before[where][kind].get(name), after[where][kind].get(name)
    return None not in (one, other) and one != other


def formatted(names: list[str]) -> str:
    """Names of what was worked out, each once with the formats in which it was."""
    formats: dict[str, list[str]] = {}
    for name in names:
        of, _, dtype = name.rpartition(", ")
        formats.setdefault(of or dtype, []).append(dtype if of else "")
    return ", ".join(f"{of} ({' and '.join(dtypes)})" if any(dtypes) else of for of, dtypes in formats.items())


def options(before: Any, after: Any) -> Iterator[str]:
    """A sentence for each that changed, with the classes that it goes for."""
    told: dict[str, list[str]] = {}
    for name in sorted({*before, *after}):
        if name not in before or name not in after:
            told.setdefault("new" if name in after else "gone", []).append(name)
            continue
        for option in sorted({*before[name], *after[name]}):
            was, now = before[name].get(option), after[name].get(option)
            if was is None:
                told.setdefault(f"takes `{option}`, {now} by default", []).append(name)
            elif now is None:
                told.setdefault(f"no longer takes `{option}`", []).append(name)
            elif was != now:
                told.setdefault(f"`{option}` is {now} by default; before, {was}", []).append(name)
    for sentence, names in told.items():
        yield f"{code(names)}: {sentence}."


def saying(text: str) -> str:
    return f"\u201c{text}\u201d" if text else "taken"


def code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    print(page(recordings()), end="")
