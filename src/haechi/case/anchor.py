"""A state of a case tied to a time by somebody else: RFC 3161 time stamps. Haechi makes no connection.

The request is a file that its user sends to a time-stamp authority; it holds the seal and a random number.
The seal is the SHA-256 of the last line of the log, so what is stamped is that line, and any tool can verify
the answer:

    openssl ts -verify -digest SEAL -in head.tsr -CAfile roots.pem

The answer is verified by ``rfc3161-client``: the signature over it, the certificates up to a root that the
user names, as of the time that is told, the purpose of the signer's certificate, and the random number.
Revocation is not looked up."""

from __future__ import annotations

import warnings
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
    that it names, which means something only when it was ``verified``; ``answers_request``:
    it answers the given request."""

    head: str
    time: datetime
    signer: str
    verified: bool
    answers_request: bool


def request(line: bytes) -> bytes:
    """A time-stamp request (DER) for the last line of a log, with a random number, asking for
    certificates."""
    client = _library()
    builder = client.TimestampRequestBuilder().data(line).hash_algorithm(client.HashAlgorithm.SHA256)
    data: bytes = builder.nonce(nonce=True).cert_request(cert_request=True).build().as_bytes()
    return data


def read(answer: bytes, request_der: bytes | None = None, roots: bytes | None = None) -> Stamp:
    """What an answer (DER) says. ``request_der``: the request that it is to answer; ``roots``: certificates
    (PEM) that the user trusts; without them the signature is not verified. Raises CaseError when anything
    that is compared does not hold, UsageError for roots or a request that are none."""
    client = _library()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what certificates will not be allowed to say one day
        response = _parsed(client, answer)
        info = response.tst_info
        head = bytes(info.message_imprint.message)
        if request_der is not None:
            _compare(info, request_der)
        if roots is not None:
            _verify(client, response, head, roots)
        time, signer = info.gen_time.astimezone(UTC), _signer(response)
    return Stamp(head.hex(), time, signer or "?", roots is not None, request_der is not None)


def _parsed(client: Any, answer: bytes) -> Any:
    """The answer, of which all parts that are read here can be read. Raises CaseError for one that is
    damaged, or refuses, or is for another kind of hash."""
    try:
        response = client.decode_timestamp_response(sorted_certificates(answer))
        refused = [] if int(response.status) == 0 else [str(text) for text in response.status_string]
        if int(response.status) == 0:
            _signer(response)
            kind = response.tst_info.message_imprint.hash_algorithm.dotted_string
    except Exception:  # what the libraries raise for a file that somebody made up has no common root
        raise CaseError("This is no answer of a time-stamp authority (RFC 3161), or it is damaged.") from None
    if int(response.status) != 0:
        reason = "; ".join(map(printable, refused)) or "no reason given"
        raise CaseError(
            f"The time-stamp authority refused the request ({reason}): ask again, or ask another."
        )
    if kind != _SHA256:
        raise CaseError("This time stamp is for another hash than SHA-256: it was not asked for by Haechi.")
    return response


def _compare(info: Any, request_der: bytes) -> None:
    from rfc3161_client import _rust

    try:
        request = _rust.parse_timestamp_request(request_der)
    except ValueError:
        raise UsageError("--request: this is no time-stamp request.") from None
    own, stamped = (bytes(each.message_imprint.message) for each in (request, info))
    if own != stamped or request.nonce != info.nonce:
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
    except client.VerificationError as error:
        reason = printable(str(error))
        if "ErrorStack" in reason:
            reason = "its signature is wrong, or its certificates lead to none of those that --roots names"
        raise CaseError(f"The time stamp does not hold: {reason}.") from None
    except Exception:  # see ``_parsed``
        raise CaseError("The time stamp does not hold: its signature cannot be read.") from None


def _signer(response: Any) -> str:
    """The subject of the certificate that the signature names, "" when it is not there."""
    from cryptography import x509

    signers = list(response.signed_data.signer_infos)
    for der in response.signed_data.certificates if len(signers) == 1 else ():
        certificate = x509.load_der_x509_certificate(der)
        if (certificate.issuer, certificate.serial_number) == (signers[0].issuer, signers[0].serial_number):
            return printable(certificate.subject.rfc4514_string())
    return ""


def _library() -> Any:
    try:
        import rfc3161_client
    except ImportError:
        raise CaseError("Time stamps need the library `rfc3161-client`: pip install 'haechi[case]'") from None
    return rfc3161_client
