"""When a file was signed: with a time stamp (RFC 3161) from a service on this machine, made with openssl."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("c2pa")
pytest.importorskip("cryptography")

from cryptography.x509.oid import ExtendedKeyUsageOID
from noted import drawn, spoken
from signed import Signer, manifest, sign, signer

from haechi.claims import Subject
from haechi.claims.provenance import ProvenanceClaim
from haechi.media import open_media
from haechi.media.original import Original
from haechi.settings import Settings
from haechi.types import Claim

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the time stamps")


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[tuple[str, Signer]]:
    """The address of a service for time stamps, and its certificates."""
    own = signer("Example Clock", "One", purpose=ExtendedKeyUsageOID.TIME_STAMPING)
    files = {"signer_cert": own.chain, "certs": own.root, "signer_key": own.key, "serial": b"01"}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    lines = ["[tsa]", "default_tsa = own", "[own]", *(f"{name} = {tmp_path / name}" for name in files)]
    lines += ["signer_digest = sha256", "default_policy = 1.2.3.4", "digests = sha256, sha384, sha512"]
    (tmp_path / "conf").write_text("\n".join([*lines, "ess_cert_id_alg = sha256", ""]))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (tmp_path / "query").write_bytes(self.rfile.read(int(self.headers["content-length"])))
            command = ["openssl", "ts", "-reply", "-config", "conf", "-queryfile", "query", "-out", "reply"]
            subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
            self.send_response(200)
            self.send_header("content-type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write((tmp_path / "reply").read_bytes())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", own
        server.shutdown()


def told(data: bytes, trusted: bytes, tmp_path: Path) -> Claim:
    """What is said of a file under a list of trusted signers and clocks."""
    (tmp_path / "list.pem").write_bytes(trusted)
    settings = Settings(trust_list=str(tmp_path / "list.pem"))
    return spoken(ProvenanceClaim(settings).state(Subject(Original.of(data), open_media(data, settings))))


def test_a_date_counts_as_confirmed_only_by_a_clock_on_the_users_list(
    clock: tuple[str, Signer], tmp_path: Path
) -> None:
    address, own = clock
    before = datetime.now(UTC).date().isoformat()
    data = sign(drawn(), clock=address)

    def dates(trusted: bytes) -> dict[str, object]:
        said = told(data, trusted, tmp_path)
        assert said.reason.code == "provenance_intact"
        return {f.code: f.params["date"] for f in said.facts if "date" in f.params}

    days = {before, datetime.now(UTC).date().isoformat()}  # it may be midnight
    assert dates(signer().root) in [{"c2pa_signed_on_unproven": day} for day in days]
    assert dates(signer().root + own.root) in [{"c2pa_signed_on": day} for day in days]


def test_of_a_claim_of_the_first_version_no_clock_is_believed(
    clock: tuple[str, Signer], tmp_path: Path
) -> None:
    """The library trusts every clock of such a claim, also one that somebody made for it."""
    data = sign(drawn(), manifest() | {"claim_version": 1}, clock=clock[0])
    said = told(data, signer().root, tmp_path)
    assert "c2pa_signed_on_unproven" in [fact.code for fact in said.facts]


def test_a_time_stamp_of_a_known_clock_outlives_the_certificate(
    clock: tuple[str, Signer], tmp_path: Path
) -> None:
    late = signer("Last Press", lasts_s=3.0)
    data = sign(drawn(), by=late, clock=clock[0])
    time.sleep(4.1)
    assert told(data, late.root + clock[1].root, tmp_path).reason.code == "provenance_intact"
    said = told(data, late.root, tmp_path)
    assert said.reason.code == "provenance_lapsed", "nobody knows this clock"
    assert "c2pa_signer_expired" in [fact.code for fact in said.facts]
