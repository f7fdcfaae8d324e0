"""Model cards (``NAME.json``) beside their weights (``NAME.onnx``), and the loader that trusts neither.

A card is the one place where the facts of a model live (``card.ModelCard``); training writes it, inference
reads it. ``sha256`` is that of the weights, or of the canonical JSON of the parameters; ``card_sha256`` seals
the card itself, so that an edited threshold is noticed like an edited weight, and a network that does not fit
its card is not loaded. Nothing here falls back: what is missing or altered raises ModelError.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haechi import registry, regular_files
from haechi.errors import ModelError
from haechi.models.card import REQUIRED, Calibration, CropRule, InputRule, ModelCard, PieceRule, Square
from haechi.models.fields import CURE, Facts
from haechi.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The models without which no verdict is given, in the order in which a check needs them.
NAMES = ("faces", "face_check", *(d.name for d in registry.DETECTORS if d.has_card), "verdict")

__all__ = [
    "NAMES",
    "Calibration",
    "Checked",
    "CropRule",
    "InputRule",
    "Model",
    "ModelCard",
    "PieceRule",
    "Square",
    "card",
    "cards",
    "cores",
    "folder",
    "load",
    "present",
    "read_card",
    "runtime",
    "seal",
    "verify",
]

_MOST_CARD_BYTES, _MOST_WEIGHTS_BYTES = 64 * 1024**2, 4 * 1024**3


@dataclass(frozen=True, slots=True)
class Model:
    """A card whose hash was checked, and its network when it has one. Safe to run from several threads."""

    card: ModelCard
    session: Any = field(default=None, repr=False)

    def run(self, *arrays: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """The network's outputs in the card's order, for its inputs in the card's order."""
        if self.session is None:
            raise ModelError(f"The model {self.card.name!r} holds fitted numbers and cannot be run. {CURE}")
        names = [i.name for i in self.session.get_inputs()]
        outputs: list[NDArray[Any]] = self.session.run(None, dict(zip(names, arrays, strict=True)))
        return tuple(outputs)


@dataclass(frozen=True, slots=True)
class Checked:
    """One line of ``haechi models verify``; ``card`` is None when it is missing or unreadable."""

    name: str
    card: ModelCard | None
    ok: bool
    why: str


def parameters_sha256(parameters: object) -> str:
    """Hash of the canonical JSON: sorted keys, no spaces, UTF-8. NaN and infinity raise ValueError."""
    text = json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def seal(raw: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The card with ``sha256`` (of its weights in ``folder``, or of its parameters) and ``card_sha256`` set.
    Whoever writes a card, or edits one, writes what this returns."""
    card = {key: value for key, value in raw.items() if key != "card_sha256"}
    if card.get("file") is None:
        card["sha256"] = parameters_sha256(card["parameters"])
    else:
        card["sha256"] = hashlib.sha256((folder / str(card["file"])).read_bytes()).hexdigest()
    return {**card, "card_sha256": parameters_sha256(card)}


def folder(settings: Settings) -> Path:
    """Where cards and weights are looked for."""
    return Path(settings.models_dir) if settings.models_dir else Path(__file__).parent


def card(name: str, settings: Settings) -> ModelCard:
    """The card of one model, its seal checked but not its weights. Raises ModelError."""
    return read_card(folder(settings) / f"{name}.json")


def read_card(path: Path) -> ModelCard:
    """The card in a file ``NAME.json``, its seal and every field checked. Raises ModelError."""
    name = path.stem
    try:
        raw = json.loads(
            regular_files.read(path, _MOST_CARD_BYTES),
            parse_constant=_refuse,
            object_hook=lambda facts: Facts(facts, name),
        )
        seal_now = parameters_sha256({key: raw[key] for key in raw if key != "card_sha256"})
    except FileNotFoundError:
        raise ModelError(f"The model {name!r} is missing. {CURE}") from None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"The card of the model {name!r} cannot be read. {CURE}") from error
    if not isinstance(raw, dict) or any(not isinstance(raw.get(key), str) for key in REQUIRED):
        raise ModelError(f"The card of the model {name!r} lacks one of {', '.join(REQUIRED)}. {CURE}")
    file = raw.get("file")
    if raw["name"] != name or (file is None and not isinstance(raw.get("parameters"), dict)):
        raise ModelError(f"The card of the model {name!r} describes something else. {CURE}")
    if file is not None and (not isinstance(file, str) or Path(file).name != file):
        raise ModelError(f"The card of the model {name!r} names weights outside its folder. {CURE}")
    if raw["card_sha256"] != seal_now:
        raise ModelError(f"The card of the model {name!r} was altered after it was sealed. {CURE}")
    return ModelCard.of(raw, path)


def present(name: str, settings: Settings) -> bool:
    """Whether the folder has a card of this name."""
    return (folder(settings) / f"{name}.json").exists()


def cards(settings: Settings) -> tuple[ModelCard, ...]:
    """Every card in the folder: the needed ones first, then others by name. Raises ModelError when a needed
    card is missing or any is damaged."""
    return tuple(card(name, settings) for name in _names(settings))


def verify(settings: Settings) -> list[Checked]:
    """Check every card and every hash, without loading a network; never raises for a bad model."""
    lines = []
    for name in _names(settings):
        model_card: ModelCard | None = None
        try:
            model_card = card(name, settings)
            _checked_bytes(model_card)
        except ModelError as error:
            lines.append(Checked(name, model_card, ok=False, why=error.message))
        else:
            lines.append(Checked(name, model_card, ok=True, why=""))
    return lines


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON number")


def _names(settings: Settings) -> list[str]:
    extra = sorted({path.stem for path in folder(settings).glob("*.json")} - set(NAMES))
    return [*NAMES, *extra]


def _checked_bytes(card: ModelCard) -> bytes:
    """The weights (empty for fitted numbers), read once, so that what was hashed is what is run."""
    if card.weights is None:
        data, sha256 = b"", parameters_sha256(card.raw["parameters"])
    else:
        try:
            data = regular_files.read(card.weights, _MOST_WEIGHTS_BYTES)
        except OSError:
            raise ModelError(f"The weights of the model {card.name!r} are missing. {CURE}") from None
        sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != card.sha256:
        raise ModelError(f"The model {card.name!r} differs from its card (sha256 {sha256[:12]}…). {CURE}")
    return data


_loaded: dict[tuple[str, str, int], Model] = {}
_locks: dict[tuple[str, str, int], threading.Lock] = {}
_guard = threading.Lock()


def load(name: str, settings: Settings) -> Model:
    """The model, checked and ready, once per process and settings. Raises ModelError. Different models load
    side by side in different threads; two threads that ask for the same one share it."""
    key = (name, str(folder(settings)), settings.threads)
    with _guard:
        lock = _locks.setdefault(key, threading.Lock())
    with lock:
        if key not in _loaded:
            sealed = card(name, settings)
            data = _checked_bytes(sealed)
            session = _session(sealed, data, settings) if sealed.weights else None
            if session is not None:
                _check_fit(sealed, session)
            _loaded[key] = Model(sealed, session)
        return _loaded[key]


def _check_fit(card: ModelCard, session: Any) -> None:
    """Raises ModelError when the network takes or gives something else than its card says: fed on, it would
    fail in the middle of a check, or worse, give numbers that nobody measured."""
    rule, inputs = card.needs_input(), session.get_inputs()
    if len(inputs) != 1:
        raise ModelError(
            f"The network of the model {card.name!r} takes {len(inputs)} inputs, not one. {CURE}"
        )
    channels, high, wide = (1, 2, 3) if rule.layout == "NCHW" else (3, 1, 2)
    sizes = {channels: 3, high: rule.height_px, wide: rule.width_px}
    shape = inputs[0].shape
    fits = len(shape) == 4 and all(
        shape[axis] == size if size is not None else not isinstance(shape[axis], int)
        for axis, size in sizes.items()
    )
    if not fits:
        raise ModelError(
            f"The network of the model {card.name!r} reads {_shape(shape)}, which is not what its card says: "
            f"{rule.layout}, {rule.width_px or 'any'} x {rule.height_px or 'any'} px. {CURE}"
        )
    outputs = tuple(output.name for output in session.get_outputs())
    if outputs != card.outputs:
        raise ModelError(
            f"The network of the model {card.name!r} gives {', '.join(outputs)}, where its card says "
            f"{', '.join(card.outputs) or 'nothing'}. {CURE}"
        )


def _shape(shape: Sequence[object]) -> str:
    return " x ".join(str(n) for n in shape)


def cores() -> int:
    """Processors that this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def runtime() -> Any:
    """The module onnxruntime, imported so that it stays silent."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read at import; recent Linux builds report home without it
    import onnxruntime

    return onnxruntime


def _session(card: ModelCard, data: bytes, settings: Settings) -> Any:
    ort = runtime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.threads if settings.threads > 0 else cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Pictures of many sizes pass through: without these two, memory grows with every new size.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a dozen unrelated classes
        raise ModelError(f"The model {card.name!r} cannot be loaded by onnxruntime. {CURE}") from error
