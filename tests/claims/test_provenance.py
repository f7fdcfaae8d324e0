"""Content credentials: real files, signed here, altered here, and hostile ones."""

from __future__ import annotations

import http.server
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

pytest.importorskip("c2pa")

from noted import spoken
from signed import AI, CAMERA, action, manifest, sign, signer

from haechi.claims import Subject, c2pa_library
from haechi.claims.c2pa_manifest import statements
from haechi.claims.provenance import ProvenanceClaim
from haechi.claims.raw_metadata import STORE
from haechi.errors import UsageError
from haechi.media import open_media
from haechi.media.original import Original
from haechi.pipeline import Pipeline
from haechi.report.data import to_dict
from haechi.report.messages import catalogue, sentence
from haechi.settings import Settings
from haechi.types import Claim
from tinyheic import heic, needs_x265

SETTINGS = Settings()


def state(data: bytes | Path, settings: Settings = SETTINGS) -> Claim:
    """What the claim says, every sentence of it tried in every language."""
    said = ProvenanceClaim(settings).state(Subject(Original.of(data), open_media(data, settings)))
    return spoken(said)


def codes(said: Claim) -> list[str]:
    return [said.reason.code, *(fact.code for fact in said.facts)]


def told(said: Claim) -> str:
    return " ".join(sentence(reason) for reason in (said.reason, *said.facts))


def drawn(form: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((320, 240)).convert("RGB").save(out, form)
    return out.getvalue()


@pytest.fixture(scope="module")
def plain() -> bytes:
    return drawn()


@pytest.fixture(scope="module")
def credentialed(plain: bytes) -> bytes:
    return sign(plain)


def test_a_file_without_them_is_not_suspected(plain: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c2pa_library, "_PROCESS", Path("the library was loaded for nothing"))
    said = state(plain)
    assert (said.outcome, codes(said)) == ("answered", ["provenance_none"])
    assert "says nothing either way" in told(said)


def test_an_intact_file_tells_who_signed_and_that_nobody_vouches_for_them(credentialed: bytes) -> None:
    said = state(credentialed)
    assert said.outcome == "answered"
    wanted = ["provenance_intact", "c2pa_signer", "c2pa_signer_unknown", "c2pa_program", "source_camera"]
    assert codes(said) == wanted
    assert "Example News / Desk 3" in told(said)
    assert "Example Camera 1.2" in told(said)
    assert "does not make what it says true" in told(said)


def test_one_changed_byte_of_the_picture_is_found(credentialed: bytes) -> None:
    altered = bytearray(credentialed)
    altered[-300] ^= 1
    said = state(bytes(altered))
    assert (said.outcome, said.reason.code) == ("answered", "provenance_altered")
    assert "does not vouch" in told(said)


def test_a_statement_that_was_rewritten_is_found(credentialed: bytes) -> None:
    altered = credentialed.replace(b"Example Camera", b"Another Camera")
    assert altered != credentialed
    assert state(altered).reason.code == "provenance_altered"


def test_a_signer_on_the_users_list_is_told_as_such(credentialed: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.pem").write_bytes(signer().root)
    said = state(credentialed, Settings(trust_list=str(tmp_path / "mine.pem")))
    assert "c2pa_signer_trusted" in codes(said)
    assert "c2pa_signer_unknown" not in codes(said)


@pytest.mark.parametrize("content", [None, b"", b"no certificates", b"\xff" * 100])
def test_a_list_of_signers_that_cannot_be_used_is_an_error_of_usage(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "list.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match="HAECHI_TRUST_LIST"):
        ProvenanceClaim(Settings(trust_list=str(path)))


def test_an_expired_certificate_is_told(plain: bytes) -> None:
    data = sign(plain, by=signer("Late Press", lasts_s=2.0))
    assert state(data).reason.code == "provenance_intact"
    time.sleep(3.1)  # certificates count in whole seconds
    said = state(data)
    assert (said.reason.code, "c2pa_signer_expired" in codes(said)) == ("provenance_lapsed", True)
    assert said.outcome == "answered"


def test_a_file_that_says_that_ai_made_it(plain: bytes) -> None:
    made = manifest(action("created", digitalSourceType=AI), program="Dream Machine")
    said = state(sign(plain, made))
    assert "source_ai" in codes(said)
    assert "It says that AI made it." in told(said)
    part = AI.replace("trained", "compositeWithTrained").replace("WithtrainedA", "WithTrainedA")
    assert "source_ai_part" in codes(state(sign(plain, manifest(action("created", digitalSourceType=part)))))


def test_the_files_before_are_counted_and_asked_too(plain: bytes) -> None:
    before = sign(plain, manifest(action("created", digitalSourceType=AI)))
    said = state(sign(plain, {"claim_generator_info": [{"name": "Retoucher"}]}, parent=before))
    assert {"c2pa_ingredients", "c2pa_earlier_ai"} <= set(codes(said))
    assert "source_ai" not in codes(said)


def test_edits_are_told_apart_from_what_changes_only_the_form(plain: bytes) -> None:
    steps = [action("created", digitalSourceType=CAMERA), action("cropped"), action("resized")]
    said = state(sign(plain, manifest(*steps)))
    assert "c2pa_edited" not in codes(said)
    assert next(f for f in said.facts if f.code == "c2pa_adjusted").params["n"] == 2
    said = state(sign(plain, manifest(*steps, action("edited", softwareAgent={"name": "Face Brush"}))))
    assert next(f for f in said.facts if f.code == "c2pa_edited").params["n"] == 1
    assert "Face Brush" in told(said)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF", "AVIF", "TIFF"])
def test_other_formats_carry_them_too(form: str, tmp_path: Path) -> None:
    mime = f"image/{form.lower()}"
    path = tmp_path / "x"
    path.write_bytes(sign(drawn(form), mime=mime))
    # In AVIF and TIFF the library leaves boxes and tags out of the signature.
    whole = "provenance_partly" if form in ("AVIF", "TIFF") else "provenance_intact"
    assert state(path).reason.code == whole


@needs_x265
def test_photographs_of_phones_carry_them_too() -> None:
    picture = np.asarray(Image.linear_gradient("L").resize((320, 240)).convert("RGB"))
    data = sign(heic([picture]), mime="image/heic")
    assert state(data).reason.code == "provenance_partly", "boxes of padding are left out"
    altered = bytearray(data)
    altered[-9] ^= 1
    assert state(bytes(altered)).reason.code == "provenance_altered"


def test_videos_carry_them_too(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (64, 48))
    for i in range(10):
        writer.write(np.full((48, 64, 3), i * 20, np.uint8))
    writer.release()
    path.write_bytes(sign(path.read_bytes(), mime="video/mp4"))
    said = state(path)
    assert said.reason.code == "provenance_partly", "boxes of padding are left out"
    assert "assertion.bmffHash.additionalExclusionsPresent" in told(said)
    altered = bytearray(path.read_bytes())
    altered[altered.rfind(b"Example Camera") + 3] ^= 1
    path.write_bytes(altered)
    assert state(path).reason.code == "provenance_altered"


def test_a_format_that_carries_none_is_said_not_to_be_looked_at() -> None:
    said = state(drawn("BMP"))
    assert (said.outcome, said.reason.code) == ("unread", "provenance_format")


@pytest.fixture
def site() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine, its address, and what was asked of it: the library is native code, which the
    blocked network of Python would not hold back."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_a_statement_that_lies_elsewhere_is_not_fetched(
    plain: bytes, site: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, asked = site
    data = sign(plain, remote=f"{address}/statement.c2pa")
    said = state(data)
    assert (said.outcome, said.reason.code) == ("unread", "provenance_remote")
    # The library itself, asked as the claim asks it, must not fetch either; told to, it would.
    path = tmp_path / "x.jpg"
    path.write_bytes(data)
    with pytest.raises(c2pa_library.Refused, match="Remote"):
        c2pa_library.Library("", 30.0).read_store(Original.of(path), "jpeg")
    assert asked == []
    script = (
        "import sys, c2pa\n"
        "try: c2pa.Reader('image/jpeg', open(sys.argv[1], 'rb'))\n"
        "except c2pa.C2paError: pass\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    assert asked == ["/statement.c2pa"], "this test proves nothing any more"


def test_without_the_extra_it_is_said_how_to_install_it(
    credentialed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haechi.claims.provenance.installed", lambda: False)
    said = state(credentialed)
    assert (said.outcome, said.reason.code) == ("unread", "provenance_missing")
    assert "pip install 'haechi[provenance]'" in told(said)


def test_reports_list_it_as_not_tested_until_it_was_read(
    astronaut: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shipped: Settings
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(sign(astronaut.read_bytes()))
    one = Pipeline(shipped)
    read = to_dict(one.check(path))
    assert not any("C2PA" in line for line in read["not_tested"])
    assert any("watermarks" in line for line in read["not_tested"])
    assert read["evidence"][3]["fact_codes"][0] == "c2pa_signer"
    monkeypatch.setattr("haechi.claims.provenance.installed", lambda: False)
    lines = to_dict(one.check(path))["not_tested"]
    assert any("C2PA" in line and "pip install" in line for line in lines)


def test_hostile_names_are_cleaned(plain: bytes) -> None:
    hostile = "\u202egpj.exe\x1b[2J\nTrusted by everyone " + "x" * 500
    said = state(sign(plain, manifest(program=hostile), by=signer("<script>\u2066 News\x07", "\u202eevil")))
    text = told(said)
    assert not set(text) & set("\u202e\u2066\x1b\x07\n")
    assert len(text) < 1200


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_statements_never_break_the_check(credentialed: bytes, data: st.DataObject) -> None:
    start = credentialed.index(STORE) + len(STORE)
    altered = bytearray(credentialed)
    for _ in range(data.draw(st.integers(1, 40))):
        altered[start + data.draw(st.integers(0, 2500))] = data.draw(st.integers(0, 255))
    try:
        media = open_media(bytes(altered), SETTINGS)
    except Exception:
        return  # the length of a segment was hit: not a picture any more
    said = ProvenanceClaim(SETTINGS).state(Subject(Original.of(bytes(altered)), media))
    assert said.reason.code != "provenance_intact" or bytes(altered) == credentialed
    assert said.outcome in ("answered", "failed")


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


@pytest.mark.parametrize(
    "body",
    [
        STORE,
        b"JP\x00\x01\x00\x00\x00\x01"
        + b"\x00\x00\xff\xffjumb"
        + b"\x00\x00\x00\x1ejumd"
        + STORE
        + b"\x03c2pa\x00",
        b"JP\x00\x01\x00\x00\x00\x01" + b"\x00\x00\x01\x00jumb" * 4000 + b"\x00\x00\x00\x1ejumd" + STORE,
    ],
)
def test_garbage_in_their_place_is_shown_as_failed(plain: bytes, body: bytes) -> None:
    said = state(plain[:2] + segment(0xEB, body) + plain[2:])
    assert (said.outcome, said.reason.code) == ("failed", "provenance_refused")


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("import os; os.abort()", "Crash"),
        ("print('not json')", "Crash"),
        ("print('[' * 100000)", "Crash"),
        ("print('3')", "Unknown"),
        ("print('{}', end='')", "Crash"),
        ('print(\'{"refused": "Manifest"}\')', "Manifest"),
        ('print(\'{"store": {"manifests": 3}}\')', "NoManifest"),
        ("import time; time.sleep(30)", "Timeout"),
    ],
)
def test_whatever_becomes_of_the_library_the_check_goes_on(
    credentialed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, word: str
) -> None:
    (tmp_path / "process.py").write_text(script)
    monkeypatch.setattr(c2pa_library, "_PROCESS", tmp_path / "process.py")
    said = state(credentialed, Settings(decode_timeout_s=2.0))
    assert (said.outcome, said.reason.params.get("error")) == ("failed", word)


def test_the_process_of_the_library_is_kept_replaced_and_ended(credentialed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(credentialed)
    one = c2pa_library.Library("", 30.0)
    for source in (path, credentialed, path):
        assert one.read_store(Original.of(source), "jpeg")["validation_state"] == "Valid"
    first = one._process
    assert first is not None
    first.kill()
    first.wait()
    assert one.read_store(Original.of(path), "jpeg")["validation_state"] == "Valid"
    second = one._process
    assert second is not None
    assert second.pid != first.pid
    del one
    assert second.poll() is not None, "it ends with whoever asked"


def test_odd_paths_reach_the_library(credentialed: bytes, tmp_path: Path) -> None:
    for name in ("a b\n'\"c.jpg", "사진 照片.jpg", os.fsdecode(b"caf\xe9.jpg")):
        path = tmp_path / name
        path.write_bytes(credentialed)
        assert state(path).reason.code == "provenance_intact"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = ["claim_generator_info", "assertions", "ingredients", "signature_info", "claim_generator"]


@given(st.dictionaries(st.sampled_from(KEYS), JSON, min_size=1), JSON, JSON)
def test_no_shape_of_a_statement_breaks_the_reading(active: dict, results: object, other: object) -> None:
    store = {"active_manifest": "a", "manifests": {"a": active, "b": other}, "validation_results": results}
    reason, facts = statements(store)
    assert reason.code == "provenance_invalid"
    assert all(fact.code in catalogue("en") for fact in facts)


def with_results(passed: list[str], failed: list[str], **signed: str) -> list[str]:
    """Codes for a manifest with these results."""
    results = {
        kind: [{"code": c} for c in found] for kind, found in (("success", passed), ("failure", failed))
    }
    active = {"signature_info": {"issuer": "A", **signed}}
    store = {"active_manifest": "a", "manifests": {"a": active}}
    reason, facts = statements(store | {"validation_results": {"activeManifest": results}})
    return [reason.code, *(fact.code for fact in facts)]


GOOD = ["claimSignature.validated", "assertion.dataHash.match"]


def test_the_results_decide_what_is_said() -> None:
    assert with_results(GOOD, [])[0] == "provenance_intact"
    assert with_results(GOOD[:1], [])[0] == "provenance_invalid", "bound to no file"
    assert with_results(GOOD[1:], [])[0] == "provenance_invalid", "signed by nobody"
    assert with_results(GOOD, ["assertion.missing"])[0] == "provenance_invalid"
    assert with_results(GOOD, ["assertion.bmffHash.mismatch"])[0] == "provenance_altered"
    assert with_results(GOOD, ["timeStamp.mismatch"])[0] == "provenance_intact"
    assert "c2pa_signer_revoked" in with_results(GOOD, ["signingCredential.ocsp.revoked"])
    day = {"time": "2026-03-04T05:06:07+00:00"}
    assert "c2pa_signed_on_unproven" in with_results(GOOD, [], **day)
    assert "c2pa_signed_on" in with_results([*GOOD, "timeStamp.validated", "timeStamp.trusted"], [], **day)
    results = {"informational": [{"code": "assertion.dataHash.additionalExclusionsPresent"}]}
    store = {"active_manifest": "a", "manifests": {"a": {"title": "x"}}}
    _, facts = statements(store | {"validation_results": {"activeManifest": results}})
    assert "c2pa_partly" in [fact.params.get("why") for fact in facts]
    assert "05:06" not in json.dumps(with_results(GOOD, [], **day))


def test_what_is_no_store_is_refused() -> None:
    for store in (None, [], {}, {"active_manifest": "a"}, {"active_manifest": "a", "manifests": {"a": 3}}):
        with pytest.raises(ValueError, match="no active manifest"):
            statements(store)
