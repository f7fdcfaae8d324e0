"""How fast and how heavy: what a user waits for, measured from outside on whole processes.

Cold start means a new process, not an empty page cache. The default media are made here from NASA's portrait
of Eileen Collins (public domain) that scikit-image carries: 12 megapixels, and a clip in which it moves.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import haechi
from haechi.bench.result import write_json
from haechi.errors import HaechiError, UsageError
from haechi.settings import Settings
from haechi_lab.system.cost_table import with_auc

SCHEMA = "haechi.speed/1"
FURTHER = 4
_MB = 1_000_000
_STAGES = (
    "import json, sys; from haechi.check import check; "
    "r = check(sys.argv[1], previews=False); "
    "print(json.dumps([dict(r.stages_s), r.verdict.level, len(r.faces)]))"
)

_LAUNCH = (
    "import json, os, resource, subprocess, sys, time; begin = time.perf_counter(); "
    "code = subprocess.run([sys.executable, *sys.argv[2:]]).returncode; "
    "seconds = time.perf_counter() - begin; "
    "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss; "
    "os.write(int(sys.argv[1]), json.dumps([seconds, peak, code]).encode())"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one process: wall time in seconds and peak resident memory in MB."""

    seconds: float
    peak_mb: float
    stdout: str


def speed(
    out: Path | None = None,
    *,
    photo: Path | None = None,
    video: Path | None = None,
    repeats: int = 5,
    cores: int = 2,
) -> dict[str, Any]:
    """Measure, write ``out`` (None writes nothing) and return its content: rows of {what, value, unit, shown,
    bar, ok} and the stages of a cold photograph and of the video. ``cores``: processors that the measured
    processes may use, where the system can say so (Linux); 0 for all.

    Raises UsageError when media must be made and scikit-image is missing, HaechiError when a check fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        photos, videos = _media(work, photo, video)
        one = [_run(["-m", "haechi", "check", "-q", str(photos[0])], cores) for _ in range(repeats)]
        many = [_run(["-m", "haechi", "check", "-q", *map(str, photos)], cores) for _ in range(repeats)]
        clips = {name: _run(["-m", "haechi", "check", "-q", str(p)], cores) for name, p in videos.items()}
        imported = [_run(["-c", "import haechi"], cores).seconds for _ in range(repeats)]
        stages = {
            name: json.loads(_run(["-c", _STAGES, str(p)], cores).stdout.splitlines()[-1])
            for name, p in (("photograph", photos[0]), ("video", videos["video"]))
        }
    installed = installed_mb()
    result = {
        "schema": SCHEMA,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": metadata.version("haechi"),
        "media": {
            "photo": "given" if photo else "made",
            "video": "given" if video else "made, MPEG-4 part 2",
        },
        "machine": {
            "processor": processor(),
            "cores": cores or os.cpu_count(),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        "repeats": repeats,
        "rows": [
            *_rows(one, many, clips, photo, video),
            _row("a process that imports haechi", statistics.median(imported), "s", 0.4),
            _row("shipped weights", _weights_mb(), "MB", 60),
            _row("installation with default extras", sum(installed.values()), "MB", 360),
        ],
        "installed_mb": {k: round(v, 1) for k, v in installed.items()},
        "stages_s": {
            name: {k: round(v, 4) for k, v in stage[0].items()} | {"n_faces": stage[2], "level": stage[1]}
            for name, stage in stages.items()
        },
    }
    if out is not None:
        write_json(out, result)
    return result


def _rows(
    one: Sequence[Cost],
    many: Sequence[Cost],
    clips: Mapping[str, Cost],
    photo: Path | None,
    video: Path | None,
) -> list[dict[str, Any]]:
    """What was measured beside what was aimed at. ``one``: runs on a photograph; ``many``: on
    it and others."""
    first = statistics.median(c.seconds for c in one)
    further = (statistics.median(c.seconds for c in many) - first) / FURTHER
    memory = max(c.peak_mb for c in (*one, *many))
    return [
        _row(f"{'given' if photo else '12-megapixel'} photograph, from a cold start", first, "s", 1.5),
        _row("each further photograph in the same run", further, "s", 0.25),
        _row("peak memory, photographs", memory, "MB", 700),
        _row("given video" if video else "30-second 720p video", clips["video"].seconds, "s", 15),
        _row("peak memory, that video", clips["video"].peak_mb, "MB", 700),
        *(
            [_row("peak memory, a 10-second video", clips["short"].peak_mb, "MB", 700)]
            if "short" in clips
            else []
        ),
    ]


def pace_of_baselines(out: Path, repeats: int = 5, cores: int = 2) -> dict[str, Any]:
    """Faces a second of the face networks and of larger ones, side by side: written to ``out`` and returned,
    with the AUC that the results beside it tell. It is measured by a process of the lab, which alone loads
    PyTorch. Raises HaechiError when that fails, as it does without PyTorch."""
    _run(["-m", "haechi", "train", "baselines", "--out", str(out), "--runs", str(repeats)], cores)
    return with_auc(json.loads(out.read_text(encoding="utf-8")), out.parent)


def render_speed(result: Mapping[str, Any]) -> str:
    """The result as plain lines for a terminal."""
    lines = [
        f"{r['what']:<46} {r['shown']:>10}   bar {r['bar']:<10} {'ok' if r['ok'] else 'MISSED'}"
        for r in result["rows"]
    ]
    for name, stages in result["stages_s"].items():
        parts = ", ".join(f"{k} {v:.2f} s" for k, v in stages.items() if isinstance(v, float))
        lines.append(f"stages, {name}: {parts}; verdict {stages['level']}, faces {stages['n_faces']}")
    return "\n".join(lines)


def _row(what: str, value: float, unit: str, bar: float) -> dict[str, Any]:
    text = f"{value:.2f} {unit}" if unit == "s" else f"{value:.0f} {unit}"
    return {
        "what": what,
        "value": round(value, 3),
        "unit": unit,
        "shown": text,
        "bar": f"<= {bar:g} {unit}",
        "ok": value <= bar,
    }


@contextmanager
def _limited(cores: int) -> Iterator[None]:
    """Let processes that begin in here use that many processors: a child inherits them from us."""
    if not cores or not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _run(arguments: Sequence[str], cores: int) -> Cost:
    """One process of this interpreter from start to end. Exit codes other than 0 raise HaechiError.

    A small process stands between: Linux counts what the one that forks holds as memory of the one begun."""
    with (
        tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr,
        tempfile.TemporaryFile() as cost, _limited(cores),
    ):  # fmt: skip
        command = [sys.executable, "-c", _LAUNCH, str(cost.fileno()), *arguments]
        subprocess.run(command, stdout=stdout, stderr=stderr, pass_fds=[cost.fileno()], check=True)
        for file in (stdout, stderr, cost):
            file.seek(0)
        seconds, peak, code = json.loads(cost.read())
        if code != 0:
            why = stderr.read().decode(errors="replace").strip().splitlines()
            raise HaechiError(f"the measured check ended with {code}: {why[-1] if why else ''}")
        unit = 1 if sys.platform == "darwin" else 1024
        return Cost(seconds, peak * unit / _MB, stdout.read().decode(errors="replace"))


def _media(work: Path, photo: Path | None, video: Path | None) -> tuple[list[Path], dict[str, Path]]:
    face = None if photo and video else portrait()
    photos = [photo] * (FURTHER + 1) if photo else []
    if not photo:
        for k in range(FURTHER + 1):
            photos.append(work / f"photo{k}.jpg")
            make_photo(face, photos[-1], shift_px=16 * k)
    if video:
        return photos, {"video": video}
    videos = {"video": work / "video.mp4", "short": work / "short.mp4"}
    make_video(face, videos["video"], frames=900)
    make_video(face, videos["short"], frames=300)
    return photos, videos


def make_photo(portrait: Any, path: Path, shift_px: int = 0) -> None:
    """A JPEG of 4000 x 3000 px: the portrait u8 (H, H, 3) enlarged to the full height, the rest mirrored."""
    import cv2
    import numpy as np

    large = cv2.resize(portrait, (3000, 3000), interpolation=cv2.INTER_CUBIC)
    wide = cv2.copyMakeBorder(large, 0, 0, 500, 500, cv2.BORDER_REFLECT)
    bgr = cv2.cvtColor(np.roll(wide, shift_px, axis=1), cv2.COLOR_RGB2BGR)
    path.write_bytes(bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 92])[1]))


def make_video(portrait: Any, path: Path, frames: int = 900) -> None:
    """A clip of 1280 x 720 px at 30 frames a second, through which the portrait drifts."""
    import cv2
    import numpy as np

    large = cv2.resize(portrait, (900, 900), interpolation=cv2.INTER_AREA)
    wide = cv2.copyMakeBorder(large, 0, 0, 350, 350, cv2.BORDER_REFLECT)
    bgr = cv2.cvtColor(wide, cv2.COLOR_RGB2BGR)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 30.0, (1280, 720))
    if not writer.isOpened():
        raise UsageError("this OpenCV cannot write MPEG-4; give --video PATH")
    for k in range(frames):
        x = 160 + round(150 * np.sin(k / 47))
        y = 60 + round(59 * np.sin(k / 31))
        writer.write(np.ascontiguousarray(bgr[y : y + 720, x : x + 1280]))
    writer.release()


def portrait() -> Any:
    """NASA's portrait of Eileen Collins, u8 (512, 512, 3). Raises UsageError without scikit-image."""
    try:
        from skimage import data
    except ImportError as error:
        raise UsageError(
            "making the test media needs scikit-image: pip install 'haechi[dev]', or give --photo and --video"
        ) from error
    return data.astronaut()  # type: ignore[no-untyped-call, unused-ignore]


def _weights_mb() -> float:
    from haechi.models import folder

    return sum(p.stat().st_size for p in folder(Settings.from_env()).glob("*.onnx")) / _MB


def installed_mb(name: str = "haechi") -> dict[str, float]:
    """MB on disk of a distribution and of everything that it requires without extras, by name, largest first,
    as installed here with the bytecode that pip wrote. An editable installation of Haechi counts by its
    package."""
    sizes_mb: dict[str, float] = {}
    queue = [name]
    while queue:
        current = re.sub(r"[-_.]+", "-", queue.pop()).lower()
        if current in sizes_mb:
            continue
        try:
            package = metadata.distribution(current)
        except metadata.PackageNotFoundError:
            continue  # required on other systems or Python versions only
        files = [Path(str(f.locate())) for f in package.files or []]
        if current == "haechi":
            files += list(Path(haechi.__file__).resolve().parent.rglob("*"))
        sizes_mb[current] = sum(f.stat().st_size for f in {f.resolve() for f in files if f.is_file()}) / _MB
        for line in package.requires or []:
            if "extra ==" not in line:
                queue.append(re.split(r"[\s;<>=!~(\[]", line, maxsplit=1)[0])
    return dict(sorted(sizes_mb.items(), key=lambda pair: -pair[1]))


def processor() -> str:
    """What the processor calls itself."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        match = re.search(r"model name\s*:\s*(.+)", info.read_text(encoding="utf-8", errors="replace"))
        if match:
            return match.group(1).strip()
    return platform.processor() or platform.machine()
