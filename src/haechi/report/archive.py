"""A Report to bytes and back, so that it is stored once and shown in any language and format later.

What no renderer needs is left out: the pixels of the faces (``crops``, ``native``) and the reader of the
media. The previews are kept as JPEG. The bytes are gzip of JSON (``haechi.kept/1``): an array is its type,
its shape and base64 of its values, a frozen value of ``types`` the name of its class and its fields. Reading
builds these classes and nothing else, within limits, so bytes from a stranger can do no harm.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi import types
from haechi.errors import DamagedFile
from haechi.report.document import Report
from haechi.types import U8, Frame, Preview

MEDIA_TYPE = "application/vnd.haechi.kept"
FORMAT = "haechi.kept/1"
_QUALITY = 90
_FORMER_CLAIMS = ("provenance", "metadata", "known")
_MAX_BYTES = 64 * 1024**2
_MAX_SIDE_PX = 4096
_DTYPES = ("float32", "float64", "int64", "uint8")
_CLASSES = {name: kind for name, kind in vars(types).items() if isinstance(kind, type) and is_dataclass(kind)}
_CLASSES["Report"] = Report


def dump(report: types.Report) -> bytes:
    """The report without the pixels of its faces; previews as JPEG of quality 90."""
    text = json.dumps(
        {"format": FORMAT, "report": _plain(bare(report))}, separators=(",", ":"), ensure_ascii=False
    )
    # Nearly all of it is JPEG in base64, in which nothing repeats: looking for repetitions would cost five
    # times as long and save nothing.
    packer = zlib.compressobj(1, wbits=31, strategy=zlib.Z_HUFFMAN_ONLY)
    return packer.compress(text.encode("utf-8", "surrogatepass")) + packer.flush()


def bare(report: types.Report) -> types.Report:
    """The report less all that holds on to pixels, except its previews."""
    media = replace(report.media, reader=_no_frames)
    return replace(report, media=media, faces=tuple(map(_bare, report.faces)))


def load(data: bytes, *, previews: bool = True) -> Report:
    """The report that ``dump`` was given, less what it leaves out, and without ``previews`` less these too:
    decoding them is most of the work. Raises DamagedFile on any other bytes."""
    try:
        unpacker = zlib.decompressobj(wbits=31)
        text = unpacker.decompress(data, _MAX_BYTES)
        if not unpacker.eof or unpacker.unused_data:
            raise ValueError("not one whole stream")
        archive = json.loads(text.decode("utf-8", "surrogatepass"))
        if archive["format"] != FORMAT:
            raise ValueError("another format")
        if not previews:
            archive["report"]["Report"]["previews"] = {"tuple": []}
        report = _built(_with_claims(archive["report"]))
        if not isinstance(report, Report):
            raise ValueError("no report")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error, cv2.error) as error:
        raise DamagedFile(
            "This stored report is damaged or was made by another version of Haechi: check the file anew."
        ) from error
    return report


def _with_claims(tree: Any) -> Any:
    """The tree of a report; one that was stored when claims stood among the evidence gets them apart."""
    report = tree["Report"]
    if "claims" in report:
        return tree
    evidence, claims = [], []
    for item in report["evidence"]["tuple"]:
        line = item["Evidence"]
        if line["status"] == "claim" or line["detector"] in _FORMER_CLAIMS:
            outcome = {"claim": "answered", "abstained": "unread"}.get(line["status"], "failed")
            shared = {name: line[name] for name in ("version", "reason", "facts")}
            claims.append({"Claim": {"source": line["detector"], "outcome": outcome, **shared}})
        else:
            evidence.append(item)
    return {"Report": {**report, "evidence": {"tuple": evidence}, "claims": {"tuple": claims}}}


def _no_frames(_n: int) -> Iterator[Frame]:
    """The reader of a media whose file is not there any more."""
    return iter(())


def _bare(track: types.FaceTrack) -> types.FaceTrack:
    none = np.zeros(0, np.int64)
    return replace(
        track,
        crops=np.zeros((0, 0, 0, 3), np.uint8),
        crop_index=none,
        crop_boxes_xyxy=np.zeros((0, 4), np.float32),
        native=(),
    )


def _plain(value: Any) -> Any:
    """JSON of a value; what JSON has no word for becomes an object of one key, its kind."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _tagged(value) or value


def _tagged(value: Any) -> dict[str, Any] | None:
    if isinstance(value, Preview):
        bgr = cv2.cvtColor(value.rgb, cv2.COLOR_RGB2BGR)
        success, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if not success:
            raise ValueError(f"a preview of shape {value.rgb.shape} could not be encoded")
        return {"preview": [_text(jpeg.tobytes()), value.time_s, value.scale]}
    if is_dataclass(value):
        tree = {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.name != "reader"}
        return {type(value).__name__: tree}
    if isinstance(value, np.ndarray):
        return {"array": [value.dtype.name, list(value.shape), _text(np.ascontiguousarray(value).tobytes())]}
    if isinstance(value, Mapping):
        return {"map": [[str(key), _plain(item)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_plain(item) for item in value]}
    return None


def _built(value: Any) -> Any:
    if isinstance(value, list):
        return [_built(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, tree),) = value.items()
    return _KINDS[kind](tree) if kind in _KINDS else _value(_CLASSES[kind], tree)


def _value(kind: type, tree: dict[str, Any]) -> Any:
    """Fields that this version does not know are passed over: a later one may have added them."""
    field_names = {f.name for f in fields(kind)}
    built = {name: _built(item) for name, item in tree.items() if name in field_names}
    return kind(**built, **({"reader": _no_frames} if "reader" in field_names else {}))


def _preview(tree: list[Any]) -> Preview:
    jpeg, time_s, scale = tree
    return Preview(_pixels(_bytes(jpeg)), float(time_s), float(scale))


def _array(tree: list[Any]) -> NDArray[Any]:
    dtype, shape, text = tree
    if dtype not in _DTYPES or any(not isinstance(n, int) or n < 0 for n in shape):
        raise ValueError("an array of a kind that no report has")
    data = _bytes(text)
    if math.prod(shape) * np.dtype(dtype).itemsize != len(data):
        raise ValueError("an array of another size")
    return np.frombuffer(data, dtype).reshape(shape).copy()


def _pixels(jpeg: bytes) -> U8:
    coded = np.frombuffer(jpeg, np.uint8)
    # An eighth of the size first: cheap, and it tells how large the whole would be.
    small = cv2.imdecode(coded, cv2.IMREAD_REDUCED_COLOR_8) if jpeg.startswith(b"\xff\xd8\xff") else None
    whole = (
        None
        if small is None or 8 * max(small.shape) > _MAX_SIDE_PX
        else cv2.imdecode(coded, cv2.IMREAD_COLOR)
    )
    if whole is None:
        raise ValueError("a preview that cannot be shown")
    return np.asarray(cv2.cvtColor(whole, cv2.COLOR_BGR2RGB), np.uint8)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


_KINDS: dict[str, Callable[[Any], Any]] = {
    "preview": _preview,
    "array": _array,
    "map": lambda tree: {str(key): _built(item) for key, item in tree},
    "tuple": lambda tree: tuple(_built(item) for item in tree),
}
