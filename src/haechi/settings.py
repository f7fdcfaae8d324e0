"""Every setting once: its name, default, meaning and the environment variable that changes it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any

from haechi.errors import UsageError

LANGUAGES = ("en", "zh", "ko")


def short_tag(lang: str) -> str:
    """The language of a tag such as ``zh-CN`` or ``ko_KR.UTF-8``, in lower case."""
    return lang.replace("_", "-").split("-")[0].lower()


def _setting(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


def most_threads() -> int:
    """More than this many threads a network would only wait for each other, or not be had at all."""
    return max(64, 4 * (os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits and choices. Every field NAME is read from the variable ``HAECHI_NAME`` by ``from_env``."""

    max_bytes: int = _setting(2 * 1024**3, "largest file that is read, in bytes")
    max_pixels: int = _setting(120_000_000, "largest picture or frame, width times height in pixels")
    max_memory_bytes: int = _setting(640 * 1024**2, "most memory for decoding one picture, in bytes")
    max_duration_s: float = _setting(4 * 3600.0, "longest video, in seconds")
    decode_timeout_s: float = _setting(
        120.0, "longest decoding of a video (all passes over it), JPEG, PNG or GIF, in seconds"
    )
    job_timeout_s: float = _setting(
        600.0, "longest check of an upload, or of one of several files, in seconds"
    )
    video_frames: int = _setting(300, "frames of a video in which faces are looked for")
    video_crops: int = _setting(150, "frames of one face that the networks look at, besides its first 20")
    max_faces: int = _setting(64, "faces of one source that are judged, largest first")
    threads: int = _setting(0, "processor threads for the networks; 0 means all")
    models_dir: str = _setting("", "folder with model cards and weights; empty means the shipped ones")
    known_files: str = _setting("", "CSV list of PDQ hashes, or a folder of them, to compare files with")
    trust_list: str = _setting("", "certificates (PEM) of signers of content credentials that you trust")
    lang: str = _setting("en", "language of reports: en, zh or ko, also as zh-CN")

    def __post_init__(self) -> None:
        for f in fields(self):
            value, least = getattr(self, f.name), 0 if f.name == "threads" else 1
            if f.name == "threads" and value > most_threads():
                raise UsageError(
                    f"threads={value} is out of range, at most {most_threads()} make sense here: {_help(f)}"
                )
            if isinstance(value, int | float) and not least <= value < math.inf:
                raise UsageError(f"{f.name}={value} is out of range, at least {least} is needed: {_help(f)}")
        short = short_tag(self.lang)
        if short not in LANGUAGES:
            raise UsageError(f"lang={self.lang!r} is not one of {', '.join(LANGUAGES)}")
        object.__setattr__(self, "lang", short)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Settings with every HAECHI_* variable applied. Raises UsageError on a value of the wrong type."""
        env = os.environ if environ is None else environ
        changes: dict[str, Any] = {}
        for f in fields(cls):
            variable = f"HAECHI_{f.name.upper()}"
            if variable not in env:
                continue
            kind: type[Any] = type(f.default)
            try:
                changes[f.name] = kind(env[variable])
            except ValueError as error:
                raise UsageError(
                    f"{variable}={env[variable]!r} is not a valid {kind.__name__}: {_help(f)}"
                ) from error
        return replace(cls(), **changes)


def _help(setting: Field[Any]) -> str:
    return str(setting.metadata["help"])
