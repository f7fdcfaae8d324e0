"""For all tests: no network, no settings of whoever runs them, and the models when they are there."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import hypothesis
import pytest

from haechi import models
from haechi.settings import Settings

ROOT = Path(__file__).parent
OFFLINE = ROOT / "tests" / "offline"


# Neither a busy machine nor the luck of the draw may fail a test.
hypothesis.settings.register_profile("haechi", deadline=None, derandomize=True)
# Long, by hand: pytest --hypothesis-profile many
hypothesis.settings.register_profile("many", deadline=None, derandomize=True, max_examples=10_000)
hypothesis.settings.load_profile("haechi")


def pytest_configure() -> None:
    runpy.run_path(str(OFFLINE / "sitecustomize.py"))
    inherited = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = f"{OFFLINE}{os.pathsep}{inherited}" if inherited else str(OFFLINE)
    for name in [name for name in os.environ if name.startswith("HAECHI_")]:
        del os.environ[name]


@pytest.fixture(scope="session")
def shipped() -> Settings:
    """Settings with the shipped models."""
    return Settings()


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """A photograph with one face, NASA's portrait of Eileen Collins."""
    return ROOT / "samples" / "astronaut.jpg"


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The detectors' stand-in models in place of the shipped ones."""
    from standins import CARDS

    monkeypatch.setattr(models, "load", lambda name, settings: CARDS[name])
