"""Every status code of C2PA: what kind it is, what it says of a file, and which sentence tells it.

Codes that say the same thing to a reader share a sentence, and the report shows the code beside it. Where
versions differ over the kind of a code, the newest counts. Sources: C2PA Technical Specification 1.0 to 2.2,
15.2.2 (standard status codes); those that 2.3 and 2.4 add, as c2pa-rs 0.91 and the C2PA libraries for iOS and
Android list them; 19.7 (live video). The codes of CAWG are known by their beginning only: they concern a
second signature, which is not judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["success", "informational", "failure"]
Concern: TypeAlias = Literal["content", "statement", "signer", "time", "ingredient", "identity"]
#: What follows for the file: it or its statement was changed after signing; the statement is not one that the
#: standard allows, or could not be checked; its certificate does not hold; the signature leaves parts of the
#: file out; nothing.
Effect: TypeAlias = Literal["altered", "invalid", "lapsed", "partly", "none"]


@dataclass(frozen=True, slots=True)
class Status:
    """sentence: a key of the catalogue of the reports."""

    kind: Kind
    concern: Concern
    effect: Effect
    sentence: str


def _status(group: str) -> Status:
    kind, concern, effect, sentence = group.split()
    return Status(kind, concern, effect, f"c2pa_{sentence}")  # type: ignore[arg-type]


# kind, concern, effect, sentence (without c2pa_): its codes
_GROUPS = {
    "success content none content_fits": (
        "assertion.dataHash.match assertion.bmffHash.match assertion.boxesHash.match "
        "assertion.collectionHash.match"
    ),
    "success content none pieces_fit": "assertion.multiAssetHash.match",
    "success statement none statement_fits": (
        "assertion.hashedURI.match assertion.alternativeContentRepresentation.match"
    ),
    "success statement none remote_reached": "assertion.accessible",
    "success statement none signature_fits": "claimSignature.validated",
    "success ingredient none earlier_fits": (
        "ingredient.claimSignature.validated ingredient.manifest.validated"
    ),
    "success time none signed_within": "claimSignature.insideValidity",
    "success time none clock_fits": "timeStamp.validated",
    "success time none clock_trusted": "timeStamp.trusted",
    "success signer none signer_trusted": "signingCredential.trusted",
    "success signer none signer_unrevoked": "signingCredential.ocsp.notRevoked signingCredential.notRevoked",
    "informational content partly partly": (
        "assertion.dataHash.additionalExclusionsPresent assertion.bmffHash.additionalExclusionsPresent "
        "assertion.boxesHash.additionalExclusionsPresent"
    ),
    "informational statement none method_old": "algorithm.deprecated",
    "informational statement none spare": "manifest.unreferenced",
    "informational statement none unread": "manifest.unknownProvenance",
    "informational ingredient none earlier_bare": "ingredient.unknownProvenance",
    "informational signer none revocation_unasked": (
        "signingCredential.ocsp.skipped signingCredential.ocsp.inaccessible"
    ),
    "informational signer none revocation_unknown": "signingCredential.ocsp.unknown",
    "informational time none time_within": "timeOfSigning.insideValidity",
    "informational time none time_doubtful": "timeOfSigning.outsideValidity",
    "informational time none clock_wrong": "timeStamp.malformed timeStamp.mismatch",
    "informational time none clock_outside": "timeStamp.outsideValidity",
    "informational time none clock_unknown": "timeStamp.untrusted timeStamp.credentialInvalid",
    "failure content altered content_differs": (
        "assertion.dataHash.mismatch assertion.bmffHash.mismatch assertion.boxesHash.mismatch "
        "assertion.collectionHash.mismatch assertion.multiAssetHash.mismatch"
    ),
    "failure content altered content_added": "assertion.boxesHash.unknownBox",
    "failure content altered content_missing": (
        "assertion.collectionHash.incorrectFileCount assertion.multiAssetHash.missingPart"
    ),
    "failure content invalid unbound": (
        "claim.hardBindings.missing assertion.multipleHardBindings assertion.dataHash.redacted "
        "assertion.hardBinding.redacted assertion.cloud-data.hardBinding "
        "assertion.external-reference.hardBinding"
    ),
    "failure content invalid hash_malformed": (
        "assertion.dataHash.malformed assertion.bmffHash.malformed assertion.boxesHash.malformed "
        "assertion.collectionHash.malformed assertion.collectionHash.invalidURI "
        "assertion.multiAssetHash.malformed"
    ),
    "failure content invalid live": (
        "livevideo.init.invalid livevideo.manifest.invalid livevideo.segment.invalid "
        "livevideo.assertion.invalid livevideo.continuityMethod.invalid livevideo.sessionkey.invalid"
    ),
    "failure statement altered statement_differs": (
        "assertion.hashedURI.mismatch hashedURI.mismatch "
        "assertion.alternativeContentRepresentation.hashMismatch"
    ),
    "failure statement altered signature_wrong": "claimSignature.mismatch",
    "failure statement invalid signature_missing": "claimSignature.missing",
    "failure statement invalid part_missing": (
        "assertion.missing assertion.required.missing assertion.outsideManifest assertion.action.missing "
        "assertion.alternativeContentRepresentation.missing hashedURI.missing"
    ),
    "failure statement invalid part_added": "assertion.undeclared",
    "failure statement invalid part_redacted": (
        "assertion.action.redacted assertion.action.redactionMismatch assertion.notRedacted "
        "assertion.selfRedacted"
    ),
    "failure statement invalid part_malformed": (
        "assertion.cbor.invalid assertion.json.invalid assertion.ingredient.malformed "
        "assertion.timestamp.malformed assertion.metadata.disallowed assertion.action.malformed "
        "assertion.action.ingredientMismatch assertion.action.softBindingMissing "
        "assertion.cloud-data.malformed assertion.cloud-data.actions assertion.cloud-data.labelMismatch "
        "assertion.external-reference.malformed assertion.external-reference.actions "
        "assertion.external-reference.created assertion.alternativeContentRepresentation.malformed"
    ),
    "failure statement none remote_unread": "assertion.inaccessible",
    "failure statement invalid claim_missing": "claim.missing manifest.missing manifest.inaccessible",
    "failure statement invalid claim_malformed": (
        "claim.malformed claim.cbor.invalid claim.multiple claim.required.missing "
        "manifest.compressed.invalid manifest.multipleParents manifest.timestamp.invalid "
        "manifest.timestamp.wrongParents manifest.update.invalid manifest.update.wrongParents "
        "manifest.text.corruptedWrapper manifest.text.multipleWrappers"
    ),
    "failure statement invalid method_unknown": "algorithm.unsupported",
    "failure statement invalid error": "general.error",
    "failure signer lapsed signer_expired": "signingCredential.expired",
    "failure signer lapsed signed_outside": "claimSignature.outsideValidity",
    "failure signer lapsed signer_invalid": "signingCredential.invalid",
    "failure signer lapsed signer_revoked": "signingCredential.ocsp.revoked signingCredential.revoked",
    "failure signer none signer_unknown": "signingCredential.untrusted",
    "failure ingredient none earlier_differs": (
        "ingredient.claimSignature.mismatch ingredient.manifest.mismatch ingredient.hashedURI.mismatch"
    ),
    "failure ingredient none earlier_missing": (
        "ingredient.claimSignature.missing ingredient.manifest.missing"
    ),
}
CODES: Mapping[str, Status] = {
    code: _status(group) for group, codes in _GROUPS.items() for code in codes.split()
}
"""By the code as the standard spells it."""

# What ties a statement to the content as a whole: a hash of the pieces alone does not.
BINDINGS = frozenset(code for code, status in CODES.items() if status.sentence == "c2pa_content_fits")
_IDENTITY = "cawg."


def look_up(code: str, kind: Kind) -> Status:
    """What a code says that was reported as ``kind``. One that is not in the table is told as unknown, and as
    a failure it counts as one; so does a success that is reported as a failure."""
    if code in CODES and (kind == "success" or CODES[code].kind != "success"):
        return CODES[code]
    if code.startswith(_IDENTITY):
        return Status(kind, "identity", "none", "c2pa_identity")
    return Status(kind, "statement", "invalid" if kind == "failure" else "none", "c2pa_code_unknown")
