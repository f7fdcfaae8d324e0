"""The sentences of the reports: one JSON catalogue a language, and the functions that fill them.

A catalogue maps a code to a template in ``str.format`` style. A `Reason` names a code and brings the
values for its gaps. Whatever is missing shows as itself: a report is never lost to a missing sentence.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from haechi.errors import UsageError
from haechi.report.formatting import clock
from haechi.settings import LANGUAGES, short_tag
from haechi.types import CLEAR_RATIO, Reason, Verdict


def language(lang: str) -> str:
    """The catalogue for a tag such as ``ko``, ``zh-CN`` or ``en_US``. Raises UsageError for any other."""
    short = short_tag(lang)
    if short not in LANGUAGES:
        raise UsageError(f"no reports in language {lang!r}: choose one of {', '.join(LANGUAGES)}")
    return short


@cache
def catalogue(lang: str) -> Mapping[str, str]:
    """All templates of one language, read once."""
    text = files(__name__).joinpath(f"{language(lang)}.json").read_text(encoding="utf-8")
    loaded: dict[str, str] = json.loads(text)
    return loaded


def visible(text: str) -> str:
    """The text with every character that could hide or reorder others (control, bidirectional, lone
    surrogate) written out as an escape such as ``\\n`` or ``\\u202e``."""
    return "".join(_escape(c) if _is_hidden(c) else c for c in text)


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in _HIDDEN and char not in _JOINERS


_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # spelling of Persian, and of emoji


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


_GAP = re.compile(r"\{(\w+)\}")


class _Gaps(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


def say(code: str, lang: str = "en", /, **params: object) -> str:
    """The sentence for ``code``. An unknown code gives the code itself with its values."""
    texts = catalogue(lang)
    values = {key: _show(key, value, lang) for key, value in params.items()}
    template = texts.get(code)
    if template is None:
        rest = ", ".join(f"{key}={value}" for key, value in values.items())
        return visible(code) + (f" ({rest})" if rest else "")
    return template.format_map(_Gaps(values))


def sentence(reason: Reason, lang: str = "en") -> str:
    """The Reason in words. One that weighs evidence (it has a ``ratio``: how many times more common in
    manipulated than in genuine material) is told as speaking for, against, or neither way."""
    code = _told(reason)
    if reason.texts and reason.code not in catalogue(lang):
        return _fill(_own(reason.texts, lang), reason.params, lang).strip()
    return say(code if code in catalogue(lang) else reason.code, lang, **reason.params).strip()


def _own(texts: Mapping[str, str], lang: str) -> str:
    """The sentence that a reason brings, in this language, else in English, else in any."""
    return visible(str(texts.get(lang) or texts.get("en") or next(iter(texts.values()))))


def _fill(template: str, params: Mapping[str, object], lang: str) -> str:
    """A template of somebody else's with its gaps filled: names in braces alone, for what ``str.format`` can
    be asked to do besides is not for strangers."""
    return _GAP.sub(lambda gap: _show(gap[1], params[gap[1]], lang) if gap[1] in params else "?", template)


def _told(reason: Reason) -> str:
    ratio = reason.params.get("ratio")
    weighs = reason.code == "evidence_for" or reason.code.endswith("_scored")
    if not weighs or isinstance(ratio, bool) or not isinstance(ratio, int | float):
        return reason.code
    if ratio >= CLEAR_RATIO:
        detail = "_below" if "below" in reason.params else ""
        return reason.code + ("_at" if detail and "place" in reason.params else detail)
    side = "against" if ratio <= 1 / CLEAR_RATIO else "neutral"
    return f"{reason.code.removesuffix('_for')}_{side}"


def sentences(reasons: Iterable[Reason], lang: str = "en") -> list[str]:
    """Each Reason in words, without repeating any."""
    return list(dict.fromkeys(sentence(reason, lang) for reason in reasons))


def level_sentence(verdict: Verdict, lang: str = "en") -> str:
    """The verdict in one sentence; for ``unknown`` with the first reason that explains it."""
    if verdict.level != "unknown":
        return say(f"verdict_{verdict.level}", lang)
    why = unknown_because(verdict)
    clause = f"because_{why.code}"
    if clause in catalogue(lang):
        return say("verdict_unknown", lang, reason=say(clause, lang, **why.params))
    return say("verdict_unknown", lang, reason=say("because_other", lang, sentence=sentence(why, lang)))


def unknown_because(verdict: Verdict) -> Reason:
    """The reason that explains an ``unknown``: the first ``unknown_…``, else the first, else a default."""
    causes = (r for r in verdict.reasons if r.code.startswith("unknown_"))
    return next(causes, next(iter(verdict.reasons), Reason("unknown_no_evidence")))


def weight_code(llr: float | None) -> str:
    """Which way and how heavily a likelihood ratio speaks, as a code of the catalogue. The steps lie at
    1.5, 3 and 10 times more common in manipulated material."""
    if llr is None or not math.isfinite(llr):
        return "weight_nothing"
    ratio = math.exp(min(llr, 50.0))
    for code, least in (("weight_for_3", 10.0), ("weight_for_2", 3.0), ("weight_for_1", CLEAR_RATIO)):
        if ratio >= least:
            return code
    return "weight_neutral" if ratio > 1 / CLEAR_RATIO else "weight_against"


def detector_name(name: str, lang: str = "en") -> str:
    """A detector's or model's name in words; its bare name when the catalogue has none."""
    return catalogue(lang).get(f"name_{name}", visible(name))


def _show(key: str, value: object, lang: str) -> str:
    """A value as a reader wants it: detector names and nested reason codes in words, numbers short."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(key, value)
    text = str(value)
    if key == "detector":
        return detector_name(text, lang)
    return say(text, lang) if key in ("why", "place") and text in catalogue(lang) else visible(text)


def _number(key: str, value: float) -> str:
    if key == "ratio":
        return _ratio(value)
    if key in ("start_s", "end_s"):
        return clock(value)
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return "?"
    return f"{value:.0f}" if key.endswith(("_px", "_quality")) else f"{value:.3g}"


def _ratio(value: float) -> str:
    """How many times more common, turned so that it is at least 1: ``1.7``, ``12``, ``340``."""
    if not math.isfinite(value) or value <= 0:
        return "?"
    value = max(value, 1 / value)
    return f"{value:.1f}" if value < 3 else f"{float(f'{value:.2g}'):.0f}"
