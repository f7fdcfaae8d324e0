"""A process of its own that reads one file's C2PA manifest store: the file on stdin, JSON on stdout.

Run by ``provenance`` as a script, with nothing of Haechi in it. The library is native code that reads hostile
bytes: what crashes it, or keeps it busy, ends here and not in the check. Nothing is fetched: no manifest that
lies elsewhere, no answer on revoked certificates, and no host is allowed.

Answers ``{"store": …}``, ``{"refused": "…"}`` (the library's own word for it, or the name of an error).
"""

from __future__ import annotations

import io
import json
import sys
from importlib import import_module
from typing import Any

_MOST_MEMORY = 4 * 1024**3
_MOST_JSON = 8 * 1024**2
SETTINGS = {
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
    """``c2pa_process.py FORMAT [TRUSTED]``: a media type, and a file of certificates in PEM."""
    _limit_memory()
    c2pa = import_module("c2pa")  # it has no types
    anchors = sys.argv[2:3]
    settings = dict(SETTINGS)
    if anchors:
        with open(anchors[0], encoding="utf-8") as file:  # noqa: PTH123 - no pathlib: this starts fast
            settings["trust"] = {"user_anchors": file.read()}
    stream: Any = sys.stdin.buffer
    source = stream.raw if stream.seekable() else io.BytesIO(stream.read())
    answer: dict[str, object]
    try:
        with (
            c2pa.Context.from_dict(settings) as context,
            c2pa.Reader(sys.argv[1], source, context=context) as reader,
        ):
            text = reader.json()
        answer = {"store": json.loads(text)} if len(text) <= _MOST_JSON else {"refused": "TooLarge"}
    except Exception as error:
        # The words before the first colon are the library's kind of error; what follows may quote the file.
        answer = {"refused": str(error).split(":")[0] if type(error).__module__.startswith("c2pa") else ""}
        answer["refused"] = answer["refused"] or type(error).__name__
    sys.stdout.write(json.dumps(answer))


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # no such limit on Windows
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = _MOST_MEMORY if most == resource.RLIM_INFINITY else min(_MOST_MEMORY, most)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, most))


if __name__ == "__main__":
    main()
