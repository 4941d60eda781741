"""What pages and pictures say, in English and in Korean: en.toml and ko.toml, beside those of lockstep.text."""

from lockstep import text


class PageVoice(text.Voice):
    """Says what Lockstep says, and what only pages and pictures do."""

    packages = ("lockstep.text", "reports.text")
