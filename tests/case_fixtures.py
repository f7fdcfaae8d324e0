"""Cases for the tests of ``haechi.case``, here and in the lab: small, with a passphrase quick to open."""

from __future__ import annotations

from pathlib import Path

import pytest

from haechi.case import Case, encryption

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand times less work for each guess at the passphrase, and for each test."""
    monkeypatch.setattr(encryption, "COST", 2**4)


@pytest.fixture(params=["open", "encrypted"])
def passphrase(request: pytest.FixtureRequest) -> str | None:
    if request.param == "open":
        return None
    pytest.importorskip("cryptography")
    return PASSPHRASE


@pytest.fixture
def case(tmp_path: Path, passphrase: str | None, astronaut: Path) -> Case:
    """A case with a picture and a text."""
    made = Case.create(tmp_path / "case", "The pictures", passphrase)
    made.add(astronaut, address="https://example.org/post/1", note="seen on Monday")
    made.add(b"they wrote: pay or else", name="threat.txt")
    return made
