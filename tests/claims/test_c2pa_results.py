"""What a signature leaves out, and what is wrong with the files that a file was made from."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytest.importorskip("c2pa")

from noted import drawn, jpeg, spoken
from signed import AI, action, manifest, sign, sign_leaving_out

from haechi.claims import Subject
from haechi.claims.c2pa_manifest import statements
from haechi.claims.picture_metadata import metadata_end
from haechi.claims.provenance import ProvenanceClaim
from haechi.media import open_media
from haechi.media.original import Original
from haechi.report.messages import sentence
from haechi.settings import Settings
from haechi.types import Claim, Reason

RETOUCHED = {"claim_generator_info": [{"name": "Retoucher"}]}
NOTES = b"\xff\xd8\xff\xe1\x00\x20Exif\x00\x00MM\x00*" + bytes(20)


def state(data: bytes) -> Claim:
    settings = Settings()
    return spoken(ProvenanceClaim(settings).state(Subject(Original.of(data), open_media(data, settings))))


def earlier(facts: tuple[Reason, ...]) -> dict[object, object]:
    return {f.params["why"]: f.params["code"] for f in facts if f.code == "c2pa_earlier_status"}


def own(facts: tuple[Reason, ...]) -> dict[object, object]:
    return {f.params["why"]: f.params["code"] for f in facts if f.code == "c2pa_status"}


def told(said: Claim) -> str:
    return " ".join(sentence(reason) for reason in (said.reason, *said.facts))


def test_a_camera_that_leaves_its_notes_out_of_the_signature_is_not_accused() -> None:
    data = sign_leaving_out(NOTES, drawn()[2:], lambda end: (0, end))
    said = state(data)
    assert said.reason.code == "provenance_partly"
    assert own(said.facts) == {"c2pa_partly_notes": "assertion.dataHash.mismatch"}
    assert "The picture itself is covered" in told(said)
    noted = data.replace(NOTES[-10:], b"0123456789", 1)
    assert state(noted).reason.code == "provenance_partly", "its notes may have changed, and this says so"
    altered = bytearray(data)
    altered[-300] ^= 1
    assert state(bytes(altered)).reason.code == "provenance_altered"


def test_a_signature_that_may_leave_out_the_picture_is_not_trusted_for_it() -> None:
    rest = drawn()[2:]
    assert state(sign_leaving_out(NOTES, rest, lambda end: (0, end + 60))).reason.code == "provenance_altered"
    hidden = NOTES + rest[: rest.index(b"\xff\xc0")]  # tables of the decoder, as if they were notes
    said = state(sign_leaving_out(hidden, rest, lambda end: (0, end)))
    assert said.reason.code == "provenance_altered"


def test_where_the_notes_of_a_jpeg_end() -> None:
    plain = drawn()
    end = plain.index(b"\xff\xdb")
    assert metadata_end(plain) == end
    assert metadata_end(jpeg((0xE1, b"x" * 50), (0xFE, b"y" * 7))) == end + 54 + 11
    assert metadata_end(plain[:2] + b"\xff" + plain[2:]) == 2, "a gap"
    assert metadata_end(plain[:end] + b"\x00" * 30 + plain[end:]) == end
    assert metadata_end(b"") == metadata_end(b"\xff\xd8") == 2


@pytest.fixture(scope="module")
def before() -> bytes:
    return sign(drawn())


def test_an_earlier_file_that_was_altered_when_it_was_used_is_told(before: bytes) -> None:
    altered = bytearray(before)
    altered[-300] ^= 1
    said = state(sign(drawn(), RETOUCHED, parent=bytes(altered)))
    assert said.reason.code == "provenance_earlier_wrong"
    assert earlier(said.facts) == {"c2pa_content_differs": "assertion.dataHash.mismatch"}
    assert "A file that it was made from: The content does not fit the hash" in told(said)
    assert own(said.facts) == {}, "nothing is wrong with the file itself"
    after = state(sign(drawn(), RETOUCHED, parent=sign(drawn(), RETOUCHED, parent=bytes(altered))))
    assert after.reason.code == "provenance_earlier_wrong", "two steps back"


def test_a_statement_of_an_earlier_file_that_was_changed_since_is_told(before: bytes) -> None:
    data = sign(drawn(), RETOUCHED, parent=before)
    altered = data.replace(b"Example Camera", b"Another Camera")
    assert altered != data
    said = state(altered)
    assert said.reason.code == "provenance_earlier_wrong"
    assert set(earlier(said.facts)) & {
        "c2pa_signature_wrong",
        "c2pa_earlier_differs",
        "c2pa_statement_differs",
    }


def test_an_earlier_file_whose_signer_nobody_knows_is_not_wrong(before: bytes) -> None:
    said = state(sign(drawn(), RETOUCHED, parent=before))
    assert (said.reason.code, earlier(said.facts)) == ("provenance_intact", {})


def test_an_earlier_file_without_a_statement_is_told_and_not_accused() -> None:
    said = state(sign(drawn(), RETOUCHED, parent=drawn()))
    assert said.reason.code == "provenance_intact"
    assert earlier(said.facts) == {"c2pa_earlier_bare": "ingredient.unknownProvenance"}


def test_an_expired_signer_of_an_earlier_file_is_told_as_its_own() -> None:
    good = store(manifests={"a": manifest()})
    delta = {"validationDeltas": {"failure": [{"code": "signingCredential.expired"}]}}
    reason, facts = statements(
        good | {"validation_results": good["validation_results"] | {"ingredientDeltas": [delta]}}
    )
    assert reason.code == "provenance_intact"
    assert earlier(facts) == {"c2pa_signer_expired": "signingCredential.expired"}
    assert "c2pa_signer_expired" not in [fact.code for fact in facts]


def test_what_holds_is_told_where_something_else_does_not(before: bytes) -> None:
    altered = bytearray(before)
    altered[-300] ^= 1
    said = own(state(bytes(altered)).facts)
    assert said["c2pa_content_differs"] == "assertion.dataHash.mismatch"
    assert said["c2pa_signature_fits"] == "claimSignature.validated"
    assert said["c2pa_statement_fits"] == "assertion.hashedURI.match"
    assert "c2pa_content_fits" not in said


def store(**more: Any) -> dict[str, Any]:
    passed = [{"code": c} for c in ("claimSignature.validated", "assertion.dataHash.match")]
    good = {"active_manifest": "a", "validation_results": {"activeManifest": {"success": passed}}}
    return {**good, **more}


def test_a_statement_that_nothing_refers_to_says_nothing_of_the_file() -> None:
    made = {"assertions": [{"label": "c2pa.actions", "data": {"actions": [action("created")]}}]}
    made["assertions"][0]["data"]["actions"][0]["digitalSourceType"] = AI
    added = made | {"ingredients": [{"validation_status": [{"code": "claimSignature.mismatch"}]}]}
    reason, facts = statements(store(manifests={"a": {"title": "x"}, "added": added}))
    assert reason.code == "provenance_intact"
    assert "c2pa_earlier_ai" not in [fact.code for fact in facts]
    named = {"title": "x", "ingredients": [{"active_manifest": "added"}]}
    reason, facts = statements(store(manifests={"a": named, "added": added}))
    assert reason.code == "provenance_earlier_wrong"
    assert "c2pa_earlier_ai" in [fact.code for fact in facts]


def test_circles_chains_and_floods_of_earlier_files_end() -> None:
    def link(to: str) -> dict[str, Any]:
        return {"ingredients": [{"active_manifest": to, "validation_status": [{"code": "x.y"}]}] * 300}

    started = time.process_time()  # its own: the machine may be busy
    circle = {"a": link("b"), "b": link("a")}
    assert earlier(statements(store(manifests=circle))[1]) == {"c2pa_code_unknown": "x.y"}
    chain = {"a": link("0"), **{str(i): link(str(i + 1)) for i in range(1000)}}
    assert statements(store(manifests=chain))[0].code == "provenance_earlier_wrong"
    flood = [{"code": f"own.code{i}"} for i in range(20_000)]
    found = {
        "activeManifest": {"failure": flood},
        "ingredientDeltas": [{"validationDeltas": {"failure": flood}}],
    }
    _, facts = statements(store(manifests={"a": {"title": "x"}}, validation_results=found))
    assert len(" ".join(sentence(fact) for fact in facts)) < 3000
    assert time.process_time() - started < 5.0


def test_the_older_list_of_an_earlier_file_may_hold_what_passed() -> None:
    def whole(*codes: str) -> str:
        listed = [{"code": code} for code in codes]
        manifests = {"a": {"ingredients": [{"validation_status": listed}]}}
        return statements(store(manifests=manifests))[0].code

    assert whole("claimSignature.validated", "timeStamp.mismatch") == "provenance_intact"
    assert whole("signingCredential.untrusted") == "provenance_intact"
    assert whole("claimSignature.validated", "claim.missing") == "provenance_earlier_wrong"


def test_a_trusted_signer_is_told_with_what_was_not_asked() -> None:
    codes = ["claimSignature.validated", "assertion.dataHash.match", "signingCredential.trusted"]
    found = {
        "success": [{"code": code} for code in codes],
        "informational": [{"code": "signingCredential.ocsp.skipped"}],
    }
    _, facts = statements(store(manifests={"a": manifest()}, validation_results={"activeManifest": found}))
    assert {"c2pa_signer_trusted", "c2pa_revocation_unasked"} <= {fact.code for fact in facts}
