"""What a bug report needs, and nothing that tells who sent it: no paths, no names, no addresses."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version

from haechi import models
from haechi.errors import UsageError
from haechi.media import ffmpeg
from haechi.server_options import Options
from haechi.settings import Settings

_PACKAGES = (
    "haechi", "numpy", "opencv-python-headless", "onnxruntime", "Pillow", "pi-heif", "pylibjxl", "rich",
    "typer", "torch",
)  # fmt: skip
_EXTRAS = ("c2pa-python", "fastapi", "cryptography")
_PATHS = ("models_dir", "known_files", "trust_list")


def lines(environ: Mapping[str, str] | None = None) -> Iterator[str]:
    """The report, line by line. Never raises: what cannot be told is told as such."""
    env = os.environ if environ is None else environ
    yield f"python: {platform.python_version()} ({platform.python_implementation()})"
    for package in (*_PACKAGES, *_EXTRAS):
        yield f"{package}: {_version(package)}"
    yield f"platform: {platform.system()} {platform.release()} {platform.machine()}"
    yield f"processors: {os.cpu_count()} in the machine, {models.cores()} for this process"
    yield from _libraries()
    try:
        settings = Settings.from_env(env)
    except UsageError as error:
        yield f"settings: {error.message}"
        return
    for f in fields(Settings):
        variable = f"HAECHI_{f.name.upper()}"
        value = getattr(settings, f.name)
        text = "(a path)" if f.name in _PATHS and value else repr(value)
        yield f"setting {f.name}: {text} ({variable if variable in env else 'default'})"
    yield from _server(env)
    checked = models.verify(settings)
    for line in checked:
        if line.name not in models.NAMES:
            continue
        card = "no card" if line.card is None else f"{line.card.version} sha256 {line.card.sha256[:12]}"
        yield f"model {line.name}: {card}: {'ok' if line.ok else line.why}"
    others = [line.ok for line in checked if line.name not in models.NAMES]  # files of any name
    if others:
        yield f"other cards: {len(others)}, of which {others.count(True)} ok"


def _server(env: Mapping[str, str]) -> Iterator[str]:
    """The options of ``haechi serve``, without the folder and the secret."""
    try:
        options = Options.from_env(env)
    except UsageError as error:
        yield f"server: {error.message}"
        return
    hidden = {"data_dir": "(a folder)", "token": "(set)" if options.token else "None"}
    hidden |= {name: "(set)" for name in ("tokens_file", "trusted_proxy") if getattr(options, name)}
    hidden |= {} if options.loopback else {"host": "(not this machine alone)"}
    for f in fields(Options):
        variable = f"HAECHI_{f.name.upper()}"
        text = hidden.get(f.name) or repr(getattr(options, f.name))
        yield f"server {f.name}: {text} ({variable if env.get(variable) else 'default'})"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _libraries() -> Iterator[str]:
    """What the decoders and the runtime of this machine can do."""
    try:
        import cv2
        from PIL import features

        backends = [cv2.videoio_registry.getBackendName(b) for b in cv2.videoio_registry.getStreamBackends()]
        yield f"video: {', '.join(backends) or 'none'}"
        yield f"ffmpeg: {ffmpeg.version() or 'not found: interlaced video, AV1 and MPEG streams need it'}"
        yield f"pictures: {', '.join(n for n in ('jpg', 'webp', 'avif', 'libtiff') if features.check(n))}"
        yield f"onnxruntime providers: {', '.join(models.runtime().get_available_providers())} (used: CPU)"
    except ImportError as error:
        yield f"broken installation: {type(error).__name__} in {error.name}"
