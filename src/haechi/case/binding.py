"""What the encryption of a case binds, so that nobody forges its open half without the passphrase.

Of each record of an encrypted case the number, the time, the files with their hashes and ``prev`` stand in
the open. All of that is associated data of the record's ChaCha20-Poly1305: change it, and the record does not
open. ``prev`` is a hash of all that stands before, case.json included, so a record binds everything before it
too. That the log *ends* where it ends is held by a MAC (HMAC-SHA256) in head.json over the number of records,
the length, the last hash and case.json; its key comes from the case's key by HKDF under a label of its own.

Cases of version 1 bound only the case and the number of each record. The next record that is added to one is
of version 2 and binds all before it, as it is then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haechi.case.encryption import Key
from haechi.case.log_format import BOUND, Seal, canonical
from haechi.errors import Locked

_RECORD, _END = b"haechi case record 2\n", b"haechi case end 2\n"


def sealed(public: Mapping[str, Any], private: Mapping[str, Any], key: Key | None) -> dict[str, Any]:
    """A record of its open half (``n``, ``prev`` and ``time`` included) and its private one."""
    if key is None:
        return {**public, "entry": dict(private)}
    bound = {**public, "v": BOUND}
    return {**bound, "sealed": key.seal(private, _RECORD + canonical(bound))}


def private_half(record: Mapping[str, Any], about: Mapping[str, Any], key: Key | None) -> dict[str, Any]:
    """The other way. Raises Locked without the key, CaseError when a half was changed."""
    if about.get("crypto") is None:
        return dict(record.get("entry", {}))
    if key is None:
        raise locked()
    if record.get("v") == BOUND:
        place = _RECORD + canonical({name: value for name, value in record.items() if name != "sealed"})
    else:
        place = f"{about['id']}:{int(record['n'])}".encode()
    return key.open(str(record.get("sealed", "")), place)


def mac(seal: Seal, about: bytes, key: Key) -> str:
    """The MAC of the end of the log, 64 hexadecimal digits; ``about``: the bytes of case.json."""
    return key.mac(_END + seal.keyed(about))


def holds(seal: Seal, about: bytes, key: Key) -> bool:
    return key.same(seal.mac, mac(seal, about, key))


def locked() -> Locked:
    return Locked("This case is encrypted: give its passphrase to read it or to add to it.")
