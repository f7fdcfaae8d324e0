"""What was left out, and what that cost: results of one manifest beside that of the full variant.

Each variant is an ordinary result with a note. Differences are of the same pictures, drawn together (paired
bootstrap over groups): two variants may overlap in their intervals and yet differ surely. A variant whose
note is ``without KIND``, or ``without KIND, KIND``, where each is a kind of forgery in the manifest, is also
judged on those kinds alone: on forgeries of a family that it never met.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haechi.bench.metrics import Figure, Ranking, figures
from haechi.bench.result import SCHEMA, write_json
from haechi.bench.scores import Scored, read_scores, scores_path
from haechi.errors import UsageError
from haechi.types import F64

ABLATION = "haechi.ablation/1"
FULL = "full"
ALL = "all"
_WITHOUT = re.compile(r"without ([\w.-]+(?:, [\w.-]+)*)$")


@dataclass(frozen=True, slots=True)
class Variant:
    """A result: its note, its file, how it was made, the hash of its manifest, its scores."""

    note: str
    file: str
    command: str
    manifest: str
    scored: Scored


def ablation(
    folder: Path,
    out: Path | None = None,
    *,
    score: str = "swap",
    rung: str = "clean",
    full: str = FULL,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Collect ``folder/*.json``, write ``out`` (None writes nothing) and return what it holds:

    ``variants``: {variant, file, command, sets: {all and each source: {n_real, n_fake, auc, difference}}},
    the one called ``full`` first, which has no difference. A source of forgeries alone is set against the
    genuine pictures of all; one of genuine pictures alone is no set. ``held``: {kinds: [{kind, auc, full,
    difference}], mean, mean_full, difference}, where a kind was left out of a variant: its forgeries against
    the genuine pictures of their own sources.

    Raises UsageError without a full variant, and when variants were not measured on the same items."""
    variants = _read(folder, rung, score)
    whole = next((v for v in variants if v.note == full), None)
    if whole is None:
        notes = ", ".join(repr(v.note) for v in variants)
        raise UsageError(f"{folder.name}: no result has the note {full!r} (--note); there are: {notes}")
    for v in variants:
        if v.scored.ids != whole.scored.ids:
            raise UsageError(
                f"{v.file} was not measured on the items of {whole.file}: run both on one manifest"
            )
    variants.sort(key=lambda v: v is not whole)
    compare = _Compare(rung, score, resamples, seed)
    sets = _sets(whole.scored, rung)
    rows = []
    for v in variants:
        parts = {name: compare.set(v.scored, whole.scored, index, v is whole) for name, index in sets.items()}
        rows.append({"variant": v.note, "file": v.file, "command": v.command, "sets": parts})
    words = ["haechi", "bench", "ablation", folder.name, "--score", score, "--rung", rung, "--full", full]
    result = {
        "schema": ABLATION,
        "command": shlex.join(words),
        "manifest": whole.manifest,
        "score": score,
        "rung": rung,
        "options": {"full": full, "resamples": resamples, "seed": seed},
        "variants": rows,
        "held": _held(variants[1:], whole, rung, compare),
    }
    if out is not None:
        write_json(out, result)
    return result


def _read(folder: Path, rung: str, score: str) -> list[Variant]:
    variants = []
    for file in sorted(folder.glob("*.json")):
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{file.name} cannot be read as a result") from error
        if content.get("schema") != SCHEMA:
            continue
        scored = read_scores(scores_path(file))
        if (rung, score) not in scored.values:
            raise UsageError(f"{file.name} has no score {score!r} on the rung {rung!r}")
        note = str(content.get("note", file.stem))
        variants.append(Variant(note, file.name, content["command"], content["manifest"]["sha256"], scored))
    if not variants:
        raise UsageError(f"{folder.name}: there is no result to compare")
    return variants


def _sets(scored: Scored, rung: str) -> dict[str, NDArray[np.int64]]:
    """Items by the name of their source, with those of the other class that they are set against."""
    ran = scored.ran[rung]
    sources = np.array(scored.sources, dtype=str)
    out = {ALL: np.flatnonzero(ran)}
    for name in sorted(set(scored.sources) - {""}) if len(set(scored.sources)) > 1 else []:
        own = ran & (sources == name)
        if not (own & ~scored.fake).any():
            own = own | (ran & ~scored.fake)
        elif not (own & scored.fake).any():
            continue  # genuine pictures against all forgeries would tell of the forgeries
        out[name] = np.flatnonzero(own)
    return out


@dataclass(frozen=True, slots=True)
class _Compare:
    rung: str
    score: str
    resamples: int
    seed: int

    def auc(self, scored: Scored, index: NDArray[np.int64]) -> Callable[[F64], F64]:
        return Ranking(scored.fake[index], scored.values[self.rung, self.score][index]).auc

    def figures(
        self, statistics: Callable[[F64], Mapping[str, F64]], groups: Sequence[str]
    ) -> dict[str, Figure]:
        return figures(statistics, groups, resamples=self.resamples, seed=self.seed)

    def set(self, one: Scored, full: Scored, index: NDArray[np.int64], is_full: bool) -> dict[str, Any]:
        mine, theirs = self.auc(one, index), self.auc(full, index)

        def statistics(weights: F64) -> Mapping[str, F64]:
            own = mine(weights)
            return {"auc": own} if is_full else {"auc": own, "difference": own - theirs(weights)}

        results = self.figures(statistics, [one.groups[int(i)] for i in index])
        fake = int(one.fake[index].sum())
        return {
            "n_real": len(index) - fake,
            "n_fake": fake,
            **{k: v.as_dict() for k, v in results.items()},
        }


def _held(variants: Sequence[Variant], whole: Variant, rung: str, compare: _Compare) -> dict[str, Any]:
    """Every kind on the variant that did not train on it; and the mean over kinds, each weighing the same."""
    parts: list[tuple[str, NDArray[np.int64], Callable[[F64], F64], Callable[[F64], F64]]] = []
    for v in variants:
        match = _WITHOUT.match(v.note)
        for kind in match.group(1).split(", ") if match else []:
            index = _of_kind(whole.scored, rung, kind)
            if index is not None:
                parts.append((kind, index, compare.auc(v.scored, index), compare.auc(whole.scored, index)))
    groups = [whole.scored.groups[int(i)] for _, index, _, _ in parts for i in index]
    ends = np.cumsum([len(index) for _, index, _, _ in parts])[:-1]

    def statistics(weights: F64) -> Mapping[str, F64]:
        blocks = np.split(weights, ends, axis=1)
        out: dict[str, F64] = {}
        for (kind, _, mine, theirs), w in zip(parts, blocks, strict=True):
            out[f"auc/{kind}"], out[f"full/{kind}"] = mine(w), theirs(w)
        for side, name in (("auc", "mean"), ("full", "mean_full")):
            out[name] = np.mean([out[f"{side}/{kind}"] for kind, *_ in parts], axis=0)
        for kind, *_ in parts:
            out[f"difference/{kind}"] = out[f"auc/{kind}"] - out[f"full/{kind}"]
        out["difference"] = out["mean"] - out["mean_full"]
        return out

    if not parts:
        return {"kinds": []}
    results = {k: f.as_dict() for k, f in compare.figures(statistics, groups).items()}
    names = ("auc", "full", "difference")
    kinds = [{"kind": kind, **{n: results[f"{n}/{kind}"] for n in names}} for kind, *_ in parts]
    return {"kinds": kinds, **{k: results[k] for k in ("mean", "mean_full", "difference")}}


def _of_kind(scored: Scored, rung: str, kind: str) -> NDArray[np.int64] | None:
    """Forgeries of a kind and the genuine pictures of the same sources, all genuine ones when there are none;
    None when the manifest has no such forgery."""
    ran, sources = scored.ran[rung], np.array(scored.sources, dtype=str)
    fakes = ran & scored.fake & (np.array(scored.kinds, dtype=str) == kind)
    if not fakes.any():
        return None
    reals = ran & ~scored.fake
    beside = reals & np.isin(sources, np.unique(sources[fakes]))
    return np.flatnonzero(fakes | (beside if beside.any() else reals))
