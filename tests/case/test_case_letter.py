"""Letters: complete in three languages, with hashes and addresses, without anything private."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from haechi.case import COUNTRIES, KINDS, Case
from haechi.case.letter import _texts, country_of
from haechi.case.words import catalogue, say
from haechi.errors import UsageError
from haechi.settings import LANGUAGES

GAP = re.compile(r"\{(\w+)\}")
HANGUL, HAN = re.compile(r"[가-힣]"), re.compile(r"[一-鿿]")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_letter_is_whole(case: Case, lang: str) -> None:
    picture = case.entries()[0]
    for kind, country, intimate in product(KINDS, ["", *COUNTRIES, "DE", "JP"], (False, True)):
        draft = case.letter([1], kind, lang, country, intimate=intimate)
        text = draft.text
        assert picture.sha256 in text
        assert picture.fingerprints.pdq in text
        assert picture.address in text
        assert not GAP.search(text)
        # Neither the file's name nor the note goes out.
        assert "astronaut" not in text
        assert "Monday" not in text
        if kind in ("police", "lawyer"):
            assert case.head in text


def test_no_language_lacks_what_another_has() -> None:
    letters = {lang: _texts(lang) for lang in LANGUAGES}
    for lang in LANGUAGES:
        for kind in KINDS:
            gaps = [sorted(GAP.findall(" ".join(letters[of][kind]))) for of in (lang, "en")]
            assert gaps[0] == gaps[1], (lang, kind)
        parts = {k: sorted(GAP.findall(v)) for k, v in letters[lang]["parts"].items()}
        assert parts == {k: sorted(GAP.findall(v)) for k, v in letters["en"]["parts"].items()}
        words = {k: sorted(GAP.findall(v)) for k, v in catalogue(lang).items()}
        assert words == {k: sorted(GAP.findall(v)) for k, v in catalogue("en").items()}


def test_each_language_is_written_in_its_own_script() -> None:
    for line in _texts("ko")["platform"] + list(catalogue("ko").values()):
        assert not HAN.search(line), line
    for line in _texts("zh")["platform"] + list(catalogue("zh").values()):
        assert not HANGUL.search(line), line
    for line in catalogue("en").values():
        assert not HANGUL.search(line)
        assert not HAN.search(line)


def test_the_laws_are_those_of_the_country(case: Case) -> None:
    named = {
        ("KR", "ko", "platform"): ["제44조의2", "제44조의7", "전기통신사업법 제22조의5", "제14조의2"],
        ("CN", "zh", "platform"): ["第一千零一十九条", "深度合成管理规定", "个人信息保护法"],
        ("US", "en", "platform"): ["TAKE IT DOWN Act", "48 hours", "17 U.S.C. § 512(c)(3)"],
        ("EU", "en", "platform"): ["2022/2065, Article 16", "2016/679, Article 17"],
        ("UK", "en", "platform"): ["Online Safety Act 2023", "section 66B"],
        ("US", "en", "search-engine"): ["512(d)", "TAKE IT DOWN Act"],
    }
    for (country, lang, kind), laws in named.items():
        text = case.letter([1], kind, lang, country, intimate=True, own_photo=country == "US").text
        assert [law for law in laws if law not in text] == []
    plain = case.letter([1], "platform", "en", "US").text
    assert "512(c)" not in plain  # nobody said that she took the original herself
    assert "TAKE IT DOWN" not in plain  # it is about intimate pictures, and these were not said to be
    assert "Korea" not in plain
    assert [country_of(c) for c in ("gb", "fr", "kr", "", "BR")] == ["UK", "EU", "KR", "", ""]


def test_a_minor_is_said_and_nothing_is_offered(case: Case, astronaut: Path) -> None:
    assert "under 18" not in case.letter([1], "platform").text
    case.add(astronaut, minor=True)
    assert "under 18" in case.letter([3], "platform").text


def test_for_a_minor_the_letter_names_the_law_that_protects_minors(case: Case, astronaut: Path) -> None:
    case.add(astronaut, minor=True)
    korean = case.letter([3], "platform", "ko", "KR").text
    assert "아동·청소년의 성보호에 관한 법률 제11조" in korean
    assert "19세 미만" in korean
    assert "18세" not in korean
    assert "제11조" not in case.letter([1], "platform", "ko", "KR", intimate=True).text
    for country, law in (("US", "2252A"), ("UK", "section 160"), ("CN", "Article 52"), ("EU", "2011/93")):
        assert law in case.letter([3], "police", "en", country).text
        assert law not in case.letter([1], "police", "en", country, intimate=True).text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_sent_holds_no_word_to_its_sender(case: Case, lang: str) -> None:
    for kind, country in product(KINDS, ["", *COUNTRIES]):
        draft = case.letter([1], kind, lang, country, intimate=True, own_photo=True)
        assert draft.text.splitlines()[0].startswith(("To:", "致：", "받는 "))
        assert draft.instructions
        assert not [line for line in draft.instructions if line in draft.text]
        for word in (
            "Before you send",
            "legal advice",
            "법률 자문",
            "보내기 전에",
            "不是法律意见",
            "发出之前",
        ):
            assert word not in draft.text
        assert all(len(blank) < 40 for blank in re.findall(r"\[([^\]]+)\]", draft.text))
        blanks = re.findall(r"\[([^\]]+)\]", " ".join(_texts(lang)[kind]))
        assert all(blank in draft.instructions[1] for blank in blanks)
    first = case.letter([1], "platform", lang).instructions
    assert [line for line in first if line not in case.letter([1], "police", lang).instructions]


def test_every_law_in_a_letter_has_its_source(case: Case) -> None:
    for kind, country in product(KINDS, COUNTRIES):
        draft = case.letter([1], kind, "en", country, intimate=True)
        assert draft.cited
        for statement in draft.cited:
            assert f"- {statement.text('en')}" in draft.text
            assert statement.source.startswith("https://")


@pytest.mark.parametrize("address", ["https://a/\nSubject: other", "{laws}{0}{items}", "\u202egnp.exe", "%s"])
def test_an_address_stays_text_on_one_line(case: Case, address: str) -> None:
    entry = case.add(b"x", address=address)
    text = case.letter([entry.number], "platform", "en", "US").text
    assert "\nSubject: other" not in text
    assert "\u202e" not in text
    assert len([line for line in text.splitlines() if line.startswith("1. Address:")]) == 1


def test_what_there_is_no_letter_for(case: Case, tmp_path: Path) -> None:
    for numbers, kind, lang, why in (
        ([1], "tribunal", "en", "is one of platform, police"),
        ([1], "police", "fr", "en, zh, ko"),
        ([9], "police", "en", "no entry 9"),
    ):
        with pytest.raises(UsageError, match=why):
            case.letter(numbers, kind, lang)
    with pytest.raises(UsageError, match="no entries"):
        Case.create(tmp_path / "empty", "t").letter([], "police")
    with pytest.raises(UsageError, match="no words in language"):
        say("head", "fr", head="")
