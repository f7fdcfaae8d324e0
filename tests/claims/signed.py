"""Files signed with content credentials, by certificates that are made here and vouch for nothing."""

from __future__ import annotations

import ctypes
import datetime as dt
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

pytest.importorskip("cryptography")
pytest.importorskip("c2pa")

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CAMERA = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
_BUILDING = {"verify": {"verify_after_sign": False}, "builder": {"thumbnail": {"enabled": False}}}


@dataclass(frozen=True)
class Signer:
    """chain and root: certificates in PEM; key: the private key in PEM."""

    chain: bytes
    key: bytes
    root: bytes


def _name(organisation: str, person: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, person),
        ]
    )


def _certificate(
    subject: x509.Name,
    key: Any,
    issuer: x509.Name,
    issuer_key: Any,
    valid_s: tuple[float, float],
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
) -> bytes:
    """PEM, valid from and to so many seconds from now. The profile is that of C2PA 2.2, 14.5.1, and for time
    stamps that of RFC 3161, 2.3."""
    now, ours = dt.datetime.now(dt.UTC), subject == issuer
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(1 if ours else 2)
        .not_valid_before(now + dt.timedelta(seconds=valid_s[0]))
        .not_valid_after(now + dt.timedelta(seconds=valid_s[1]))
        .add_extension(x509.BasicConstraints(ca=ours, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(not ours, False, False, False, False, ours, ours, False, False), critical=True
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )
    if not ours:
        clock = purpose == ExtendedKeyUsageOID.TIME_STAMPING
        made = made.add_extension(x509.ExtendedKeyUsage([purpose]), critical=clock)
    return made.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@cache
def signer(
    organisation: str = "Example News",
    person: str = "Desk 3",
    lasts_s: float = 86_400.0,
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
) -> Signer:
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    above, own = _name("Example Root", "Root"), _name(organisation, person)
    root = _certificate(above, root_key, above, root_key, (-86_400, 86_400))
    leaf = _certificate(own, key, above, root_key, (-3600, lasts_s), purpose)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Signer(leaf + root, secret, root)


def action(name: str, **more: Any) -> dict[str, Any]:
    return {"action": f"c2pa.{name}", **more}


def manifest(*actions: dict[str, Any], program: str = "Example Camera", **more: Any) -> dict[str, Any]:
    steps = list(actions) or [action("created", digitalSourceType=CAMERA)]
    return {
        "claim_generator_info": [{"name": program, "version": "1.2"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": steps}}],
        **more,
    }


def sign(
    data: bytes,
    definition: dict[str, Any] | None = None,
    *,
    by: Signer | None = None,
    mime: str = "image/jpeg",
    parent: bytes | None = None,
    remote: str = "",
    clock: str = "",
) -> bytes:
    """The file with content credentials in it. ``remote``: only the address of the statement goes into it.
    ``parent``: a file that it was edited from. ``clock``: the address of a service for time stamps."""
    by = by or signer()
    builder = c2pa.Builder(json.dumps(definition or manifest()), context=c2pa.Context.from_dict(_BUILDING))
    if remote:
        builder.set_no_embed()
        builder.set_remote_url(remote)
    if parent is not None:
        builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        given = {"title": "before.jpg", "relationship": "parentOf"}
        builder.add_ingredient(given, mime, io.BytesIO(parent))
    out = io.BytesIO()
    info = c2pa.C2paSignerInfo(b"es256", by.chain, by.key, clock.encode() or None)
    builder.sign(c2pa.Signer.from_info(info), mime, io.BytesIO(data), out)
    return out.getvalue()


def sign_leaving_out(notes: bytes, rest: bytes, left_out: Callable[[int], tuple[int, int]]) -> bytes:
    """A JPEG of ``notes`` (from its first mark on), the statement, and ``rest``, whose signature leaves out
    a range of its own: (start, length) by where the statement ends. The library signs such files only over
    its interface in C, as makers of cameras use it."""
    lib, by = c2pa.c2pa._lib, signer()
    builder = c2pa.Builder(json.dumps(manifest()), context=c2pa.Context.from_dict(_BUILDING))
    signing = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", by.chain, by.key, None))
    found = ctypes.POINTER(ctypes.c_ubyte)()
    place = lib.c2pa_builder_data_hashed_placeholder
    place.restype = ctypes.c_int64
    given = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p)
    place.argtypes = given
    size = place(builder._handle, signing.reserve_size(), b"image/jpeg", ctypes.byref(found))
    start, length = left_out(len(notes) + size)
    whole = notes + bytes(size) + rest
    digest = hashlib.sha256(whole[:start] + whole[start + length :]).digest()
    ranges = [{"start": start, "length": length}]
    made = {"exclusions": ranges, "name": "own", "alg": "sha256", "hash": list(digest), "pad": []}
    finish = lib.c2pa_builder_sign_data_hashed_embeddable
    finish.restype = ctypes.c_int64
    finish.argtypes = (*(ctypes.c_void_p,) * 2, *(ctypes.c_char_p,) * 2, *(ctypes.c_void_p,) * 2)
    text = json.dumps(made).encode()
    got = finish(builder._handle, signing._handle, text, b"image/jpeg", None, ctypes.byref(found))
    assert got == size, (got, size)
    return notes + ctypes.string_at(found, size) + rest
