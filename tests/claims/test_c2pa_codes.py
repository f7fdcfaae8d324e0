"""Every status code of C2PA has its kind, and its sentence in every language."""

from __future__ import annotations

import pytest

from haechi.claims.c2pa_codes import BINDINGS, CODES, look_up
from haechi.claims.c2pa_manifest import statements
from haechi.report import LANGUAGES
from haechi.report.messages import catalogue, sentence

# The codes of C2PA 2.2, 15.2.2, by their kinds there.
SUCCESS = """
assertion.accessible assertion.bmffHash.match assertion.boxesHash.match assertion.collectionHash.match
assertion.dataHash.match assertion.hashedURI.match assertion.multiAssetHash.match
claimSignature.insideValidity claimSignature.validated ingredient.claimSignature.validated
ingredient.manifest.validated signingCredential.ocsp.notRevoked signingCredential.trusted timeStamp.trusted
timeStamp.validated
"""
INFORMATIONAL = """
algorithm.deprecated ingredient.unknownProvenance signingCredential.ocsp.inaccessible
signingCredential.ocsp.skipped timeOfSigning.insideValidity timeOfSigning.outsideValidity
timeStamp.malformed timeStamp.mismatch timeStamp.outsideValidity timeStamp.untrusted
"""
FAILURE = """
algorithm.unsupported assertion.action.ingredientMismatch assertion.action.malformed
assertion.action.redacted assertion.action.redactionMismatch assertion.bmffHash.malformed
assertion.bmffHash.mismatch assertion.boxesHash.malformed assertion.boxesHash.mismatch
assertion.boxesHash.unknownBox assertion.cloud-data.actions assertion.cloud-data.hardBinding
assertion.cloud-data.malformed assertion.cbor.invalid assertion.collectionHash.incorrectFileCount
assertion.collectionHash.invalidURI assertion.collectionHash.malformed assertion.collectionHash.mismatch
assertion.dataHash.malformed assertion.dataHash.mismatch assertion.dataHash.redacted
assertion.hashedURI.mismatch assertion.inaccessible assertion.ingredient.malformed assertion.json.invalid
assertion.missing assertion.multiAssetHash.malformed assertion.multiAssetHash.missingPart
assertion.multiAssetHash.mismatch assertion.multipleHardBindings assertion.notRedacted
assertion.outsideManifest assertion.selfRedacted assertion.timestamp.malformed assertion.undeclared
claim.cbor.invalid claim.hardBindings.missing claim.malformed claim.missing claim.multiple
claimSignature.missing claimSignature.mismatch claimSignature.outsideValidity general.error
hashedURI.missing hashedURI.mismatch ingredient.claimSignature.missing ingredient.claimSignature.mismatch
ingredient.manifest.missing ingredient.manifest.mismatch manifest.compressed.invalid manifest.inaccessible
manifest.multipleParents manifest.timestamp.invalid manifest.timestamp.wrongParents manifest.update.invalid
manifest.update.wrongParents signingCredential.invalid signingCredential.ocsp.revoked
signingCredential.untrusted
"""
# Those of other versions; signingCredential.ocsp.unknown fails in 2.2 and informs since.
OTHERS = """
signingCredential.ocsp.unknown assertion.metadata.disallowed assertion.required.missing
claim.required.missing ingredient.hashedURI.mismatch manifest.unreferenced manifest.unknownProvenance
signingCredential.expired signingCredential.notRevoked signingCredential.revoked
assertion.action.missing assertion.action.softBindingMissing
assertion.alternativeContentRepresentation.hashMismatch
assertion.alternativeContentRepresentation.malformed assertion.alternativeContentRepresentation.match
assertion.alternativeContentRepresentation.missing assertion.bmffHash.additionalExclusionsPresent
assertion.boxesHash.additionalExclusionsPresent assertion.dataHash.additionalExclusionsPresent
assertion.cloud-data.labelMismatch assertion.external-reference.actions
assertion.external-reference.created assertion.external-reference.hardBinding
assertion.external-reference.malformed assertion.hardBinding.redacted manifest.missing
timeStamp.credentialInvalid livevideo.assertion.invalid livevideo.continuityMethod.invalid
livevideo.init.invalid livevideo.manifest.invalid livevideo.segment.invalid livevideo.sessionkey.invalid
manifest.text.corruptedWrapper manifest.text.multipleWrappers
"""


def test_every_code_of_the_standard_is_in_the_table_with_its_kind() -> None:
    for kind, codes in (("success", SUCCESS), ("informational", INFORMATIONAL), ("failure", FAILURE)):
        assert {code: CODES[code].kind for code in codes.split()} == dict.fromkeys(codes.split(), kind)
    assert CODES.keys() == {*SUCCESS.split(), *INFORMATIONAL.split(), *FAILURE.split(), *OTHERS.split()}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_code_has_its_sentence(lang: str) -> None:
    for said in CODES.values():
        assert said.sentence in catalogue(lang)
        assert "{" not in catalogue(lang)[said.sentence], "it stands inside another sentence"


def test_nothing_that_succeeds_or_informs_counts_as_altered() -> None:
    for code, said in CODES.items():
        assert said.kind == "failure" or said.effect in ("none", "partly"), code
    assert {CODES[code].kind for code in BINDINGS} == {"success"}
    assert "assertion.multiAssetHash.match" not in BINDINGS, "pieces are not the whole"


def told(kind: str, code: str, good: bool = True) -> tuple[str, str]:
    """The statement on the whole and all facts in words, when this code is reported of a file."""
    passed = ["claimSignature.validated", "assertion.dataHash.match"] if good else []
    results = {"success": [{"code": c} for c in passed]}
    results[kind] = [*results.get(kind, []), {"code": code}]
    store = {"active_manifest": "a", "manifests": {"a": {"title": "x"}}}
    reason, facts = statements(store | {"validation_results": {"activeManifest": results}})
    for lang in LANGUAGES:
        assert all("?" not in sentence(fact, lang) for fact in facts)
    return reason.code, " | ".join(f"{sentence(fact)}" for fact in facts)


@pytest.mark.parametrize("code", FAILURE.split())
def test_every_failure_is_told_with_a_sentence_of_its_own(code: str) -> None:
    whole, facts = told("failure", code)
    said = CODES[code]
    assert catalogue("en")[said.sentence] in facts
    assert said.concern == "signer" or f"[{code}]" in facts
    wanted = {
        "altered": "provenance_altered",
        "invalid": "provenance_invalid",
        "lapsed": "provenance_lapsed",
        "none": "provenance_earlier_wrong" if said.concern == "ingredient" else "provenance_intact",
    }
    assert whole == wanted[said.effect]


def test_a_code_that_is_not_known_is_told_as_that_and_as_a_failure_it_counts() -> None:
    whole, facts = told("failure", "assertion.newHash.mismatch\u202e" + "x" * 500)
    assert whole == "provenance_invalid"
    assert "reports something that this program does not know. [assertion.newHash.mismatch" in facts
    assert "\u202e" not in facts
    assert len(facts) < 1000
    whole, facts = told("informational", "org.example.news")
    assert whole == "provenance_intact"
    assert "[org.example.news]" in facts
    assert told("failure", "cawg.x509.signature.mismatch")[0] == "provenance_intact"


def test_what_is_reported_as_the_wrong_kind_is_never_taken_for_the_better() -> None:
    assert told("success", "assertion.dataHash.mismatch")[0] == "provenance_altered"
    assert told("informational", "claimSignature.mismatch")[0] == "provenance_altered"
    assert told("failure", "claimSignature.validated")[0] == "provenance_invalid"
    assert told("informational", "assertion.dataHash.match", good=False)[0] == "provenance_invalid"
    assert look_up("claimSignature.validated", "failure").sentence == "c2pa_code_unknown"
