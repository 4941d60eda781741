"""A check as one self-contained page."""

from html import escape

from lockstep.checking.answer import Check, TrialOutcome, answer, shared
from lockstep.text import ENGLISH, Voice, message

WORDS = ("scenarios", "scenario", "verdict", "share", "untried", "why")
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }
pre { background: #f4f4f2; padding: 1rem; overflow-x: auto; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .3rem .6rem; vertical-align: top; }
tr { border-bottom: 1px solid #ddd; } .different, .broken, .ill-conditioned { font-weight: bold; }
@media (prefers-color-scheme: dark) { body { background: #161616; color: #e8e8e8; } pre { background: #242424; } }
"""


def page(check: Check, voice: Voice = ENGLISH) -> str:
    """The page: the sentence, the whole answer, the causes and a row a scenario."""
    name = message("cli.like", target=check.target, subject=check.subject)
    title = voice("cli.verdict", label=voice.say(name), verdict=check.verdict)
    rows = "\n".join(row(outcome, voice) for outcome in check.outcomes)
    words = {key: escape(voice(f"cli.page.{key}")) for key in WORDS}
    untried = "\n".join(
        f"<tr><td>{escape(entry.get('scenario', ''))}</td><td>{escape(voice.plain(entry.get('reason', '')))}</td></tr>"
        for entry in check.not_triggered
    )
    return f"""<!doctype html>
<html lang="{voice.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p>{escape(voice.say(check.sentence))}.</p>
<pre>{escape(answer(check, voice))}</pre>
<h2>{words["scenarios"]}</h2>
<table><thead><tr><th>{words["scenario"]}</th><th>dtype</th><th>{words["verdict"]}</th><th>{words["share"]}</th></tr></thead>
<tbody>{rows}</tbody></table>
<h2>{words["untried"]}</h2>
<table><thead><tr><th>{words["scenario"]}</th><th>{words["why"]}</th></tr></thead><tbody>{untried}</tbody></table>
</body></html>
"""


def row(outcome: TrialOutcome, voice: Voice) -> str:
    """A row of the table of scenarios."""
    recording = outcome.recording
    cells = (
        f"{escape(recording.scenario)}<br><small>{escape(voice.plain(recording.why))}</small>",
        recording.dtype,
        voice.as_verdict(outcome.verdict),
        voice.say(shared(outcome.residual.used)),
    )
    return f'<tr class="{outcome.verdict}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
