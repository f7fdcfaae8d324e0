"""A stored report says what it said on the day it was made, in every language and format."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi.errors import DamagedFile
from haechi.report import render_html, to_dict
from haechi.report.archive import dump, load
from haechi.types import Report
from report_cases import CASES


@pytest.mark.parametrize("name", CASES)
def test_a_kept_report_reads_the_same_in_every_language(name: str) -> None:
    report = CASES[name]()
    again = load(dump(report))
    for lang in ("en", "zh", "ko"):
        assert to_dict(again, lang) == to_dict(report, lang)
    bare = replace(report, previews=())
    assert render_html(load(dump(bare)), "ko") == render_html(bare, "ko")


def test_previews_come_back_almost_as_they_were() -> None:
    report = next(r for r in (make() for make in CASES.values()) if r.previews)
    for before, after in zip(report.previews, load(dump(report)).previews, strict=True):
        assert after.rgb.shape == before.rgb.shape
        assert (after.time_s, after.scale) == (before.time_s, before.scale)
        assert np.abs(after.rgb.astype(int) - before.rgb.astype(int)).mean() < 4


def test_a_report_of_before_claims_had_a_place_of_their_own_is_read_as_one_of_today() -> None:
    report = CASES["stated"]()
    kept = json.loads(gzip.decompress(dump(report)))
    told = kept["report"]["Report"]
    for item in told.pop("claims")["tuple"]:
        claim = item["Claim"]
        status = {"answered": "claim", "failed": "failed"}[claim["outcome"]]
        line = {"detector": claim["source"], "version": "1", "status": status, "llr": None}
        more = {"spans_s": {"tuple": []}, "regions": {"tuple": []}, "series": {"tuple": []}}
        line |= {"reason": claim["reason"], "facts": claim["facts"], **more}
        told["evidence"]["tuple"].append({"Evidence": line})
    again = load(_packed(kept))
    assert again.claims == report.claims
    assert again.evidence == report.evidence


def test_no_pixels_of_a_face_are_kept() -> None:
    for make in CASES.values():
        for track in load(dump(make())).faces:
            assert track.crops.size == 0
            assert track.native == ()


def _packed(value: object) -> bytes:
    return gzip.compress(json.dumps(value).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not gzip",
        gzip.compress(b"{}"),
        _packed({"format": "haechi.kept/9", "report": {}}),
        _packed({"format": "haechi.kept/1", "report": {"Report": {}}}),
        _packed({"format": "haechi.kept/1", "report": {"Path": {"args": ["/etc/passwd"]}}}),
        _packed({"format": "haechi.kept/1", "report": {"array": ["object", [1], "AAAA"]}}),
        _packed({"format": "haechi.kept/1", "report": {"array": ["float32", [10**9, 10**9], "AAAA"]}}),
        _packed({"format": "haechi.kept/1", "report": {"preview": ["AAAA", 0, 1]}}),
        _packed({"format": "haechi.kept/1", "report": [[[]]] * 3}),
        gzip.compress(b"[" * 100_000),
        gzip.compress(bytes(65 * 1024**2), 1),
    ],
    ids=lambda data: str(len(data)),
)
def test_other_bytes_are_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(DamagedFile, match="check the file anew"):
        load(data)


@given(st.integers(0, 10_000), st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_a_changed_byte_is_noticed_or_harmless(place: int, value: int) -> None:
    data = bytearray(dump(CASES[next(iter(CASES))]()))
    data[place % len(data)] = value
    with suppress(DamagedFile):
        assert isinstance(load(bytes(data)), Report)


@pytest.mark.parametrize("name", CASES)
def test_without_its_previews_it_is_the_same_report(name: str) -> None:
    report = CASES[name]()
    bare = load(dump(report), previews=False)
    assert bare.previews == ()
    assert to_dict(bare) == to_dict(report)
