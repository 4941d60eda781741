"""A check as one self-contained page."""

from html import escape

from lockstep.answer import SENTENCES, answer, shared
from lockstep.checking import Check, Outcome
from lockstep.messages import ENGLISH

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }
pre { background: #f4f4f2; padding: 1rem; overflow-x: auto; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .3rem .6rem; vertical-align: top; }
tr { border-bottom: 1px solid #ddd; } .different, .broken, .ill-conditioned { font-weight: bold; }
@media (prefers-color-scheme: dark) { body { background: #161616; color: #e8e8e8; } pre { background: #242424; } }
"""


def page(check: Check) -> str:
    """The page: the sentence, the whole answer, the causes and a row a scenario."""
    title = f"{check.target} like {check.subject}: {check.verdict}"
    rows = "\n".join(map(row, check.outcomes))
    untried = "\n".join(
        f"<tr><td>{escape(entry.get('scenario', ''))}</td><td>{escape(entry.get('reason', ''))}</td></tr>"
        for entry in check.not_triggered
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p>{escape(SENTENCES[check.verdict])}.</p>
<pre>{escape(answer(check))}</pre>
<h2>Scenarios</h2>
<table><thead><tr><th>scenario</th><th>dtype</th><th>verdict</th><th>share of the allowance</th></tr></thead>
<tbody>{rows}</tbody></table>
<h2>Not tried, or without effect</h2>
<table><thead><tr><th>scenario</th><th>why</th></tr></thead><tbody>{untried}</tbody></table>
</body></html>
"""


def row(outcome: Outcome) -> str:
    """A row of the table of scenarios."""
    recording = outcome.recording
    cells = (
        f"{escape(recording.scenario)}<br><small>{escape(ENGLISH.plain(recording.why))}</small>",
        recording.dtype,
        outcome.verdict,
        shared(outcome.residual.used),
    )
    return f'<tr class="{outcome.verdict}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
