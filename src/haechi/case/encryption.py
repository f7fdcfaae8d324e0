"""Encryption of a case: scrypt makes a key from the passphrase, ChaCha20-Poly1305 encrypts and seals.

The passphrase opens a random key of 256 bits that is kept, encrypted, in ``case.json`` (scrypt: RFC 7914,
with 128 MiB of memory, so that guessing is slow). From it each file gets a key of its own by HKDF (RFC 5869)
with a random salt. Files are encrypted in pieces of 64 KiB by the STREAM construction (Hoang, Reyhanitabar,
Rogaway, Vizár 2015): the number of a piece and whether it is the last are part of its nonce, so that pieces
can be neither swapped nor cut off, and a video is never in memory as a whole. All primitives are those of the
``cryptography`` library.

    file:  b"haechi\\x00\\x01", salt (32), pieces of at most 65,536 bytes + 16 of seal
    text:  nonce (12), text + 16 of seal; bound to what ``haechi.case.binding`` gives
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from haechi.errors import CaseError, Locked, UsageError

MAGIC = b"haechi\x00\x01"
PIECE = 64 * 1024
LEAST_LENGTH = 8
COST = 2**17
_TAG, _SALT = 16, 32
_MOST_COST = 2**20
_WRONG = (
    "The passphrase is wrong: type it again, capital letters matter. Without it nobody can open this case. "
    "If it is surely right, case.json was changed or replaced: put back a copy of it."
)
_CHANGED = "A sealed part of this case was changed or is damaged: run `haechi case verify` to see which."


class Key:
    """The opened key of one case."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._log = self._derive(b"", b"haechi case log")
        self._end = self._derive(b"", b"haechi case end")

    def encrypt(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """The bytes of a file, encrypted, in pieces."""
        salt = secrets.token_bytes(_SALT)
        cipher = self._cipher(salt)
        yield MAGIC + salt
        number, waiting = 0, b""
        for part in parts:
            waiting += part
            at = 0
            while len(waiting) - at > PIECE:  # one piece waits: it may be the last
                yield cipher.encrypt(_nonce(number, last=False), waiting[at : at + PIECE], None)
                number, at = number + 1, at + PIECE
            waiting = waiting[at:]
        yield cipher.encrypt(_nonce(number, last=True), waiting, None)

    def decrypt(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """The other way. Each piece is given only after its seal was checked. Raises CaseError when anything
        was changed, cut off or added; what was given before that is a true beginning of the file."""
        source, waiting = iter(parts), b""
        for part in source:
            waiting += part
            if len(waiting) >= len(MAGIC) + _SALT:
                break
        if not waiting.startswith(MAGIC) or len(waiting) < len(MAGIC) + _SALT:
            raise CaseError(_CHANGED)
        cipher = self._cipher(waiting[len(MAGIC) : len(MAGIC) + _SALT])
        waiting, number, whole = waiting[len(MAGIC) + _SALT :], 0, PIECE + _TAG
        for part in source:
            at = 0
            while len(waiting) - at > whole:
                yield _opened(cipher, _nonce(number, last=False), waiting[at : at + whole], None)
                number, at = number + 1, at + whole
            waiting = waiting[at:] + part
        while len(waiting) > whole:
            yield _opened(cipher, _nonce(number, last=False), waiting[:whole], None)
            number, waiting = number + 1, waiting[whole:]
        yield _opened(cipher, _nonce(number, last=True), waiting, None)

    def seal(self, value: Mapping[str, Any], bound: bytes) -> str:
        """A JSON value as hexadecimal text that can be opened only beside the same ``bound``."""
        nonce = secrets.token_bytes(12)
        text = json.dumps(value, ensure_ascii=True, sort_keys=True).encode()
        sealed: bytes = _aead(self._log).encrypt(nonce, text, bound)
        return (nonce + sealed).hex()

    def open(self, text: str, bound: bytes) -> dict[str, Any]:
        """The other way. Raises CaseError."""
        try:
            data = bytes.fromhex(text)
        except ValueError:
            raise CaseError(_CHANGED) from None
        if data.hex() != text:
            raise CaseError(_CHANGED)  # capital letters would open as well
        value = json.loads(_opened(_aead(self._log), data[:12], data[12:], bound))
        if not isinstance(value, dict):
            raise CaseError(_CHANGED)
        return value

    def mac(self, data: bytes) -> str:
        """HMAC-SHA256 under a key that is used for nothing else, as 64 hexadecimal digits."""
        return hmac.new(self._end, data, hashlib.sha256).hexdigest()

    @staticmethod
    def same(one: str, other: str) -> bool:
        """Whether two are equal, in a time that does not tell where they differ."""
        return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())

    def _cipher(self, salt: bytes) -> Any:
        return _aead(self._derive(salt, b"haechi case file"))

    def _derive(self, salt: bytes, info: bytes) -> bytes:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        key: bytes = HKDF(SHA256(), 32, salt or None, info).derive(self._secret)
        return key


def new_key(passphrase: str) -> tuple[Key, dict[str, Any]]:
    """A fresh key and the facts that ``case.json`` keeps of it, which give nothing away without the
    passphrase.

    Raises UsageError for a passphrase shorter than eight characters, CaseError without ``cryptography``."""
    if len(passphrase) < LEAST_LENGTH:
        raise UsageError(
            f"The passphrase has fewer than {LEAST_LENGTH} characters and could be guessed: take a longer "
            "one, such as four words that do not belong together."
        )
    _library()
    secret, salt, nonce = secrets.token_bytes(32), secrets.token_bytes(16), secrets.token_bytes(12)
    outer = _stretched(passphrase, salt, COST)
    wrapped = nonce + _aead(outer).encrypt(nonce, secret, b"haechi case key")
    return Key(secret), {"kdf": "scrypt", "n": COST, "r": 8, "p": 1, "salt": salt.hex(), "key": wrapped.hex()}


def open_key(passphrase: str, facts: Mapping[str, Any]) -> Key:
    """The key by the passphrase. Raises Locked when that is wrong, CaseError when the facts are damaged."""
    _library()
    try:
        cost, salt, wrapped = int(facts["n"]), bytes.fromhex(facts["salt"]), bytes.fromhex(facts["key"])
        if facts["kdf"] != "scrypt" or (facts["r"], facts["p"]) != (8, 1):
            raise ValueError("another construction")
    except (KeyError, TypeError, ValueError):
        raise CaseError(_CHANGED) from None
    if not 2 <= cost <= _MOST_COST or cost & (cost - 1):
        raise CaseError(_CHANGED)
    from cryptography.exceptions import InvalidTag

    try:
        secret = _aead(_stretched(passphrase, salt, cost)).decrypt(
            wrapped[:12], wrapped[12:], b"haechi case key"
        )
    except (InvalidTag, ValueError):
        raise Locked(_WRONG) from None
    return Key(secret)


def _stretched(passphrase: str, salt: bytes, cost: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    # The same letters typed on another system may come as other characters (Unicode NFKC).
    text = unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass")
    key: bytes = Scrypt(salt, 32, cost, 8, 1).derive(text)
    return key


def _library() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError:
        raise CaseError(
            "A case with a passphrase needs the library `cryptography`: pip install 'haechi[case]'"
        ) from None


def _aead(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    return ChaCha20Poly1305(key)


def _opened(cipher: Any, nonce: bytes, data: bytes, bound: bytes | None) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        plain: bytes = cipher.decrypt(nonce, data, bound)
    except (InvalidTag, ValueError):
        raise CaseError(_CHANGED) from None
    return plain


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
