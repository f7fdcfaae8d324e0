"""Run a benchmark: every item on every rung, once, to be taken up again where it stopped."""

from __future__ import annotations

import json
import multiprocessing
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np

from haechi.bench.corruptions import RUNGS, degrade, degraded_file, rung
from haechi.bench.localisation import SHIFTED, read_mask
from haechi.bench.manifest import Item, Manifest
from haechi.bench.metadata_baseline import file_facts, matched, null_figures
from haechi.bench.result import FACE_BINS_PX, write_result
from haechi.bench.scorer import CheckScorer, FileScorer, MapScorer, Scorer, Scores
from haechi.bench.scores import LEVEL, Scored
from haechi.bench.treatment import Treatment
from haechi.errors import InputError, UsageError
from haechi.settings import Settings
from haechi.types import U8

CLEAN = "clean"
Record: TypeAlias = dict[str, Any]
"""One item measured: id, facts of the file, scores {rung: {name: number | level | None}}."""


@dataclass(frozen=True, slots=True)
class Job:
    """All that a worker needs to know. Without rungs it only looks at the files."""

    scorer: Scorer
    rungs: tuple[str, ...]
    treatment: Treatment
    seed: int
    settings: Settings


def bench(
    manifest: Manifest,
    out: Path,
    scorer: Scorer | None = None,
    *,
    rungs: Sequence[str] = tuple(RUNGS),
    treatment: Treatment | None = None,
    match: bool = False,
    jobs: int = 1,
    seed: int = 0,
    resamples: int = 1000,
    probabilities: Sequence[str] = ("verdict",),
    models: Sequence[Mapping[str, Any]] | None = None,
    command: str = "",
    note: str = "",
    settings: Settings | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Any]:
    """Measure and write ``out`` (a .json) with its scores beside it; returns what the json holds.

    ``scorer``: None for the whole of Haechi. ``treatment``: done to every picture of both classes before the
    scorer and the null model see it. ``match``: keep a subset in which the null model finds nothing.
    ``probabilities``: scores that ECE is computed for. ``note``: what was different about the models, for a
    table of variants. A video is measured on the rung ``clean`` only.

    What was measured is kept in ``out``'s name with .partial.jsonl until all is done; the same call takes it
    up. An item that cannot be read is an abstention, counted as unreadable. Raises UsageError, ModelError,
    and whatever else the scorer raises: a crash must not pass for a score.
    """
    if out.suffix != ".json":
        raise UsageError(f"--out {out.name}: a result is a .json file")
    _ = [rung(name) for name in rungs]  # raises for what is none
    begin = time.perf_counter()
    settings = settings or Settings.from_env()
    settings = replace(settings, threads=1) if jobs > 1 and not settings.threads else settings
    scorer = CheckScorer(settings) if scorer is None else scorer
    models = (scorer.models() if isinstance(scorer, CheckScorer) else []) if models is None else models
    treatment = treatment or Treatment()
    job = Job(scorer, tuple(rungs), treatment, seed, settings)
    tell = progress or (lambda _stage, _part: None)
    items = manifest.items
    if match:
        items = _matched_items(items, job, jobs, lambda part: tell("files", part))
    what = _identity(manifest, treatment, match, seed, models)
    key = {**what, "rungs": list(rungs), "items": [i.id for i in items], "scorer": _name(scorer)}
    partial = out.with_name(out.stem + ".partial.jsonl")
    records = _resumed(partial, key, items, job, jobs, lambda part: tell("scores", part))
    tell("figures", 1.0)
    labels, groups = [i.fake for i in items], [i.group for i in items]
    null = null_figures([r["facts"] for r in records], labels, groups, resamples, seed)
    about = {"command": command, **({"note": note} if note else {}), **what, **_circumstances()}
    about["null"] = {k: v.as_dict() for k, v in null.items()}
    about["elapsed_s"] = round(time.perf_counter() - begin, 1)
    result = write_result(
        out, about, collect(items, records, job.rungs), probabilities=tuple(probabilities),
        resamples=resamples, seed=seed, face_bins_px=FACE_BINS_PX,
    )  # fmt: skip
    partial.unlink(missing_ok=True)
    return result


def _identity(
    manifest: Manifest, treatment: Treatment, match: bool, seed: int, models: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What a result is of: the files, what was done to them, and the models."""
    return {
        "manifest": {"name": manifest.name, "sha256": manifest.sha256, "n": len(manifest.items)},
        "treatment": asdict(treatment) | {"match": match},
        "seed": seed,
        "models": [dict(m) for m in models],
    }


def _circumstances() -> dict[str, Any]:
    """When, by which code and on what a result was measured."""
    machine = {"cores": multiprocessing.cpu_count(), "python": platform.python_version()}
    return {"created": datetime.now(UTC).isoformat(timespec="seconds"), "code": _code(), "machine": machine}


def _matched_items(
    items: Sequence[Item], job: Job, jobs: int, progress: Callable[[float], None]
) -> tuple[Item, ...]:
    """Those of the items whose files tell nothing of the label. Raises UsageError when none is left."""
    records = list(_measured(items, replace(job, rungs=()), jobs, progress))
    facts = [record["facts"] for record in records]
    indices = matched(facts, [i.fake for i in items], [i.group for i in items], seed=job.seed)
    if not len(indices):
        raise UsageError("matching leaves nothing: files of reals and fakes have no bin in common")
    return tuple(items[int(k)] for k in indices)


def measure(item: Item, job: Job) -> Record:
    """One item through all rungs."""
    from haechi.media import open_media

    record: Record = {"id": item.id, "facts": {}, "scores": {}}
    scorer = job.scorer
    try:
        media = open_media(item.path, job.settings)
        still = media.kind == "image"
        if not still and not job.treatment.is_nothing:
            raise UsageError("a treatment is for pictures; leave videos out of the manifest with --where")
        rgb = next(iter(media.frames(1))).rgb
        source: Path | bytes = item.path
        if not job.treatment.is_nothing:
            source = job.treatment.apply(rgb, item.id)
            rgb = next(iter(open_media(source, job.settings).frames(1))).rgb
        record["facts"] = file_facts(source)
        mask = _mask(item, job) if still else None
        for name in job.rungs if still else set(job.rungs) & {CLEAN}:
            if isinstance(scorer, FileScorer):
                coded = source if name == CLEAN else degraded_file(name, rgb, item.id, job.seed)
                if mask is not None and isinstance(scorer, MapScorer) and name not in SHIFTED:
                    scores = scorer.score_masked(coded, mask)
                else:
                    scores = scorer.score_file(coded)
            elif still:
                scores = scorer(degrade(name, rgb, item.id, job.seed))
            else:
                raise UsageError("this scorer takes pictures only; leave videos out with --where")
            record["scores"][name] = {k: _rounded(v) for k, v in scores.items()}
    except InputError as error:
        record["facts"] = record["facts"] or file_facts(item.path)
        for name in job.rungs:
            record["scores"].setdefault(name, {LEVEL: "unreadable", "why": error.code})
    return record


def _mask(item: Item, job: Job) -> U8 | None:
    """The true mask of a forgery, where the manifest names one."""
    if item.mask is None or not item.fake:
        return None
    if job.treatment.size != "keep":
        raise UsageError("a mask lies over the picture as it is: leave --size at keep, or the masks out")
    return read_mask(item.mask)


def collect(items: Sequence[Item], records: Sequence[Record], rungs: tuple[str, ...]) -> Scored:
    """Records in the order of the items -> arrays. Raises UsageError when nothing was scored at all."""
    all_scores: list[Mapping[str, Scores]] = [r["scores"] for r in records]
    readable = [s for by in all_scores for s in by.values() if s.get(LEVEL) != "unreadable"]
    columns = tuple(dict.fromkeys(k for s in readable for k in s if k != LEVEL))
    names = tuple(k for k in columns if not k.startswith("@"))
    if not names:
        raise UsageError("nothing in the manifest could be read, so there is nothing to measure")
    number = {
        (r, k): np.array([_number(by.get(r, {}).get(k)) for by in all_scores]) for r in rungs for k in columns
    }
    return Scored.of(
        items,
        rungs=rungs,
        names=names,
        values={key: v for key, v in number.items() if key[1] in names},
        ran={r: np.array([r in by for by in all_scores]) for r in rungs},
        levels={r: tuple(str(by.get(r, {}).get(LEVEL) or "") for by in all_scores) for r in rungs},
        measures={key: v for key, v in number.items() if key[1] not in names},
    )


def _resumed(
    partial: Path,
    key: Mapping[str, Any],
    items: Sequence[Item],
    job: Job,
    jobs: int,
    progress: Callable[[float], None],
) -> list[Record]:
    head = json.dumps(key, sort_keys=True)
    records: dict[str, Record] = {}
    if partial.exists():
        first, *lines = partial.read_text(encoding="utf-8").splitlines() or [""]
        if first != head:
            raise UsageError(
                f"{partial.name} belongs to another measurement (other files, rungs or models); delete it, "
                "or give another --out"
            )
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue  # the line that was being written when the run stopped: it is measured again
            records[record["id"]] = record
    else:
        partial.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(head + "\n", encoding="utf-8")
    remaining = [i for i in items if i.id not in records]
    before = len(records) / len(items)
    with partial.open("a", encoding="utf-8") as file:
        file.write("\n" if records else "")  # ends a line that was cut short
        for record in _measured(remaining, job, jobs, lambda part: progress(before + part * (1 - before))):
            file.write(json.dumps(record) + "\n")
            file.flush()
            records[record["id"]] = record
    return [records[i.id] for i in items]


def _measured(
    items: Sequence[Item], job: Job, jobs: int, progress: Callable[[float], None]
) -> Iterator[Record]:
    """Records in the order of the items."""
    if jobs <= 1 or len(items) <= 1:
        for k, item in enumerate(items):
            yield measure(item, job)
            progress((k + 1) / len(items))
        return
    # Not forked: a network's threads do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(jobs, _begin_worker, (job,)) as pool:
        for k, record in enumerate(pool.imap(_measure_in_worker, items, chunksize=1)):
            yield record
            progress((k + 1) / len(items))


_job: list[Job] = []


def _begin_worker(job: Job) -> None:
    cv2.setNumThreads(1)
    _job[:] = [job]


def _measure_in_worker(item: Item) -> Record:
    return measure(item, _job[0])


def _rounded(value: float | str | None) -> float | str | None:
    """Six digits, so that what is stored is what was computed with; not-a-number is an abstention."""
    if value is None or isinstance(value, str):
        return value
    return None if np.isnan(value) else float(f"{float(value):.6g}")


def _number(value: float | str | None) -> float:
    return float("nan") if value is None else float(value)


def _name(scorer: Scorer) -> str:
    kind = scorer if hasattr(scorer, "__qualname__") else type(scorer)
    return f"{kind.__module__}.{kind.__qualname__}"


def _code() -> dict[str, str]:
    """Version, and the commit when this file lies in a checkout of Haechi itself."""
    code = {"version": version("haechi")}
    root = Path(__file__).resolve().parents[3]
    git = shutil.which("git")
    if git is None or not (root / ".git").exists() or not (root / "src" / "haechi" / "bench").is_dir():
        return code
    for name, arguments in (("commit", ("rev-parse", "HEAD")), ("changed", ("status", "--porcelain", "src"))):
        answer = subprocess.run(
            [git, "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
        if answer.returncode == 0:
            code[name] = (
                answer.stdout.strip() if name == "commit" else str(bool(answer.stdout.strip())).lower()
            )
    return code
