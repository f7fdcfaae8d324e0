"""The seal of a case tied to a time by somebody else, and kept apart: RFC 3161 stamps of a time-stamp
authority that ``openssl`` plays here, and QR codes."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from haechi.case import Case, anchor, qr
from haechi.case.der import sorted_certificates
from haechi.cli import app
from haechi.errors import CaseError, UsageError

CONFIG = """
[req]
distinguished_name=name
[name]
[root]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign
[stamps]
extendedKeyUsage=critical,timeStamping
keyUsage=critical,digitalSignature
[letters]
extendedKeyUsage=critical,emailProtection
[tsa]
serial={0}/serial
signer_cert={0}/tsa.pem
signer_key={0}/tsa.key
certs={0}/root.pem
default_policy=1.2.3.4
signer_digest=sha256
digests=sha256
"""
Answer = Callable[[Path], Path]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a root, a certificate for time stamps and the keys."""
    pytest.importorskip("rfc3161_client")
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    home = tmp_path_factory.mktemp("tsa")
    (home / "openssl.cnf").write_text(CONFIG.format(home))
    (home / "serial").write_text("01\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "openssl.cnf"]
    openssl(home, "req", "-x509", *key, "-keyout", "root.key", "-out", "root.pem", "-extensions", "root",
            "-subj", "/CN=A root")  # fmt: skip
    openssl(home, "req", *key, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=Stamps of a test")
    openssl(home, "x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key",
    "-CAcreateserial",
            "-out", "tsa.pem", "-extfile", "openssl.cnf", "-extensions", "stamps")  # fmt: skip
    return home


def openssl(home: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=home, check=True, capture_output=True)


@pytest.fixture
def stamped(authority: Path) -> Answer:
    """Answers a request."""

    def answer(request: Path) -> Path:
        out = request.with_suffix(".tsr")
        openssl(authority, "ts", "-reply", "-queryfile", str(request), "-config", "openssl.cnf", "-section",
                "tsa", "-out", str(out))  # fmt: skip
        return out

    return answer


def run(*args: object) -> Result:
    return CliRunner().invoke(app, ["case", *map(str, args)])


def test_from_the_request_to_the_stamp(case: Case, tmp_path: Path, authority: Path, stamped: Answer) -> None:
    asked = tmp_path / "head.tsq"
    done = run("anchor", case.folder, "--request", asked)
    assert done.exit_code == 0
    assert "Haechi sends nothing" in done.stdout
    answer, root = stamped(asked), authority / "root.pem"
    done = run("anchor", case.folder, "--answer", answer, "--request", asked, "--roots", root)
    assert done.exit_code == 0, done.output
    assert "the seal of line 3 of 3 existed on 20" in done.stdout
    assert "It was signed by CN=Stamps of a test. The signature holds" in done.stdout
    assert "was not compared" not in done.stdout
    # Any other tool says the same of the seal.
    openssl(tmp_path, "ts", "-verify", "-digest", case.head, "-in", str(answer), "-CAfile", str(root))
    case.add(b"more")
    again = run("anchor", case.folder, "--answer", answer)
    assert "line 3 of 4" in again.stdout
    assert "That was not verified" in again.stdout
    assert "was not compared" in again.stdout


def test_what_does_not_hold_is_refused(case: Case, tmp_path: Path, authority: Path, stamped: Answer) -> None:
    asked = tmp_path / "head.tsq"
    run("anchor", case.folder, "--request", asked)
    answer = stamped(asked)
    run("anchor", case.folder, "--request", tmp_path / "second.tsq")
    other = run("anchor", case.folder, "--answer", answer, "--request", tmp_path / "second.tsq")
    assert (other.exit_code, "does not answer that request" in other.stderr) == (6, True)
    openssl(tmp_path, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "k", "-out", "wrong.pem", "-subj", "/CN=A root", "-config",
            str(authority / "openssl.cnf"), "-extensions", "root")  # fmt: skip
    wrong = run("anchor", case.folder, "--answer", answer, "--roots", tmp_path / "wrong.pem")
    assert (wrong.exit_code, "lead to none of those" in wrong.stderr) == (6, True)
    assert run("anchor", case.folder, "--answer", answer, "--roots", asked).exit_code == 2
    assert run("anchor", case.folder, "--answer", asked).exit_code == 6
    assert run("anchor", case.folder, "--answer", tmp_path / "none").exit_code == 3
    assert run("anchor", case.folder).exit_code == 2
    assert run("anchor", case.folder, "--request", asked).exit_code == 2
    elsewhere = Case.create(tmp_path / "elsewhere", "t")
    done = run("anchor", elsewhere.folder, "--answer", answer)
    assert (done.exit_code, "belongs to no line" in done.stdout) == (6, True)
    (case.folder / "extra").write_text("x")
    assert run("anchor", case.folder, "--answer", answer, "--roots", authority / "root.pem").exit_code == 6
    assert run("anchor", case.folder, "--request", tmp_path / "third.tsq").exit_code == 6
    assert not (tmp_path / "third.tsq").exists()


def test_no_changed_byte_of_an_answer_passes_for_another_time_or_seal(
    case: Case, tmp_path: Path, authority: Path, stamped: Answer
) -> None:
    asked, roots = tmp_path / "head.tsq", (authority / "root.pem").read_bytes()
    run("anchor", case.folder, "--request", asked)
    answer = stamped(asked).read_bytes()
    good = anchor.read(answer, asked.read_bytes(), roots)
    rng, refused = random.Random(3), 0
    for _ in range(300):
        data = bytearray(answer)
        data[rng.randrange(len(data))] ^= rng.randrange(1, 256)
        try:
            stamp = anchor.read(bytes(data), asked.read_bytes(), roots)
        except CaseError:
            refused += 1
            continue
        assert (stamp.head, stamp.time, stamp.verified) == (good.head, good.time, True)
    assert refused > 150
    # A version of certificates and a kind of text that there is not: each library has an error of its own.
    for part, odd in (("a003020102", "a003020146"), ("0603550403" + "0c", "0603550403" + "e8")):
        data = answer.replace(bytes.fromhex(part), bytes.fromhex(odd))
        assert data != answer
        with pytest.raises(CaseError):
            anchor.read(data, asked.read_bytes(), roots)


def test_a_certificate_for_letters_stamps_nothing(
    case: Case, tmp_path: Path, authority: Path, stamped: Answer
) -> None:
    """openssl would not sign with it, so the purpose is changed in the answer's certificate's own root."""
    asked = tmp_path / "head.tsq"
    run("anchor", case.folder, "--request", asked)
    answer = stamped(asked).read_bytes()
    stamping, letters = bytes.fromhex("2b06010505070308"), bytes.fromhex("2b06010505070304")
    assert stamping in answer
    with pytest.raises(CaseError):
        anchor.read(answer.replace(stamping, letters), None, (authority / "root.pem").read_bytes())


def test_a_refusal_and_rubbish_are_told() -> None:
    pytest.importorskip("rfc3161_client")
    with pytest.raises(CaseError, match="refused the request"):
        anchor.read(bytes.fromhex("30053003020102"))
    for data in (b"", b"x" * 100, bytes.fromhex("3080"), b"\x30" * 50):
        with pytest.raises(CaseError):
            anchor.read(data)


@given(st.binary(max_size=60) | st.lists(st.sampled_from([0x30, 0xA0, 2, 4, 0x82]), max_size=30).map(bytes))
def test_any_bytes_are_sorted_or_refused(data: bytes) -> None:
    with suppress(ValueError):
        assert sorted(sorted_certificates(data)) == sorted(data)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_seal_as_a_code(case: Case, tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("segno")
    out = tmp_path / f"head{suffix}"
    done = run("head", case.folder, "--out", out)
    assert (done.exit_code, case.head in done.stdout) == (0, True)
    if suffix == ".png":
        read = cv2.QRCodeDetectorAruco().detectAndDecode(np.asarray(cv2.imread(str(out))))[0]
        assert read.lower() == case.head
        assert case.verify(read).noted == 3
    else:
        assert "<svg" in out.read_text()


def test_the_seal_in_a_terminal(case: Case) -> None:
    pytest.importorskip("segno")
    plain = run("head", case.folder, "--qr").stdout
    assert "█▀" in plain
    assert "\x1b" not in plain
    assert "\x1b[97;40m" in qr.drawn(case.head, coloured=True)
    with pytest.raises(UsageError, match="png"):
        qr.image(case.head, ".gif")
