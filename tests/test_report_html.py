"""The HTML report: self-contained, safe with hostile input, usable by keyboard and screen reader."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi.report import LANGUAGES, level_sentence, render_html
from haechi.report.data_uris import heat_uri
from haechi.report.facts import FigureRow, figure_rows
from haechi.report.formatting import clock
from haechi.report.messages import say
from haechi.types import Claim, ModelRef, Reason, Region
from html_page import Page
from report_cases import CASES, HOSTILE_NAME, clean, clip, nothing, photo, preview, stated

HELP = (
    "https://stopncii.org/",
    "https://takeitdown.ncmec.org/",
    "https://d4u.stop.or.kr/",
    "https://www.12377.cn/",
)


@pytest.fixture(scope="module", params=[(case, lang) for case in CASES for lang in LANGUAGES], ids=str)
def any_page(request):
    case, lang = request.param
    report = CASES[case]()
    return report, lang, Page(render_html(report, lang))


def test_it_says_the_verdict_in_the_language_asked_for(any_page):
    report, lang, page = any_page
    assert page.all("html")[0]["lang"].split("-")[0] == lang
    assert level_sentence(report.verdict, lang) in page.text
    assert report.media.sha256 in page.text


def test_it_loads_nothing_from_outside(any_page):
    _, _, page = any_page
    assert not {tag for tag, _ in page.elements} & {
        "link",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "video",
    }
    for tag, attrs in page.elements:
        assert not attrs.keys() & {"src", "srcset", "style", "action"}, tag
        assert not [name for name in attrs if name.startswith("on")], tag
        address = attrs.get("href") or "#"
        assert address.startswith(("#", "data:image/")) or (tag == "a" and address in HELP), address
    assert "url(" not in page.inside["style"]
    assert "@import" not in page.inside["style"]
    assert "fetch" not in page.inside["script"]


def test_its_policy_allows_just_its_own_style_and_script(any_page):
    _, _, page = any_page
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.inside[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy


def test_a_screen_reader_finds_its_way(any_page):
    _, _, page = any_page
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    tags = [tag for tag, _ in page.elements]
    assert tags.count("h1") == tags.count("main") == tags.count("header") == tags.count("footer") == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for tag, attrs in page.elements:
        if "aria-labelledby" in attrs:
            assert attrs["aria-labelledby"] in ids
        if (attrs.get("href") or "").startswith("#"):
            assert attrs["href"][1:] in ids
        if tag == "th":
            assert attrs["scope"] in ("col", "row")
        if tag == "svg":
            assert attrs.get("aria-hidden") == "true" or (
                attrs["role"] == "img" and attrs["aria-label"].strip()
            )


def test_there_is_no_headline_percentage(any_page):
    _, _, page = any_page
    before_details = page.text.split("SHA-256", maxsplit=1)[0]
    assert not re.search(r"\d\s*%", before_details.replace("90%", "").replace("95%", ""))


def test_a_hostile_name_stays_text():
    text = render_html(photo(HOSTILE_NAME))
    page = Page(text)
    assert "alert(1)" not in page.inside["script"]
    assert len(page.all("script")) == 1
    assert "a<script>alert(1)</script>\\n" in page.text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b]", text)
    text.encode("utf-8")


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=40))
def test_no_name_breaks_the_page(name):
    page = Page(render_html(nothing_called(name)))
    assert len(page.all("script")) == 1
    assert len(page.all("h1")) == 1


def nothing_called(name):
    report = nothing()
    return replace(report, media=replace(report.media, name=name, container={name: name}))


def test_the_picture_is_there_with_frames_and_heat_map_to_switch():
    text = render_html(photo())
    page = Page(text)
    images = page.all("image")
    jpeg = base64.b64decode(images[0]["href"].split(",")[1])
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (240, 320, 3)
    # The heat map lies where its region is, in pixels of the preview (half of the source's).
    assert [images[1][key] for key in ("x", "y", "width", "height")] == ["80", "40", "120", "140"]
    boxes = [a for a in page.all("rect") if a.get("class") == "line"]
    assert [boxes[0][key] for key in ("x", "y", "width", "height")] == ["100", "60", "80", "100"]
    switches = {a["id"]: "checked" in a for a in page.all("input") if a["type"] == "checkbox"}
    assert switches == {"unveil": False, "boxes": True, "heat-0": True}
    alt = next(a["aria-label"] for a in page.all("svg") if a.get("role") == "img")
    assert "Face 1 in the middle: signs of manipulation." in alt
    assert "Face 2 at the upper right: no signs of manipulation, or not judged." in alt


def test_a_heat_map_without_evidence_is_off_at_first():
    report = photo()
    item = replace(report.evidence[0], llr=-1.0)
    page = Page(render_html(replace(report, evidence=(item,))))
    assert "checked" not in next(a for a in page.all("input") if a["id"] == "heat-0")


def test_what_the_file_says_of_itself_has_a_section_of_its_own_with_the_caveat():
    hostile = Reason("detector_failed", {"error": HOSTILE_NAME})
    claim = Claim("metadata", "1", Reason("metadata_found"), (hostile, Reason("no_face")))
    text = render_html(replace(photo(), claims=(claim,)))
    page = Page(text)
    assert "claims" in [attrs.get("id") for attrs in page.all("section")]
    assert "not weighed" in page.text
    assert "No face was found." in page.text
    assert "<script>alert" not in text
    assert "claims" not in [attrs.get("id") for attrs in Page(render_html(photo())).all("section")]


def test_what_must_not_be_missed_stands_beside_the_verdict():
    for code, words in (
        ("provenance_altered", "changed after it was signed; see below"),
        ("known_match", "on a list that was loaded; see below"),
    ):
        claim = Claim("known", "1", Reason(code, {"n": 3}))
        assert words in Page(render_html(replace(photo(), claims=(claim,)))).text
        failed = replace(claim, outcome="failed")
        assert words not in Page(render_html(replace(photo(), claims=(failed,)))).text


def test_what_the_file_says_of_ai_is_a_headline_of_its_own_under_the_verdict_and_the_words_are_folded():
    text = render_html(stated())
    verdict, _, rest = text.partition('id="picture"')
    assert (
        '<div class="own-words"><p>This file says of itself that it was made with an image generator.'
        in verdict
    )
    assert "it was not weighed in the verdict" in verdict
    assert 'href="#claims"' in verdict
    assert "No signs found" in verdict
    words = "<summary>The text in these settings</summary><p>a lighthouse keeper, oil &lt;b&gt;</p></details>"
    assert words in rest.partition('id="claims"')[2]
    assert "lighthouse" not in verdict
    assert '<details class="words">' in rest
    assert "details:not([open]):not(.words)" in text, "printing does not unfold words that may name a person"
    assert 'own-words"><p>' not in render_html(clean())


def test_a_video_has_its_evidence_over_time_and_its_frames_to_choose_from():
    page = Page(render_html(clip()))
    links = [a for a in page.all("a") if (a.get("href") or "").startswith("#frame-")]
    assert [a["data-x"] for a in links] == ["0", "400", "950"]
    assert ["data-strongest" in a for a in links] == [False, True, False]
    charts = [a["aria-label"] for a in page.all("svg") if a.get("viewbox") == "0 0 1000 200"]
    assert charts == [
        "Forged face: strongest at 0:03.0 (for manipulation). Conspicuous: 0:03.0–0:06.0",
        "Forged face: strongest at 0:00.0 (against manipulation). No conspicuous stretch.",
    ]
    # Faces are framed by what was found at that moment.
    assert sum(a.get("class") == "for" for a in page.all("g")) == 1
    assert "timeline" not in [a.get("id") for a in Page(render_html(photo())).all("section")]


def test_a_report_without_pictures_says_so():
    page = Page(render_html(nothing()))
    assert "No picture is kept in this report." in page.text
    assert not page.all("image")


def test_a_figure_that_was_not_measured_is_a_dash():
    (row,) = figure_rows({"auc": {"value": None, "what": "windows too small"}}, "en")
    assert row.value == "–"


def test_error_rates_of_the_models_are_shown_however_they_are_nested():
    rows = list(
        figure_rows({"a": {"auc": {"value": 0.5, "low": 0.4, "high": 0.6, "what": "x<y"}}, "n": 3}, "en")
    )
    assert rows[0].name.startswith("a · Area under the ROC curve")
    assert (rows[0].value, rows[0].interval, rows[0].remark) == ("0.5", "0.4–0.6", "x<y")
    assert rows[1] == FigureRow("n", "3")


def test_strange_numbers_do_not_break_the_page():
    report = photo()
    nan = float("nan")
    odd = Region(1, 0.0, (nan, 0.0, float("inf"), nan), nan, np.full((3, 5), nan, np.float32))
    item = replace(report.evidence[0], regions=(odd,), llr=nan)
    models = (ModelRef("swap", "1", "00" * 32, {"auc": nan, "list": [1, 2], "none": None}),)
    page = Page(render_html(replace(report, evidence=(item,), models=models)))
    assert not [v for _, attrs in page.elements for v in attrs.values() if v in ("nan", "inf")]


def test_many_faces_stay_readable():
    report = clip()
    crowd = tuple(replace(report.faces[0], track_id=i) for i in range(1, 41))
    series = tuple(replace(report.evidence[0].series[0], track_id=i) for i in range(1, 41))
    item = replace(report.evidence[0], series=series)
    page = Page(render_html(replace(report, faces=crowd, evidence=(item,))))
    assert "Faces not drawn here: 34." in page.text


def test_a_preview_of_one_pixel():
    tiny = replace(preview(), rgb=np.zeros((1, 1, 3), np.uint8))
    Page(render_html(replace(photo(), previews=(tiny,))))


def test_heat_is_clear_where_nothing_was_found():
    heat = np.zeros((28, 28), np.float32)
    heat[20:, :] = 1.0
    png = base64.b64decode(heat_uri(heat).split(",")[1])
    bgra = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert bgra.shape == (112, 112, 4)
    assert bgra[:60, :, 3].max() == 0
    assert bgra[-10:, :, 3].min() > 200


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0.0, "0:00.0"), (3.24, "0:03.2"), (59.96, "1:00.0"), (3723.5, "1:02:03.5"), (-1.0, "0:00.0")],
)
def test_times(time_s, text):
    assert clock(time_s) == text


@pytest.mark.parametrize("make", [photo, clean, clip], ids=lambda make: make.__name__)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_saved_picture_is_blurred_until_it_is_asked_for(make, lang):
    text = render_html(make(), lang)
    page = Page(text)
    boxes = [attrs for attrs in page.all("input") if attrs.get("id") == "unveil"]
    assert len(boxes) == 1
    assert "checked" not in boxes[0]
    assert boxes[0]["autocomplete"] == "off", "a page that is opened again must not remember the choice"
    assert say("ui_veil_show_video" if make is clip else "ui_veil_show", lang) in page.text
    style = page.inside["style"]
    # A rule without conditions: a browser that does not know :has() shows no picture, not every one.
    assert re.search(r"(?m)^\.stage > svg, \.thumbs svg \{ filter: blur\(", style)
    assert "main:has(#unveil:checked) :is(.stage > svg, .thumbs svg) { filter: none;" in style
    assert "unveil" not in page.inside["script"]


def test_a_report_without_a_picture_has_nothing_to_unveil():
    assert 'id="unveil"' not in render_html(nothing())
