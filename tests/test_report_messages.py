"""The catalogues of sentences: complete, alike in every language, and never a clearance."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest

import haechi
from haechi.report import LANGUAGES, level_sentence
from haechi.report.messages import catalogue, say, sentence, visible, weight_code
from haechi.types import Reason, Verdict

SOURCE = Path(haechi.__file__).parent
PARAMS = {
    "face": 2,
    "ratio": 12.3,
    "detector": "swap",
    "error": "ValueError",
    "why": "face_too_blurred",
    "frames": 3,
    "min_frames": 8,
    "face_px": 20.4,
    "min_px": 40,
    "jpeg_quality": 30,
    "judged": 64,
    "found": 80,
    "threshold": 0.9123,
    "n": 2,
}
# The words of the contract (DESIGN: verdict levels and their words).
LEVELS = {
    "en": {
        "strong": "Strong signs of manipulation. This is evidence, not proof.",
        "some": "Some signs of manipulation; not conclusive.",
        "none": "No signs found. This does not show that it is genuine.",
    },
    "zh": {
        "strong": "发现明显的伪造迹象。这是线索，不是定论。",
        "some": "有可疑迹象，尚不能下结论。",
        "none": "未发现伪造迹象，但这不能证明内容为真。",
    },
    "ko": {
        "strong": "조작의 뚜렷한 흔적이 있습니다. 단서이며 확정은 아닙니다.",
        "some": "의심스러운 흔적이 있으나 결론을 내릴 수 없습니다.",
        "none": "흔적을 찾지 못했습니다. 진짜라는 뜻은 아닙니다.",
    },
}


def gaps(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_catalogues_have_the_same_keys_and_gaps(lang):
    english, other = catalogue("en"), catalogue(lang)
    assert other.keys() == english.keys()
    assert {k: gaps(v) for k, v in other.items()} == {k: gaps(v) for k, v in english.items()}
    assert all(text.strip() for text in other.values())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_key_stands_twice(lang):
    text = files("haechi.report.messages").joinpath(f"{lang}.json").read_text(encoding="utf-8")
    pairs = json.loads(text, object_pairs_hook=list)
    assert len({key for key, _ in pairs}) == len(pairs)


def test_every_reason_in_the_source_has_a_sentence():
    used = {
        (path.name, code)
        for path in SOURCE.rglob("*.py")
        for code in re.findall(r"""\bReason\(\s*["']([a-z0-9_]+)["']""", path.read_text(encoding="utf-8"))
    }
    assert used, "no reason codes found: has Reason been renamed?"
    assert {(name, code) for name, code in used if code not in catalogue("en")} == set()


def test_every_sentence_that_the_pages_ask_for_exists():
    """Literal keys given to say() and words() anywhere in the report."""
    used = {
        code
        for path in (SOURCE / "report").rglob("*.py")
        for code in re.findall(
            r"""\b(?:say|words)\(\s*["']([a-z0-9_]+)["']""", path.read_text(encoding="utf-8")
        )
    }
    assert used - catalogue("en").keys() == set()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_verdicts_use_the_words_of_the_contract(lang):
    for level, words in LEVELS[lang].items():
        assert level_sentence(Verdict(level, 0.5, None, ()), lang) == words


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", "Cannot tell, because no face was found that could be judged."),
        ("zh", "无法判断，原因：没有找到可供判断的人脸。"),
        ("ko", "판단할 수 없습니다. 이유: 판단할 수 있는 얼굴을 찾지 못했습니다."),
    ],
)
def test_unknown_tells_its_reason(lang, words):
    reasons = (Reason("faces_single", {"n": 2}), Reason("unknown_no_face"))
    assert level_sentence(Verdict("unknown", None, None, reasons), lang) == words


def test_unknown_tells_any_reason_it_is_given():
    small = Verdict("unknown", None, None, (Reason("face_too_small", {"face_px": 20, "min_px": 40}),))
    assert level_sentence(small).startswith("Cannot tell, because the face is too small to judge: 20 pixels")
    verdict = Verdict("unknown", None, None, (Reason("truncated_video"),))
    assert "breaks off" in level_sentence(verdict)
    assert level_sentence(Verdict("unknown", None, None, ())).startswith(
        "Cannot tell, because no examination"
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_sentence_can_be_filled(lang):
    for code in catalogue(lang):
        assert "{" not in say(code, lang, **PARAMS)


def test_a_ratio_is_told_in_the_direction_in_which_it_speaks():
    def told(ratio: float) -> str:
        return sentence(Reason("swap_scored", {"face": 2, "ratio": ratio}))

    assert told(12.3).endswith("12 times more common in manipulated than in genuine pictures.")
    assert told(1 / 12.3).endswith("12 times more common in genuine than in manipulated pictures.")
    assert "nothing that speaks clearly" in told(1.2)
    assert "1.8 times" in told(1.84)
    assert "nothing that speaks clearly" in told(float("nan"))


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", "clearest at the mouth"), ("zh", "嘴部最明显"), ("ko", "입 부위에서 가장 뚜렷합니다")],
)
def test_a_finding_says_where_and_how_unusual_it_is(lang, words):
    params = {"face": 1, "ratio": 12.0, "below": 97, "place": "place_mouth"}
    told = sentence(Reason("swap_scored", params), lang)
    assert words in told
    assert "97" in told
    nowhere = sentence(Reason("swap_scored", {"face": 1, "ratio": 12.0, "below": 97}), lang)
    assert words not in nowhere
    assert "97" in nowhere
    against = sentence(Reason("swap_scored", {**params, "ratio": 0.1}), lang)
    assert words not in against
    assert "97" not in against


def test_the_reader_meets_detectors_by_their_names_in_words():
    reason = Reason("evidence_for", {"detector": "swap", "face": 1, "ratio": 3})
    assert sentence(reason).startswith("Forged face: face 1")
    assert sentence(reason, "ko").startswith("위조된 얼굴")


def test_a_reason_within_a_reason_is_translated():
    reason = Reason("abstain_out_of_domain", {"why": "face_too_blurred"})
    assert sentence(reason, "zh").endswith("人脸太模糊，无法判断。")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_unknown_codes_and_missing_values_do_not_break_a_report(lang):
    assert sentence(Reason("brand_new", {"x": 1.5, "y": "z"}), lang) == "brand_new (x=1.5, y=z)"
    assert "?" in sentence(Reason("many_faces"), lang)


def test_what_comes_from_outside_cannot_hide_or_reorder_text():
    assert visible("a\n\x1b[2J\u202eb\u2028\udc80") == "a\\n\\x1b[2J\\u202eb\\u2028\\udc80"
    assert visible("사진 照片 émoji 👩‍🚀") == "사진 照片 émoji 👩‍🚀"
    assert "\x1b" not in sentence(Reason("detector_failed", {"error": "\x1b[2J{face}"}))


@pytest.mark.parametrize(
    ("llr", "code"),
    [
        (9.0, "weight_for_3"),
        (1.5, "weight_for_2"),
        (0.6, "weight_for_1"),
        (0.0, "weight_neutral"),
        (-0.6, "weight_against"),
        (None, "weight_nothing"),
        (float("nan"), "weight_nothing"),
    ],
)
def test_weights_in_words(llr, code):
    assert weight_code(llr) == code


def test_nothing_is_ever_called_authentic():
    forbidden = {"en": r"\b(authentic|real)\b", "zh": "真实的|是真的", "ko": "진짜입니다|실제입니다"}
    for lang, pattern in forbidden.items():
        for key, text in catalogue(lang).items():
            assert not re.search(pattern, text, re.IGNORECASE), (lang, key)
