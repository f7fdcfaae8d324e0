"""A process of its own that reads C2PA manifest stores: one line of JSON asks for a file, one answers.

Run by ``c2pa_library`` as a script, with nothing of Haechi in it. The C2PA library is native code that reads
hostile bytes: what crashes it, or keeps it busy, ends here and not in the check. Nothing is fetched: no
manifest that lies elsewhere, no answer on revoked certificates, and no host is allowed.

Requests: ``{"type": "image/jpeg", "path": …}``, or ``"size"`` with so many bytes behind the line. Answers
``{"store": …}``, where ``left_out`` has been added when the hash of the content is in question (the ranges of
bytes, as [start, length], that it leaves out), or ``{"refused": "…"}``, the library's own word for the cause
or the name of an error. The process ends with its standard input.
"""

from __future__ import annotations

import io
import json
import sys
from importlib import import_module
from typing import Any

_MOST_MEMORY = 4 * 1024**3
_MOST_JSON = 8 * 1024**2
_HASH = "assertion.dataHash.mismatch"
SETTINGS: dict[str, Any] = {
    "core": {
        "allowed_network_hosts": [],
        "allow_redirects": False,
        "decode_identity_assertions": False,
        "max_decompressed_manifest_size_in_mb": 32,
    },
    "verify": {
        "verify_after_reading": True,
        "verify_trust": True,
        "ocsp_fetch": False,
        "remote_manifest_fetch": False,
    },
}


def main() -> None:
    """``c2pa_process.py [TRUSTED]``: a file of certificates in PEM."""
    _limit_memory()
    c2pa = import_module("c2pa")  # it has no types
    settings = dict(SETTINGS)
    if sys.argv[1:]:
        with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123 - no pathlib: this starts fast
            settings["trust"] = {"user_anchors": file.read()}
    context = c2pa.Context.from_dict(settings)
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        data = sys.stdin.buffer.read(request["size"]) if "size" in request else None
        sys.stdout.write(json.dumps(_read(c2pa, context, request, data)) + "\n")
        sys.stdout.flush()


def _read(c2pa: Any, context: Any, request: dict[str, Any], data: bytes | None) -> dict[str, Any]:
    try:
        with (
            open(request["path"], "rb") if data is None else io.BytesIO(data) as file,  # noqa: PTH123
            c2pa.Reader(request["type"], file, context=context) as reader,
        ):
            text = reader.json()
            if len(text) > _MOST_JSON:
                return {"refused": "TooLarge"}
            store = json.loads(text)
            if _HASH in text:
                store["left_out"] = _left_out(json.loads(reader.detailed_json()))
        return {"store": store}
    except Exception as error:
        # The words before the first colon are the library's kind of error; what follows may quote the file.
        own = type(error).__module__.startswith("c2pa")
        return {"refused": (str(error).split(":")[0] if own else "") or type(error).__name__}


def _left_out(store: dict[str, Any]) -> list[list[int]]:
    active = store.get("manifests", {}).get(store.get("active_manifest"), {})
    assertions = active.get("assertion_store", {})
    hashes = (data_hash for label, data_hash in assertions.items() if label.startswith("c2pa.hash.data"))
    return [[r["start"], r["length"]] for data_hash in hashes for r in data_hash.get("exclusions") or ()]


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # no such limit on Windows
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = _MOST_MEMORY if most == resource.RLIM_INFINITY else min(_MOST_MEMORY, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))


if __name__ == "__main__":
    main()
