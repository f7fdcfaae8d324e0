"""A run as one HTML page: counts by level, a contact sheet, known files, near-duplicates. It loads nothing
from outside, and its pictures are blurred until they are asked for."""

from __future__ import annotations

import base64
import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from markupsafe import Markup

from haechi import pdq
from haechi.batch.copies import MOST_COMPARED, groups
from haechi.batch.rows import Row, content_path
from haechi.batch.summary import LEVELS, error_name
from haechi.models import ModelCard
from haechi.report.data import tool_version
from haechi.report.error_rates import share_of
from haechi.report.html import asset, inline_hash
from haechi.report.messages import say, sentence
from haechi.report.templating import HTML_LANG, render

MOST_PICTURES = 300
"""On the contact sheet: what a browser shows without trouble, and a reader looks through."""
MOST_GROUPS, MOST_IN_A_GROUP, MOST_KNOWN = 100, 20, 1000
_SUSPICION = {level: number for number, level in enumerate(reversed(LEVELS))}


class PictureMaker(Protocol):
    """Makes small pictures, see ``haechi.batch.thumbnails``."""

    def of(self, path: str, sha256: str) -> bytes | None: ...


@dataclass(slots=True)
class Digest:
    """What the page tells of all rows, gathered as they go by. suspicious: the rows that stand highest,
    lowest first · hashes, names: of each file with a fingerprint that says something."""

    levels: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    models: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    suspicious: list[tuple[int, float, str, Row]] = field(default_factory=list)
    matches: list[Row] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)

    def add(self, row: Row) -> None:
        if "error" in row:
            self.errors[str(row["error"]["code"])] += 1
            return
        verdict = row["verdict"]
        self.levels[str(verdict["level"])] += 1
        self.models.update((m["name"], m["version"], m["sha256"]) for m in row["models"])
        place = (_SUSPICION.get(verdict["level"], -1), verdict["score"] or 0.0, row["id"], row)
        push = heapq.heappush if len(self.suspicious) < MOST_PICTURES else heapq.heappushpop
        push(self.suspicious, place)
        if row["known"] and len(self.matches) < MOST_KNOWN:
            self.matches.append(row)
        if row["pdq"] and row["pdq"]["quality"] >= pdq.MIN_QUALITY:
            self.hashes.append(row["pdq"]["hash"])
            self.names.append((row["id"], _name(row)))


def page(rows: Iterable[Row], lang: str, card: ModelCard, pictures: PictureMaker | None) -> str:
    """The page. ``card``: of the verdict; its error rates are told when it is the one that judged.
    ``pictures``: None leaves them out."""
    digest = Digest()
    for row in rows:
        digest.add(row)
    copies = [[digest.names[i] for i in group] for group in groups(digest.hashes)]
    group_of = {id_: number for number, group in enumerate(copies, 1) for id_, _ in group}
    top = [row for _, _, _, row in sorted(digest.suspicious, key=lambda place: place[:3], reverse=True)]
    is_own_card = all(sha256 == card.sha256 for name, _, sha256 in digest.models if name == "verdict")
    style = asset("base.css") + asset("page.css") + _text("batch.css")
    script = _text("batch.js")
    return str(
        render(
            "batch.html",
            lang,
            package="haechi.batch",
            html_lang=HTML_LANG.get(lang, lang),
            style=Markup(style),
            style_hash=inline_hash(style),
            script=Markup(script),
            script_hash=inline_hash(script),
            version=tool_version(),
            total=sum(digest.levels.values()) + sum(digest.errors.values()),
            levels=_level_rows(digest.levels, card.figures if is_own_card else {}, lang),
            errors=[[error_name(code, lang), str(n)] for code, n in digest.errors.most_common()],
            entries=[_entry(row, group_of.get(row["id"], 0), lang, pictures) for row in top],
            judged=sum(digest.levels.values()),
            with_pictures=pictures is not None,
            known=[_known(row) for row in digest.matches],
            copies=[
                {"number": number, "size": len(group), "names": [name for _, name in group[:MOST_IN_A_GROUP]]}
                for number, group in enumerate(copies[:MOST_GROUPS], 1)
            ],
            group_count=len(copies),
            match_at=pdq.MATCH_AT,
            equal_only=len(set(digest.hashes)) > MOST_COMPARED,
            most_compared=f"{MOST_COMPARED:,}",
            models=[" ".join(model) for model in sorted(digest.models)],
        )
    )


def _level_rows(levels: Mapping[str, int], figures: Mapping[str, Any], lang: str) -> list[list[str]]:
    """Each level with its number, and how often it is wrong."""
    rows = []
    for level in LEVELS:
        share = share_of(level, figures)
        rates = [say(f"level_{level}", lang)] if level != "unknown" else []
        rates += [sentence(share, lang)] if share is not None else []
        rows.append([say(f"level_word_{level}", lang), str(levels.get(level, 0)), " ".join(rates) or "–"])
    return rows


def _entry(row: Row, group: int, lang: str, pictures: PictureMaker | None) -> dict[str, Any]:
    verdict, path = row["verdict"], content_path(row)
    data = None
    if pictures is not None and path is not None:
        data = pictures.of(path, row["source"]["sha256"])
    score = verdict["score"]
    return {
        "picture": "" if data is None else "data:image/jpeg;base64," + base64.b64encode(data).decode(),
        "name": _name(row),
        "level": verdict["level"],
        "rank": _SUSPICION.get(verdict["level"], -1),
        "level_word": say(f"level_word_{verdict['level']}", lang),
        "score": "–" if score is None else f"{score:.3f}",
        "order": -1 if score is None else score,
        "faces": len(row["faces"]),
        "group": group,
    }


def _known(row: Row) -> list[str]:
    nearest = min(row["known"], key=lambda match: match["distance"])
    return [_name(row), str(nearest["list"]), str(nearest["distance"])]


def _name(row: Row) -> str:
    return f"{row['path']} / {row['member']}" if "member" in row else str(row["path"])


@cache
def _text(name: str) -> str:
    text = files("haechi.batch").joinpath("templates", name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")
