"""The catalogue as a page, sorted by who does it: docs/causes.md, which a test keeps current.

python -m lockstep.causes.catalogue > docs/causes.md
"""

import re
from collections.abc import Iterator

from lockstep.causes.saved import LR, SAVED
from lockstep.causes.tables import causes
from lockstep.subjects.registry import subjects
from lockstep.text import ENGLISH

HEAD = """# Why an implementation does not match PyTorch

What people really met, by who does it: a framework, a course, a thread. Each row is a cause that `lockstep check`
names; `lockstep causes SUBJECT` shows its lines. What is in no row here is searched for in the formula itself.
"""
SEVERAL = re.compile(r"[;,]\s+(?![^()]*\))")
THREAD = re.compile(r"#\d+")


def page() -> str:
    """The whole of it."""
    rows: dict[str, list[str]] = {}
    known = [*(cause for subject in subjects() for cause in causes(subject)), *SAVED, LR]
    for cause in known:
        for who, thread in met(cause.seen):
            link = f" ({thread})" if thread else ""
            rows.setdefault(who, []).append(f"- `{cause.subject}` **{cause.name}**{link}: {ENGLISH.say(cause.fix)}")
    rest = [f"- `{cause.subject}` **{cause.name}**: {ENGLISH.say(cause.fix)}" for cause in known if not cause.seen]
    parts = [f"## {who}\n\n" + "\n".join(dict.fromkeys(lines)) for who, lines in sorted(rows.items(), key=place)]
    return "\n\n".join([HEAD.rstrip(), *parts, "## From-scratch code\n\n" + "\n".join(rest)]) + "\n"


def place(item: tuple[str, list[str]]) -> str:
    return item[0].lower()


def met(seen: str) -> Iterator[tuple[str, str]]:
    """Who does it, and the thread where it was met, of each part of a cause's `seen`."""
    last = ""
    for part in SEVERAL.split(seen) if seen else ():
        who = THREAD.sub("", part).strip() or last
        yield who, part if THREAD.search(part) else ""
        last = who


def main() -> None:
    print(page(), end="")


if __name__ == "__main__":
    main()
