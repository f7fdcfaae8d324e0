"""JSON reports: the contract of ``haechi.report/1``."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from haechi import report as reports
from haechi.errors import DamagedFile, UsageError
from haechi.types import Claim, Evidence, Reason, Region, Verdict
from report_cases import CASES, HOSTILE_NAME, clip, nothing, photo, stated


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(reports.SCHEMA)
    return jsonschema.Draft202012Validator(reports.SCHEMA)


@pytest.mark.parametrize("lang", reports.LANGUAGES)
@pytest.mark.parametrize("case", CASES)
def test_every_report_keeps_the_schema_and_is_strict_json(case, lang, schema):
    value = reports.to_dict(CASES[case](), lang)
    schema.validate(value)
    assert json.loads(json.dumps(value, allow_nan=False)) == value


def test_the_keys_of_the_contract_are_there():
    value = reports.to_dict(clip())
    assert value["schema"] == "haechi.report/1"
    assert value["tool"]["name"] == "haechi"
    assert value["source"].keys() >= {"name", "sha256", "kind", "width_px", "height_px", "duration_s"}
    assert value["quality"].keys() >= {"min_face_px", "blur", "jpeg_quality", "issues"}
    assert value["faces"][0].keys() >= {"id", "box_xyxy", "time_s", "score"}
    keys = {"detector", "version", "status", "llr", "reason", "spans_s", "regions"}
    assert value["evidence"][0].keys() >= keys
    assert value["verdict"].keys() >= {"level", "score", "interval", "reasons"}
    assert value["models"][0].keys() >= {"name", "version", "sha256"}
    assert value["elapsed_s"] == 9.8
    assert value["evidence"][0]["regions"] == [
        {"face": 1, "time_s": 4.0, "box_xyxy": [160.0, 80.0, 400.0, 360.0], "llr": 2.0}
    ]


def test_a_face_is_shown_where_it_was_seen_best():
    face = reports.to_dict(clip())["faces"][0]
    assert (face["time_s"], face["score"], face["first_s"], face["observations"]) == (9.5, 0.9, 0.0, 20)


def test_sentences_stand_beside_their_codes():
    value = reports.to_dict(photo(), "ko")
    assert value["verdict"]["reason_codes"] == ["evidence_for", "level_strong"]
    assert len(value["verdict"]["reasons"]) == 2
    assert value["evidence"][2]["reason_code"] == "abstain_image"
    assert value["quality"]["faces"][1]["issue_codes"] == ["face_too_small"]


def test_unknown_has_no_score_even_when_one_slips_in():
    bad = replace(nothing(), verdict=Verdict("unknown", 0.5, (0.1, 0.9), (Reason("unknown_no_face"),)))
    verdict = reports.to_dict(bad)["verdict"]
    assert (verdict["score"], verdict["interval"]) == (None, None)


def test_whoever_cuts_the_score_finds_the_marks_beside_it_even_where_there_is_no_score(schema):
    for make in (photo, clip, nothing):
        verdict = reports.to_dict(make())["verdict"]
        assert verdict["thresholds"] == {"some": 0.7415, "strong": 0.9123}
    assert reports.to_dict(photo())["verdict"]["score"] >= verdict["thresholds"]["strong"]
    former = replace(photo(), verdict=replace(photo().verdict, thresholds={}))
    assert reports.to_dict(former)["verdict"]["thresholds"] is None
    schema.validate(reports.to_dict(former))
    half = {**reports.to_dict(photo()), "verdict": {**verdict, "thresholds": {"some": 0.7}}}
    with pytest.raises(jsonschema.ValidationError):
        schema.validate(half)


def test_only_scored_evidence_has_a_weight():
    failed = Evidence("swap", "1", "failed", 0.0, Reason("detector_failed", {"error": "x"}))
    assert reports.to_dict(replace(photo(), evidence=(failed,)))["evidence"][0]["llr"] is None


def test_numbers_that_json_cannot_carry_become_null(schema):
    region = Region(1, math.nan, (math.nan, 0, math.inf, 4), math.inf)
    odd = Evidence("swap", "1", "scored", math.nan, Reason("swap_scored"), ((-0.1, math.inf),), (region,))
    value = reports.to_dict(replace(photo(), evidence=(odd,), elapsed_s=math.inf))
    json.dumps(value, allow_nan=False)
    schema.validate(value)


def test_numpy_numbers_pass():
    evidence = replace(photo().evidence[0], llr=np.float32(2.5))
    assert json.dumps(reports.to_dict(replace(photo(), evidence=(evidence,))))


def test_a_hostile_name_is_kept_but_can_be_written_as_utf8(schema):
    value = reports.to_dict(photo(HOSTILE_NAME))
    json.dumps(value, ensure_ascii=False).encode("utf-8")
    assert "\n" in value["source"]["name"]
    schema.validate(value)


def test_an_unreadable_input_has_a_line_of_its_own(schema):
    value = reports.error_dict("a\udc80.jpg", DamagedFile("It is empty: get it again."))
    schema.validate(value)
    assert value["error"] == {"code": "damaged_file", "message": "It is empty: get it again."}
    assert value["source"] == {"name": "a\ufffd.jpg"}
    json.dumps(value, ensure_ascii=False).encode("utf-8")


def test_the_schema_refuses_what_the_contract_forbids(schema):
    good = reports.to_dict(photo())
    for change in (
        {"verdict": {**good["verdict"], "level": "authentic"}},
        {"verdict": {**good["verdict"], "level": "unknown"}},
        {"verdict": {**good["verdict"], "score": None}},
        {"evidence": [{**good["evidence"][2], "llr": 0.5}]},
        {"error": {"code": "x", "message": "both at once"}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            schema.validate({**good, **change})


def test_what_was_not_tested_is_always_said():
    image, video = reports.to_dict(photo()), reports.to_dict(clip())
    assert any("body" in line for line in image["not_tested"])
    assert not any("sound" in line for line in image["not_tested"])
    assert any("sound" in line for line in video["not_tested"])
    assert any("20 points in time" in line for line in video["not_tested"])
    assert any(line.startswith("Generated face.") for line in video["not_tested"])
    assert reports.to_dict(nothing())["tested"] == ["Nothing could be tested."]


def test_a_file_of_several_pictures_owns_up_to_one_only():
    one = photo()
    several = replace(one, media=replace(one.media, container={**one.media.container, "frames": 12}))
    assert any("only one of 12" in line for line in reports.to_dict(several)["not_tested"])
    assert not any("first of" in line for line in reports.to_dict(one)["not_tested"])


def test_a_claim_about_origin_takes_it_off_the_untested():
    claim = Claim("provenance", "1", Reason("provenance_none"))
    lines = reports.to_dict(replace(photo(), claims=(claim,)))["not_tested"]
    assert not any("C2PA" in line for line in lines)


def test_the_statements_of_a_claim_stand_beside_their_codes(schema):
    facts = (Reason("short_video", {"frames": 3}), Reason("no_face"))
    claim = Claim("metadata", "1", Reason("metadata_found"), facts)
    value = reports.to_dict(replace(photo(), claims=(claim,)))
    schema.validate(value)
    (told,) = value["claims"]
    assert (told["source"], told["outcome"], told["reason_code"]) == (
        "metadata",
        "answered",
        "metadata_found",
    )
    assert told["fact_codes"] == ["short_video", "no_face"]
    assert told["facts"][1] == "No face was found."
    assert all(item["facts"] == [] for item in reports.to_dict(photo())["evidence"])


def test_claims_stand_at_the_end_of_the_evidence_too_where_they_were_before_they_had_a_list(schema):
    value = reports.to_dict(stated())
    schema.validate(value)
    lines = value["evidence"][len(stated().evidence) :]
    assert [(line["detector"], line["status"]) for line in lines] == [
        ("provenance", "claim"),
        ("metadata", "claim"),
        ("known", "failed"),
    ]
    for line, claim in zip(lines, value["claims"], strict=True):
        assert (line["facts"], line["reason"], line["llr"]) == (claim["facts"], claim["reason"], None)


def test_languages_by_tag():
    assert reports.to_dict(photo(), "zh-CN")["lang"] == "zh"
    assert reports.to_dict(photo(), "ko_KR")["lang"] == "ko"
    with pytest.raises(UsageError, match="choose one of en, zh, ko"):
        reports.to_dict(photo(), "tlh")


def test_each_face_and_each_stretch_has_its_own_level():
    one, two = reports.to_dict(photo())["faces"]
    assert (one["level"], one["manipulation_score"], one["reason_codes"]) == ("strong", 0.934, [])
    assert (two["level"], two["manipulation_score"], two["reason_codes"]) == (
        "unknown",
        None,
        ["face_too_small"],
    )
    parts = reports.to_dict(clip())["segments"]
    assert [p["level"] for p in parts] == ["none", "some", "none", "none"]
    assert parts[1] == {
        "face": 1, "start_s": 2.0, "end_s": 6.0, "level": "some", "manipulation_score": 0.78,
    }  # fmt: skip
