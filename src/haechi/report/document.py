"""The report as callers hold it: what is known, and the ways to tell it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from haechi import types
from haechi.report.data import to_dict
from haechi.report.messages import level_sentence, sentence, sentences
from haechi.report.pointers import headline_reason


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Report(types.Report):
    """Everything known about one source: ``media``, ``quality``, ``faces``, ``evidence`` (one per detector),
    ``claims`` (what the file says of itself), ``verdict``, ``models``.

    Equal to another that says the same, whenever it was made. ``lang`` is en, zh or ko (also as zh-CN,
    ko_KR, …); any other raises UsageError."""

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """JSON-ready values, schema ``haechi.report/1``; sentences in ``lang``, codes beside them."""
        return to_dict(self, lang)

    def to_json(self, lang: str = "en", indent: int | None = None) -> str:
        """``to_dict`` as one line of JSON, or indented; never NaN."""
        return json.dumps(self.to_dict(lang), ensure_ascii=False, allow_nan=False, indent=indent)

    def to_html(self, lang: str = "en") -> str:
        """A whole page in one file that loads nothing from outside; with the ``previews`` as its pictures."""
        from haechi.report.html import page

        return page(self, lang)

    def sentence(self, lang: str = "en") -> str:
        """The verdict in one sentence."""
        return level_sentence(self.verdict, lang)

    def reasons(self, lang: str = "en") -> list[str]:
        """Why the verdict is what it is, a sentence each; last, where the file says of itself that AI made it
        or part of it, that it does, and that this was not weighed."""
        admission = headline_reason(self, lang)
        return [*sentences(self.verdict.reasons, lang), *([admission] if admission else [])]

    def say(self, reason: types.Reason, lang: str = "en") -> str:
        """A reason in words: of a piece of evidence, a claim or an issue of the quality."""
        return sentence(reason, lang)

    def __repr__(self) -> str:
        score = self.verdict.score
        return (
            f"Report({self.media.name!r}, level={self.verdict.level!r}, "
            f"score={None if score is None else round(score, 3)}, faces={len(self.faces)})"
        )
