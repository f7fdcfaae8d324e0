"""REST as a program meets it: send, wait, fetch, delete, and every error a problem."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import jsonschema
import numpy as np
import pytest
from sites import FAKE, Site, Slow, Start, problem

from haechi import report as reports
from haechi.errors import ModelError
from haechi.pipeline import Pipeline
from haechi.report import archive
from haechi.settings import Settings
from haechi.types import Preview, Report
from report_cases import photo


def test_a_file_is_sent_and_its_report_fetched(site: Site) -> None:
    sent = site.send(site.picture("strong"), "me.png")
    assert sent.status_code == 202
    address = sent.headers["location"]
    assert address == f"/v1/checks/{sent.json()['id']}"
    assert set(sent.json()) == {"id", "status", "stage", "part", "ahead"}
    got = site.ended(address)
    assert got.status_code == 200
    jsonschema.validate(got.json(), reports.SCHEMA)
    assert got.json()["source"]["name"] == "me.png"
    assert got.json()["verdict"]["level"] == "strong"
    assert got.headers["cache-control"] == "no-store"


def test_with_prefer_wait_the_report_is_the_answer(site: Site) -> None:
    got = site.send(site.picture("some"), headers={"Prefer": "respond-async, wait=20"})
    assert got.status_code == 200
    assert got.headers["preference-applied"] == "wait=20"
    assert got.headers["location"].startswith("/v1/checks/")
    assert got.json()["verdict"]["level"] == "some"


def test_a_wait_that_is_too_short_is_answered_with_the_progress(start: Start, slow: type[Slow]) -> None:
    site = start(slow)
    got = site.send(site.picture("none"), headers={"Prefer": "wait=1"})
    assert got.status_code == 202
    assert got.headers["preference-applied"] == "wait=1"
    second = site.send(site.picture("none"))
    assert second.json()["ahead"] == 1
    now = site.client.get(got.headers["location"])
    assert now.status_code == 202
    assert now.headers["retry-after"] == "1"
    assert now.json() == {**now.json(), "status": "running", "stage": "faces", "part": 0.5, "ahead": 0}
    slow.go.set()
    assert site.ended(second.headers["location"]).status_code == 200


def test_a_file_that_cannot_be_read_ends_in_its_problem(site: Site) -> None:
    sent = site.send(b"no picture at all, only words", "words.jpg")
    told = problem(site.ended(sent.headers["location"]), 422, "unknown_format")
    assert told["instance"] == sent.headers["location"]
    at_once = site.send(b"", headers={"Prefer": "wait=20"})
    problem(at_once, 422, "damaged_file")
    assert at_once.headers["location"]
    for part in ("heatmap.png", "report.html", "report.pdf", "report.haechi"):
        problem(site.client.get(f"{sent.headers['location']}/{part}"), 422, "unknown_format")


def test_a_breakdown_gives_no_verdict_and_tells_nothing(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    got = site.send(site.picture("breakdown"), "secret-name.png", headers={"Prefer": "wait=20"})
    told = problem(got, 500, "internal")
    assert "secret" not in json.dumps(told)
    assert "ZeroDivisionError" in caplog.text
    assert "secret-name" not in caplog.text
    # The worker lives on.
    assert site.send(site.picture("none"), headers={"Prefer": "wait=20"}).status_code == 200


@pytest.mark.parametrize(
    ("query", "header", "lang"),
    [
        ("", "", "en"),
        ("?lang=ko", "zh", "ko"),
        ("?lang=zh-CN", "", "zh"),
        ("", "fr, ko;q=0.8, en;q=0.5", "ko"),
        ("", "zh-Hans-CN,en;q=0.9", "zh"),
        ("", "fr, *;q=0.1", "en"),
    ],
)
def test_the_language_of_the_sentences(site: Site, query: str, header: str, lang: str) -> None:
    sent = site.send(site.picture("none"), headers={"Prefer": "wait=20"})
    got = site.client.get(sent.headers["location"] + query, headers={"Accept-Language": header})
    assert got.json()["lang"] == lang
    assert got.headers["content-language"] == lang


def test_a_language_that_there_is_not(site: Site) -> None:
    sent = site.send(site.picture("none"), headers={"Prefer": "wait=20"})
    problem(site.client.get(sent.headers["location"] + "?lang=tlh"), 422, "invalid")
    problem(site.send(site.picture("none"), params={"lang": "tlh"}), 422, "invalid")


def test_the_report_as_a_page_and_as_it_is_kept(site: Site) -> None:
    address = site.send(site.picture("strong"), headers={"Prefer": "wait=20"}).headers["location"]
    page = site.client.get(f"{address}/report.html?lang=ko")
    assert page.headers["content-type"].startswith("text/html")
    assert '<html lang="ko">' in page.text
    policy = page.headers["content-security-policy"]
    assert "sha256-" in policy
    assert "unsafe" not in policy
    kept = site.client.get(f"{address}/report.haechi")
    assert kept.headers["content-type"] == archive.MEDIA_TYPE
    assert archive.load(kept.content).verdict.level == "strong"


def test_the_heat_map_lies_over_the_preview(start: Start) -> None:
    class Judge:
        def __init__(self, settings: Settings) -> None:
            self.report = photo()

        def check(self, source: Any, progress: Any = None, **_: Any) -> Report:
            return self.report

    site = start(Judge)
    address = site.send(site.picture("none"), headers={"Prefer": "wait=20"}).headers["location"]
    got = site.client.get(f"{address}/heatmap.png")
    assert got.headers["content-type"] == "image/png"
    rgba = cv2.imdecode(np.frombuffer(got.content, np.uint8), cv2.IMREAD_UNCHANGED)
    sizes = {p.rgb.shape[:2] for p in photo().previews}
    assert rgba.shape[:2] in sizes
    assert rgba[..., 3].max() > 0
    assert (rgba[..., 3] == 0).any()


def test_without_a_marked_place_there_is_no_heat_map(site: Site) -> None:
    address = site.send(site.picture("none"), headers={"Prefer": "wait=20"}).headers["location"]
    problem(site.client.get(f"{address}/heatmap.png"), 404, "no_heatmap")


def test_pdf_where_it_can_be_made_and_where_not(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    address = site.send(site.picture("none"), headers={"Prefer": "wait=20"}).headers["location"]
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    problem(site.client.get(f"{address}/report.pdf"), 501, "no_pdf")

    class Html:
        def __init__(self, string: str, url_fetcher: Any) -> None:
            with pytest.raises(ValueError, match="nothing is fetched"):
                url_fetcher("http://example.org/x.png")
            self.string = string

        def write_pdf(self, stylesheets: list[str]) -> bytes:
            return b"%PDF " + self.string.encode()

    fake = types.ModuleType("weasyprint")
    fake.HTML = Html  # type: ignore[attr-defined]
    fake.CSS = lambda string, url_fetcher: string  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "weasyprint", fake)
    got = site.client.get(f"{address}/report.pdf")
    assert got.headers["content-type"] == "application/pdf"
    assert got.content.startswith(b"%PDF <!doctype html>")
    # WeasyPrint draws nothing that lies elsewhere in the page.
    assert b"<use " not in got.content
    assert got.content.count(b"data:image/jpeg") == 3  # the store, with marks, without
    problem(site.client.get(f"{address}/report.pdf?pictures=sharp"), 422, "invalid")


@pytest.mark.parametrize("query", ["", "?pictures=clear"])
def test_on_paper_nobody_is_shown_unasked(site: Site, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    """Nothing can be uncovered there."""
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    drawn: list[str] = []
    monkeypatch.setattr("haechi.web.api.pdf", lambda html: drawn.append(html) or b"%PDF")
    monkeypatch.setattr(
        "haechi.web.api.done", lambda *_: replace(photo(), previews=(Preview(noise, 0.0, 1.0),))
    )
    site.client.get(f"/v1/checks/any/report.pdf{query}")
    coded = re.search(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", drawn[0])
    assert coded is not None
    shown = cv2.imdecode(np.frombuffer(base64.b64decode(coded[1]), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert (shown.std() > 20) == bool(query)


def test_deleting_leaves_nothing_behind(site: Site) -> None:
    sent = site.send(site.picture("strong"), "private-name.png", headers={"Prefer": "wait=20"})
    address = sent.headers["location"]
    soon = time.monotonic() + 5
    while list((site.folder / "uploads").iterdir()):
        assert time.monotonic() < soon, "the original is still there"
    assert any(b"private-name" in file.read_bytes() for file in site.folder.glob("haechi.db*"))
    assert site.client.delete(address).status_code == 204
    problem(site.client.get(address), 404, "not_found")
    problem(site.client.delete(address), 404, "not_found")
    assert not any(b"private-name" in file.read_bytes() for file in site.folder.glob("haechi.db*"))


def test_deleting_breaks_off_what_runs(start: Start, slow: type[Slow]) -> None:
    site = start(slow)
    address = site.send(site.picture("strong")).headers["location"]
    assert slow.begun.wait(10)
    assert site.client.delete(address).status_code == 204
    assert not list((site.folder / "uploads").iterdir())
    slow.go.set()
    assert site.send(site.picture("none"), headers={"Prefer": "wait=20"}).status_code == 200
    assert site.client.get(address).status_code == 404


def test_results_expire(start: Start) -> None:
    site = start(keep_s=1.0)
    address = site.send(site.picture("strong"), headers={"Prefer": "wait=20"}).headers["location"]
    assert site.client.get(address).status_code == 200
    threading.Event().wait(1.1)
    problem(site.client.get(address), 404, "not_found")
    assert site.jobs.sweep() == 1
    assert site.jobs.archived_report(address.rpartition("/")[2]) is None


def test_the_full_queue_answers_429_and_loses_nothing(start: Start, slow: type[Slow]) -> None:
    site = start(slow, queue=2)
    addresses = [site.send(site.picture("none")).headers["location"]]
    assert slow.begun.wait(10)
    addresses += [site.send(site.picture("none")).headers["location"] for _ in range(2)]
    full = site.send(site.picture("none"))
    problem(full, 429, "queue_full")
    assert int(full.headers["retry-after"]) > 0
    slow.go.set()
    assert [site.ended(a).status_code for a in addresses] == [200, 200, 200]


def test_the_rate_limit_answers_429(start: Start) -> None:
    site = start(rate_per_min=20)
    answers = [site.send(site.picture("none")) for _ in range(4)]
    assert [a.status_code for a in answers] == [202, 202, 429, 429]
    problem(answers[-1], 429, "rate_limited")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 3


def test_addresses_and_methods_that_there_are_not(site: Site) -> None:
    problem(site.client.get("/v1/nothing"), 404, "not_found")
    problem(site.client.get("/v1/checks/none-such"), 404, "not_found")
    wrong = site.client.put("/v1/checks")
    problem(wrong, 405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"


def test_models_health_and_metrics(site: Site) -> None:
    cards = site.client.get("/v1/models").json()["models"]
    assert {"faces", "swap", "verdict"} <= {card["name"] for card in cards}
    assert site.client.get("/healthz").json() == {"status": "ok"}
    site.send(site.picture("strong"), "hidden-name.png", headers={"Prefer": "wait=20"})
    assert site.client.get("/readyz").json() == {"status": "ready"}
    got = site.client.get("/metrics")
    assert got.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = got.text.splitlines()
    assert 'haechi_checks_total{outcome="strong"} 1' in lines
    assert 'haechi_http_responses_total{method="POST",status="200"} 1' in lines
    assert 'haechi_jobs{status="done"} 1' in lines
    assert "haechi_ready 1" in lines
    assert 'haechi_check_seconds_bucket{le="+Inf"} 1' in lines
    assert "hidden" not in got.text


def test_not_ready_while_a_model_is_missing_and_ready_after_the_repair(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haechi.web.jobs.worker._REPAIR_S", 0.05)
    broken = threading.Event()
    broken.set()

    def make(settings: Settings) -> Pipeline:
        if broken.is_set():
            raise ModelError("The model 'swap' is missing. Reinstall it.")
        return FAKE(settings)

    site = start(make)
    for _ in range(100):
        answer = site.client.get("/readyz")
        if answer.json()["code"] == "model":
            break
        threading.Event().wait(0.01)
    problem(answer, 503, "model")
    problem(site.send(site.picture("none")), 503, "model")
    broken.clear()
    for _ in range(300):
        if site.client.get("/readyz").status_code == 200:
            break
        threading.Event().wait(0.01)
    assert site.send(site.picture("none"), headers={"Prefer": "wait=20"}).status_code == 200


def test_not_ready_when_a_model_was_altered_on_the_disk(start: Start, tmp_path: Path) -> None:
    import shutil

    from haechi import models

    copies = tmp_path / "models"
    copies.mkdir()
    for file in models.folder(Settings()).glob("*"):
        if file.suffix in (".json", ".onnx"):
            shutil.copy(file, copies)
    site = start(settings=Settings(models_dir=str(copies)))
    site.send(site.picture("none"), headers={"Prefer": "wait=20"})
    assert site.client.get("/readyz").status_code == 200
    with (copies / "swap.onnx").open("ab") as file:
        file.write(b"x")
    problem(site.client.get("/readyz"), 503, "model")


def test_an_altered_model_during_a_check_gives_no_verdict(start: Start) -> None:
    class Judge:
        def __init__(self, settings: Settings) -> None:
            self.inner = FAKE(settings)

        def check(self, source: Any, progress: Any = None, **more: Any) -> Report:
            if isinstance(source, Path):
                raise ModelError("The model 'swap' differs from its card. Reinstall it.")
            return self.inner.check(source, progress, **more)

    site = start(Judge)
    problem(site.send(site.picture("none"), headers={"Prefer": "wait=20"}), 503, "model")


def test_reports_of_the_shipped_networks(start: Start, astronaut: Path, shipped: Settings) -> None:
    site = start(Pipeline, settings=replace(shipped))
    data = astronaut.read_bytes()
    got = site.send(data, "astronaut.jpg", headers={"Prefer": "wait=60"})
    assert got.status_code == 200
    told = got.json()
    assert len(told["faces"]) == 1
    page = site.client.get(got.headers["location"] + "/report.html").text
    assert "data:image/jpeg" in page
