"""A state of a case tied to a time by somebody else: RFC 3161 time stamps. Haechi makes no connection.

The request is a file that its user sends to a time-stamp authority; it holds the seal and a random number.
The seal is the SHA-256 of the last line of the log, so what is stamped is that line, and any tool can verify
the answer:

    openssl ts -verify -digest SEAL -in head.tsr -CAfile roots.pem

The answer is verified by ``rfc3161-client``: the signature over it, the certificates up to a root that the
user names, as of the time that is told, the purpose of the signer's certificate, and the random number.
Revocation is not looked up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from haechi.case.der import sorted_certificates
from haechi.errors import CaseError, UsageError
from haechi.terminal import printable

_SHA256 = "2.16.840.1.101.3.4.2.1"
MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a time stamp says. ``head``: the seal that was stamped; ``signer``: the subject of the certificate
    that it names, which means something only when it was ``verified``; ``asked``: it answers the given
    request."""

    head: str
    time: datetime
    signer: str
    verified: bool
    asked: bool


def request(line: bytes) -> bytes:
    """A time-stamp request (DER) for the last line of a log, with a random number, asking for
    certificates."""
    client = _library()
    builder = client.TimestampRequestBuilder().data(line).hash_algorithm(client.HashAlgorithm.SHA256)
    made: bytes = builder.nonce(nonce=True).cert_request(cert_request=True).build().as_bytes()
    return made


def read(answer: bytes, asked: bytes | None = None, roots: bytes | None = None) -> Stamp:
    """What an answer (DER) says. ``asked``: the request; ``roots``: certificates (PEM) that the user trusts;
    without them the signature is not verified. Raises CaseError when anything that is compared does not hold,
    UsageError for roots or a request that are none."""
    client = _library()
    try:
        response = client.decode_timestamp_response(sorted_certificates(answer))
        granted = int(response.status) == 0
        info = response.tst_info if granted else None
        head = bytes(info.message_imprint.message).hex() if info else ""
        if info and info.message_imprint.hash_algorithm.dotted_string != _SHA256:
            raise CaseError(
                "This time stamp is for another hash than SHA-256: it was not asked for by Haechi."
            )
        leaf = _signer(response) if info else None
    except ValueError:
        raise CaseError("This is no answer of a time-stamp authority (RFC 3161), or it is damaged.") from None
    if info is None:
        told = "; ".join(printable(str(text)) for text in response.status_string) or "no reason given"
        raise CaseError(f"The time-stamp authority refused the request ({told}): ask again, or ask another.")
    if asked is not None:
        _compare(info, asked)
    if roots is not None:
        _verify(client, response, bytes.fromhex(head), roots)
    return Stamp(head, info.gen_time.astimezone(UTC), leaf or "?", roots is not None, asked is not None)


def _compare(info: Any, asked: bytes) -> None:
    from rfc3161_client import _rust

    try:
        made = _rust.parse_timestamp_request(asked)
    except ValueError:
        raise UsageError("--request: this is no time-stamp request.") from None
    if bytes(made.message_imprint.message) != bytes(info.message_imprint.message) or made.nonce != info.nonce:
        raise CaseError(
            "This time stamp does not answer that request: its seal or its random number differs."
        )


def _verify(client: Any, response: Any, head: bytes, roots: bytes) -> None:
    from cryptography import x509

    try:
        trusted = x509.load_pem_x509_certificates(roots)
    except ValueError:
        raise UsageError("--roots: there is no certificate in this file; it has to be PEM.") from None
    try:
        client.VerifierBuilder(roots=trusted).build().verify(response, head)
    except (client.VerificationError, ValueError) as error:
        told = printable(str(error))
        if "ErrorStack" in told:
            told = "its signature is wrong, or its certificates lead to none of those that --roots names"
        raise CaseError(f"The time stamp does not hold: {told}.") from None


def _signer(response: Any) -> str:
    """The subject of the certificate that the signature names, "" when it is not there."""
    from cryptography import x509

    signers = list(response.signed_data.signer_infos)
    for der in response.signed_data.certificates if len(signers) == 1 else ():
        found = x509.load_der_x509_certificate(der)
        if (found.issuer, found.serial_number) == (signers[0].issuer, signers[0].serial_number):
            return printable(found.subject.rfc4514_string())
    return ""


def _library() -> Any:
    try:
        import rfc3161_client
    except ImportError:
        raise CaseError("Time stamps need the library `rfc3161-client`: pip install 'haechi[case]'") from None
    return rfc3161_client
