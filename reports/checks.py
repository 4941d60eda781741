"""Refuses a record that cannot be shown, before anything is drawn; it may have come from somebody else."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lockstep.records.record import BadRecord, Record
from lockstep.text import Message, NoSuchMessage, Voice, from_json
from reports.facts import FINDING_NUMBERS, LEFT_NUMBERS, MODES, kind, rung_series
from reports.words import SIGNS

KINDS = ("run", "walk", "explanation", "growth", "detection", "experiment")
HOLDS = (True, False, "partly", None)


def check(record: Record) -> None:
    """Refuse a record that cannot be shown, before anything is drawn.

    Raises:
        BadRecord: naming the run and the entry that is wrong.
    """
    if kind(record) not in KINDS:
        raise BadRecord(f"a record of kind {kind(record)!r}; this report draws {' and '.join(KINDS)}")
    CHECKS[kind(record)](record)
    for said in messages(record.data):
        check_message(record, said)


def messages(value: Any) -> Iterator[Message]:
    """Every message that a record holds, wherever it stands."""
    found = from_json(value)
    if isinstance(found, Message):
        yield found
    elif isinstance(found, Mapping):
        for part in found.values():
            yield from messages(part)
    elif isinstance(found, list):
        for part in found:
            yield from [part] if isinstance(part, Message) else messages(part)


def check_message(record: Record, said: Message) -> None:
    try:
        Voice("en").say(said)
    except NoSuchMessage:
        raise BadRecord(f"record {name_of(record)!r} says {said.key!r}, which this Lockstep has no words for") from None
    except (KeyError, ValueError, TypeError) as error:
        what = f"says {said.key!r} with other values than it takes ({error})"
        raise BadRecord(f"record {name_of(record)!r} {what}") from None


def name_of(record: Record) -> str:
    return str(record.data.get("subject") or record.data.get("title"))


def demand(holds: bool, record: Record, what: str) -> None:
    if not holds:
        raise BadRecord(f"record {name_of(record)!r}: {what}")


def check_run(record: Record) -> None:
    data = record.data
    missing = [key for key in ("subject", "case", "dtype", "steps", "verdict", "quantities") if key not in data]
    demand(not missing, record, f"incomplete, without {', '.join(missing)}")
    steps = data["steps"]
    demand(isinstance(data["subject"], str), record, "'subject' is no text")
    demand(isinstance(steps, int) and not isinstance(steps, bool) and steps > 0, record, f"'steps' is {steps!r}")
    demand(data["verdict"] in SIGNS, record, f"'verdict' is {data['verdict']!r}, not one of {', '.join(SIGNS)}")
    demand(isinstance(data["quantities"], dict), record, "'quantities' is no table")
    for name, entry in data["quantities"].items():
        known = isinstance(entry, dict) and entry.get("verdict") in SIGNS
        demand(known, record, f"quantity {name!r} has no verdict among {', '.join(SIGNS)}")
    demand(is_number(data.get("used", 0)), record, f"'used' is {data.get('used')!r}, no number")
    for key in ("first_difference", "evidence", "closest_call"):
        check_finding(record, key, data.get(key))
    broken = data.get("broken")
    demand(
        broken is None or (isinstance(broken, dict) and {"id", "message"} <= broken.keys()),
        record,
        "'broken' has no id and message",
    )
    demand(isinstance(data.get("environment") or {}, dict), record, "'environment' is no table")
    check_arrays(record, steps)


FINDING = {
    "step": int, "quantity": str, "tensor": str, "line": str, "index": list | tuple, "dtype": str,
    "numpy_bits": str, "torch_bits": str, "nearer": str,
}  # fmt: skip


def check_finding(record: Record, key: str, finding: Any) -> None:
    if finding is None:
        return
    fields = finding._asdict() if hasattr(finding, "_asdict") else finding
    demand(isinstance(fields, dict), record, f"{key!r} is no finding")
    wrong = [name for name, wanted in FINDING.items() if not isinstance(fields.get(name), wanted)]
    wrong += [name for name in FINDING_NUMBERS if not is_number(fields.get(name))]
    demand(not wrong, record, f"{key!r} has no proper {', '.join(wrong)}")


def is_number(value: Any) -> bool:
    """A number, or the text that stands for an infinity or a NaN in JSON."""
    return (isinstance(value, int | float) and not isinstance(value, bool)) or value in ("inf", "-inf", "nan")


def check_arrays(record: Record, steps: int) -> None:
    for name, array in record.arrays.items():
        if name.startswith("window/"):
            continue
        check_numbers(record, name)
        rows, dimensions = layout(name, steps)
        fits = rows is None or (array.ndim == dimensions and len(array) == rows)
        demand(fits, record, f"array {name!r} has shape {array.shape}, not {rows} rows for {steps} steps")
        counts = not name.endswith(("/differing", "/elements")) or not np.isinf(array).any()
        demand(counts, record, f"array {name!r} counts to infinity")
        if name.startswith("trace/") and name.endswith("/torch"):
            other = record.arrays.get(name.removesuffix("torch") + "numpy")
            demand(
                other is None or other.shape == array.shape, record, f"array {name!r} has another shape than NumPy's"
            )
    check_contour(record)


def layout(name: str, steps: int) -> tuple[int | None, int]:
    """How many rows an array has, and how many dimensions; None where it is not one by steps."""
    family, *rest = name.split("/")
    if family in MODES:
        return steps, 1
    if family == "heat":
        return steps, 2
    if family == "trace" and rest[0] != "contour":
        return (steps + 1, 2) if rest[0] == "path" else (steps, 1)
    return None, 0


def check_numbers(record: Record, name: str) -> None:
    array = record.arrays[name]
    numeric = isinstance(array, np.ndarray) and array.dtype.kind in "fiu"
    demand(numeric, record, f"array {name!r} holds no numbers")


def check_contour(record: Record) -> None:
    known = [array for name in "xyz" if (array := record.arrays.get(f"trace/contour/{name}")) is not None]
    if not known:
        return
    fits = len(known) == 3 and known[0].ndim == known[1].ndim == 1 and min(known[0].size, known[1].size) > 1
    fits = fits and known[2].shape == (known[1].size, known[0].size)
    demand(fits, record, "'trace/contour' is not x and y, and z with a row for every y")


CHAPTER = {"name": str, "figures": list | tuple, "subjects": list | tuple, "claims": bool, "code": str}


def check_chapter(record: Record, chapter: Any) -> None:
    known = isinstance(chapter, dict)
    wrong = [name for name, wanted in CHAPTER.items() if not known or not isinstance(chapter.get(name), wanted)]
    demand(not wrong, record, f"a chapter has no proper {', '.join(wrong)}")


EXPERIMENT = {
    "claims": ("claim", "holds", "found", "why"),
    "printed": ("name", "notebook", "numpy", "torch", "equal"),
    "runs": ("subject", "case", "dtype", "verdict", "used"),
}


def check_experiment(record: Record) -> None:
    data = record.data
    demand(isinstance(data.get("title"), str), record, "an experiment without a 'title'")
    for key, wanted in EXPERIMENT.items():
        rows = data.get(key) or []
        demand(isinstance(rows, list), record, f"{key!r} is no list")
        for row in rows:
            missing = [field for field in wanted if not isinstance(row, dict) or field not in row]
            demand(not missing, record, f"an entry of {key!r} is without {', '.join(missing)}")
    chapters = data.get("chapters") or []
    demand(isinstance(chapters, list), record, "'chapters' is no list")
    for chapter in chapters:
        check_chapter(record, chapter)
    for claim in data.get("claims") or []:
        demand(claim["holds"] in HOLDS, record, f"a claim's 'holds' is {claim['holds']!r}, not true, false or 'partly'")
    for run in data.get("runs") or []:
        demand(run["verdict"] in SIGNS, record, f"a run's 'verdict' is {run['verdict']!r}")
        demand(is_number(run["used"]), record, f"a run's 'used' is {run['used']!r}, no number")
    best = data.get("optimum")
    point = best is None or (
        isinstance(best, list | tuple) and len(best) == 2 and all(is_number(value) for value in best)
    )
    demand(point, record, f"'optimum' is {best!r}, not a point")
    for name in record.arrays:
        check_numbers(record, name)
    check_contour(record)


RUNG = {"name": str, "differing": int, "elements": int, "first_step": int | None}
LEFT = {"step": int, "line": str, "quantity": str, "tensor": str, "index": list | tuple, "dtype": str}
LEFT_TEXTS = ("numpy_bits", "torch_bits")


def check_case(record: Record) -> None:
    """What explanations and growths have in common: a subject, a case, a dtype and steps."""
    data = record.data
    for key in ("subject", "dtype"):
        demand(isinstance(data.get(key), str), record, f"{key!r} is no text")
    demand("case" in data, record, "incomplete, without case")
    steps = data.get("steps")
    demand(isinstance(steps, int) and not isinstance(steps, bool) and steps > 0, record, f"'steps' is {steps!r}")
    demand(isinstance(data.get("environment") or {}, dict), record, "'environment' is no table")


def check_series(record: Record) -> None:
    for name, array in record.arrays.items():
        check_numbers(record, name)
        fits = array.shape == (record["steps"],)
        demand(fits, record, f"array {name!r} has shape {array.shape}, not a value for each of {record['steps']} steps")


def check_explanation(record: Record) -> None:
    check_case(record)
    data = record.data
    rungs: Any = data.get("rungs")
    kernels = data.get("kernels")
    demand(isinstance(rungs, list) and bool(rungs), record, "'rungs' is no list of rungs")
    for rung in rungs:
        demand(isinstance(rung, dict), record, "a rung is no table")
        wrong = [key for key, wanted in RUNG.items() if not isinstance(rung.get(key, ""), wanted)]
        wrong += [] if is_number(rung.get("max_ulp")) else ["max_ulp"]
        demand(not wrong, record, f"a rung has no proper {', '.join(wrong)}")
    demand(isinstance(data.get("explained"), bool), record, f"'explained' is {data.get('explained')!r}")
    texts = isinstance(kernels, list) and all(isinstance(one, str) for one in kernels)
    demand(texts, record, "'kernels' is no list of primitives")
    check_left(record, data.get("left"))
    check_series(record)
    for place, rung in enumerate(rungs):
        known = ~np.isnan(rung_series(record, place, "scaled_ulp"))
        demand(bool(known.any()), record, f"rung {rung['name']!r} has no series of scaled_ulp")
    last = rung_series(record, len(rungs) - 1, "scaled_ulp")
    closes = rungs[-1]["first_step"] is None and not np.any(last != 0)
    demand(closes or not data["explained"], record, f"'explained', and rung {rungs[-1]['name']!r} leaves a difference")
    check_findings(record, data.get("findings"))


def check_left(record: Record, left: Any) -> None:
    if left is None:
        return
    fields = left._asdict() if hasattr(left, "_asdict") else left
    demand(isinstance(fields, dict), record, "'left' is no finding")
    wrong = [name for name, wanted in LEFT.items() if not isinstance(fields.get(name), wanted)]
    wrong += [name for name in LEFT_TEXTS if not isinstance(fields.get(name), str)]
    wrong += [name for name in LEFT_NUMBERS if not is_number(fields.get(name))]
    demand(not wrong, record, f"'left' has no proper {', '.join(wrong)}")


TABLES = ("contraction", "random", "threads")  # of what was probed: name to a word


def check_findings(record: Record, found: Any) -> None:
    if found is None:
        return
    demand(isinstance(found, dict), record, "'findings' is no table")
    for key in TABLES:
        table = found.get(key)
        texts = isinstance(table, dict) and all(isinstance(word, str) for word in table.values())
        demand(texts, record, f"{key!r} of the findings is no table of words")
    demand(isinstance(found.get("machine"), dict), record, "'machine' of the findings is no table")
    kernels: Any = found.get("kernels")
    demand(isinstance(kernels, dict), record, "'kernels' of the findings is no table")
    for name, dtypes in kernels.items():
        sides = list(dtypes.values()) if isinstance(dtypes, dict) else [None]
        measured = [one for side in sides for one in (side.values() if isinstance(side, dict) else [None])]
        proper = all(
            isinstance(one, dict) and all(is_number(one.get(key)) for key in ("error", "off")) for one in measured
        )
        demand(proper, record, f"function {name!r} of the findings has no error and share of results off")


def check_growth(record: Record) -> None:
    check_case(record)
    data = record.data
    wrong = [key for key in ("differing", "elements") if not isinstance(data.get(key), int)]
    wrong += [key for key in ("start", "worst_added") if not is_number(data.get(key))]
    for key in ("classes", "ill_conditioned"):
        table = data.get(key)
        counts = isinstance(table, dict) and all(isinstance(count, int) for count in table.values())
        wrong += [] if counts else [key]
    worst = data.get("worst")
    if worst is not None:
        named = isinstance(worst, list | tuple) and len(worst) == 3
        named = named and isinstance(worst[0], str) and isinstance(worst[1], list | tuple) and isinstance(worst[2], str)
        wrong += [] if named else ["worst"]
    demand(not wrong, record, f"no proper {', '.join(wrong)}")
    check_series(record)
    missing = [name for name in ("drift", "alone", "defect", "spread") if f"growth/{name}" not in record.arrays]
    demand(not missing, record, f"the arrays of {', '.join(missing)} are missing")


CHECKS = {
    "run": check_run,
    "explanation": check_explanation,
    "growth": check_growth,
    # the rest of these two was checked when they were loaded
    "walk": check_case,
    "detection": lambda record: None,
    "experiment": check_experiment,
}
