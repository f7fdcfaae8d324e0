"""What a phone in the same network needs to reach this computer: an address, and a certificate for TLS.

The certificate is made by this computer itself, so the phone's browser warns of it, and a person compares its
fingerprint. It is kept, with its key, in the data folder: the browser then warns once and not at every start,
and a fingerprint that has changed means something. It is made anew for another address, near its end, and
when somebody else could read it.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
import ssl
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from haechi import regular_files
from haechi.errors import UsageError
from haechi.web.jobs.directory import NO_LINK

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

FILE = "phone.pem"
"""The certificate and its key in the data folder."""
_MOST_BYTES = 64 * 1024
_LASTS, _RENEWED_BEFORE = timedelta(days=397), timedelta(days=30)
#: One address of each kind of private network: the system says from which of ours it would go there.
_INSIDE = ("192.168.255.254", "10.255.255.254", "172.31.255.254", "169.254.255.254")


def own_address() -> str:
    """The address of this computer in its network. Nothing is sent to find it: of a datagram socket that is
    connected the system only chooses the address. Raises UsageError when there is none."""
    for address in _addresses():
        kind = ipaddress.ip_address(address)
        if not (kind.is_loopback or kind.is_unspecified or kind.is_global):
            return address
    raise UsageError(
        "--lan: this computer seems to be in no home or office network: join the phone's network, or name "
        "this computer's address with --host."
    )


def _addresses() -> Iterator[str]:
    for target in _INSIDE:
        with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.connect((target, 9))
            yield str(line.getsockname()[0])


def certificate(folder: Path, host: str) -> tuple[Path, str]:
    """The file with the certificate and its key for the address ``host``, and its SHA-256 fingerprint as
    browsers write it. Raises UsageError when it can be neither read nor written."""
    file = folder / FILE
    try:
        whole = _kept(file, host) or _made(file, host)
    except OSError as error:
        raise UsageError(
            f"The certificate for the phone cannot be kept in the data folder ({error.strerror}): check its "
            "permissions and the free space."
        ) from None
    return file, _fingerprint(whole)


def _fingerprint(whole: bytes) -> str:
    return _parsed(whole).fingerprint(_sha256()).hex(":").upper()


def _kept(file: Path, host: str) -> bytes | None:
    """The file of an earlier start, when it can serve again."""
    try:
        mode = file.lstat().st_mode
        if not stat.S_ISREG(mode) or (os.name == "posix" and mode & 0o077):
            return None
        whole = regular_files.read(file, _MOST_BYTES)
        old = _parsed(whole)
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(file)  # the key fits, too
    except (OSError, ValueError, ssl.SSLError):
        return None
    in_time = old.not_valid_after_utc - datetime.now(UTC) > _RENEWED_BEFORE
    return whole if in_time and host in _hosts(old) else None


def _hosts(certificate_: x509.Certificate) -> set[str]:
    from cryptography import x509

    try:
        names = certificate_.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {str(address) for address in names.get_values_for_type(x509.IPAddress)}


def _made(file: Path, host: str) -> bytes:
    """A new certificate with a new key, written for its owner alone. Raises OSError."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Haechi on your computer")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # the phone's clock may be slow
        .not_valid_after(now + _LASTS)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, _sha256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    whole = signed.public_bytes(serialization.Encoding.PEM) + secret
    _write(file, whole)
    return whole


def _write(file: Path, whole: bytes) -> None:
    """Whole or not at all, and never through a link."""
    new = file.with_name(f"{FILE}.{secrets.token_hex(8)}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(whole)
        new.replace(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def _parsed(whole: bytes) -> x509.Certificate:
    from cryptography import x509

    return x509.load_pem_x509_certificate(whole)


def _sha256() -> hashes.SHA256:
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256()
