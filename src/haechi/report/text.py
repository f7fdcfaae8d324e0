"""The report on a terminal: the sentence first, then what it rests on, then what was not looked at."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from haechi.report.coverage import faces_line, untested_topics
from haechi.report.error_rates import with_hits
from haechi.report.messages import (
    detector_name,
    language,
    level_sentence,
    say,
    sentence,
    sentences,
    unknown_because,
    visible,
    weight_code,
)
from haechi.report.pointers import headline, pointers
from haechi.report.wrap import wrap
from haechi.types import Evidence, Report

MAX_WIDTH = 100  # longer lines are hard to read
GAP = 3

# No green for "none": an absent sign is not a clearance. The mark tells the level without colour.
LEVEL_STYLE = {"strong": "bold red", "some": "bold yellow", "none": "bold blue", "unknown": "bold magenta"}
LEVEL_MARK = {"strong": "▲", "some": "△", "none": "○", "unknown": "?"}
LEVEL_MARK_ASCII = {"strong": "!!", "some": "!", "none": "-", "unknown": "?"}
_CLAIM_STYLE = {"failed": "bold", "unread": "dim"}
WEIGHT_STYLE = {"weight_for_3": "bold red", "weight_for_2": "red", "weight_for_1": "yellow"}


def print_report(report: Report, console: Console, lang: str = "en") -> None:
    """Print the report to ``console``. File names and error texts are shown with their control characters
    written out, so that none can move the cursor or hide a line."""
    lang = language(lang)
    width = min(console.width, MAX_WIDTH)
    unicode = console.encoding.lower().startswith("utf")
    level = report.verdict.level
    for line in (
        _heading(report, lang, width),
        Text(""),
        _hanging(
            (LEVEL_MARK if unicode else LEVEL_MARK_ASCII)[level],
            level_sentence(report.verdict, lang),
            width,
            LEVEL_STYLE[level],
        ),
        *(_hanging("  ·" if unicode else "  -", why, width) for why in _reasons(report, lang)),
        *_headline(report, lang, width, unicode),
    ):
        console.print(line, soft_wrap=True)
    if report.evidence:
        console.print(_table(report, lang, width))
    for line in _claims(report, lang, width, "·" if unicode else "-"):
        console.print(line, soft_wrap=True)
    for label, words in (
        ("ui_faces", faces_line(report, lang)),
        ("ui_quality", " ".join(quality_notes(report, lang)) or say("ui_quality_fine", lang)),
        ("ui_not_tested", _untested(report, lang)),
    ):
        console.print(_labelled(say(label, lang), words, lang, width), soft_wrap=True)


def _headline(report: Report, lang: str, width: int, unicode: bool) -> Iterator[Text]:
    """What the file says of itself, beside the verdict and apart from its reasons: as bold as the verdict,
    and in no colour of a level."""
    admission = headline(report)
    if admission is None:
        return
    yield Text("")
    yield _hanging("◆" if unicode else "*", sentence(admission, lang), width, "bold")
    yield _hanging("  ·" if unicode else "  -", say("file_says_note", lang), width)


def _heading(report: Report, lang: str, width: int) -> Text:
    media = report.media
    facts = [say(f"kind_{media.kind}", lang), f"{media.width_px} × {media.height_px} px"]
    if media.duration_s is not None:
        facts.append(say("ui_seconds", lang, s=f"{media.duration_s:.1f}"))
    name, tail = visible(media.name), " · ".join(facts)
    gap = "  " if cell_len(name) + 2 + cell_len(tail) <= width else "\n"
    return Text.assemble((wrap(name, width), "bold"), (gap + tail, "dim"))


def _reasons(report: Report, lang: str) -> list[str]:
    """The verdict's reasons, less the one in its sentence and those that the table tells; then what is said
    below and must not be missed."""
    verdict = report.verdict
    because = unknown_because(verdict) if verdict.level == "unknown" else None
    fresh = (r for r in with_hits(report) if r is not because and not r.code.startswith("evidence_"))
    reasons = [e.reason for e in report.evidence] + [claim.reason for claim in report.claims]
    tabled = {sentence(reason, lang) for reason in reasons}
    return [
        *(line for line in sentences(fresh, lang) if line not in tabled),
        *sentences(pointers(report), lang),
    ]


def _hanging(mark: str, words: str, width: int, style: str = "") -> Text:
    """``mark``, then the words, their further lines indented to stand below the first."""
    indent = cell_len(mark) + 1
    return Text(f"{mark} " + wrap(words, width - indent).replace("\n", "\n" + " " * indent), style=style)


def _table(report: Report, lang: str, width: int) -> Table:
    """Detectors, their findings in words, and which way each speaks. Wrapped here, because rich breaks
    Chinese and Korean in the wrong places."""
    rows = [
        (detector_name(e.detector, lang), sentence(e.reason, lang), _weight(e, lang)) for e in report.evidence
    ]
    heads = [say(f"ui_{key}", lang) for key in ("examination", "finding", "weight_short")]
    first = min(max(cell_len(x) for x in (heads[0], *(r[0] for r in rows))), width * 3 // 10)
    last = min(max(cell_len(x) for x in (heads[2], *(r[2].plain for r in rows))), width // 4)
    middle = max(width - first - last - 2 * GAP - 2, 10)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, GAP - 1, 0, 0), header_style="dim")
    for head in heads:
        table.add_column(head, no_wrap=True, overflow="fold")
    for name, finding, weight in rows:
        weight.plain = wrap(weight.plain, last)
        table.add_row(Text(wrap(name, first)), Text(wrap(finding, middle)), weight)
    return table


def _claims(report: Report, lang: str, width: int, dot: str) -> Iterator[Text]:
    """What the file, or a list, says: sentences, not rows with a weight; an empty line stands behind them."""
    if not report.claims:
        return
    yield Text(wrap(say("ui_claims", lang), width), style="dim")
    for claim in report.claims:
        yield _hanging(f"  {dot}", sentence(claim.reason, lang), width, _CLAIM_STYLE.get(claim.outcome, ""))
        for fact in sentences(claim.facts, lang):
            yield _hanging(f"      {dot}", fact, width)
    yield Text("")


def _weight(item: Evidence, lang: str) -> Text:
    if item.status != "scored":
        return Text(say(f"status_{item.status}", lang), style="bold" if item.status == "failed" else "dim")
    code = weight_code(item.llr)
    return Text(say(code, lang), style=WEIGHT_STYLE.get(code, ""))


def quality_notes(report: Report, lang: str) -> list[str]:
    """The notes on the whole file, then those on single faces that it does not already tell."""
    notes = sentences(report.quality.issues, lang)
    for face in report.quality.faces:
        own = [line for line in sentences(face.issues, lang) if line not in notes]
        label = f"{say('ui_face', lang)} {face.track_id}"
        notes += [say("ui_label", lang, label=label, text=line) for line in own]
    return notes


def _untested(report: Report, lang: str) -> str:
    return say("ui_sep", lang).join(say(f"short_{topic}", lang) for topic in untested_topics(report))


def _labelled(label: str, words: str, lang: str, width: int) -> Text:
    line = Text(wrap(say("ui_label", lang, label=label, text=words), width))
    line.stylize("dim", 0, len(label) + 1)
    return line
