"""The walk of somebody who found a forged picture of herself: from the question of her age and country to
what the pages then say. Nothing may be said that is wrong for her, and no two sentences may contradict each
other."""

from __future__ import annotations

import re
from itertools import product

import pytest
from test_pages import HTML, Page, checked, get

from haechi import laws, platforms
from haechi.report.archive import MEDIA_TYPE
from haechi.settings import LANGUAGES
from haechi.web import words
from haechi.web.answers import AnswerBook, Answers, parsed
from haechi.web.problem import MEDIA_TYPE as PROBLEM_TYPE

AGES = ("minor", "adult")
COUNTRIES = ("KR", "US", "CN", "GB", "")

#: What must stand on the pages for everybody of an age, then for an age and a country: keys of the words.
SAID = {
    "minor": ["path_minor_none", "path_minor_write", "path_minor_there", "path_no_pay", "path_minor_tell"],
    "adult": ["path_no_forward", "path_no_pay", "path_tell"],
    ("adult", "KR"): ["path_keep_korea"],
    **{("adult", country): ["path_keep"] for country in ("US", "CN", "GB", "")},
}
#: What must not: it is right for others, and would contradict.
UNSAID = {
    "minor": ["path_keep", "path_keep_korea", "path_no_forward", "path_tell", "act_case_note"],
    "adult": ["path_minor_none", "path_minor_write", "path_minor_there", "path_minor_tell", "act_case_minor"],
    ("adult", "KR"): ["path_keep"],
    **{("adult", country): ["path_keep_korea", "act_case_korea"] for country in ("US", "CN", "GB", "")},
}
#: Whatever the key: no page may say this to somebody who may not hold the picture.
KEEP_IT = re.compile(
    r"keep the (original|file)|stores the original|保留原始文件|保存原件|文件保持原样"
    r"|원본 파일을 그대로|파일은 고치지 말고|원본과 지문",
    re.IGNORECASE,
)
#: The services and numbers that somebody must find, and those that are for others.
FINDS = {
    ("minor", "KR"): ["tel:1366", "tel:1388", "tel:112", "d4u.stop.or.kr", "takeitdown.ncmec.org"],
    ("adult", "KR"): ["tel:1366", "tel:112", "d4u.stop.or.kr", "stopncii.org"],
    ("minor", "US"): ["tel:1-800-843-5678", "takeitdown.ncmec.org"],
    ("adult", "US"): ["tel:844-878-2274", "stopncii.org"],
    ("minor", "CN"): ["tel:12355", "tel:110", "takeitdown.ncmec.org"],
    ("adult", "CN"): ["tel:12377", "tel:110", "stopncii.org"],
    ("minor", "GB"): ["tel:08001111", "takeitdown.ncmec.org"],
    ("adult", "GB"): ["tel:03456000459", "stopncii.org"],
    ("minor", ""): ["takeitdown.ncmec.org", "inhope.org"],
    ("adult", ""): ["stopncii.org"],
}
LAWS = {
    ("minor", "KR"): ["kr-age", "kr-minor-holding"],
    ("adult", "KR"): ["kr-age", "kr-adult-holding"],
    ("minor", "US"): ["us-minor-holding"],
    ("adult", "US"): ["us-adult-removal"],
    ("minor", "CN"): ["cn-minor-holding"],
    ("adult", "CN"): ["cn-adult-portrait"],
    ("minor", "GB"): ["gb-minor-holding"],
    ("adult", "GB"): ["gb-adult-sharing"],
    ("minor", ""): ["any-minor-holding"],
    ("adult", ""): ["any-adult-sharing"],
}


def answer(site, age, country, back="/help", lang="en"):
    """Answer both questions by the form of the page; what comes then."""
    headers = {**HTML, "Accept-Language": lang}
    site.client.get(back, headers=headers)
    form = {"age": age, "country": country, "back": back}
    return site.client.post("/answers", data=form, headers=headers)


def problem_code(got) -> str:
    """The code of the problem that was answered; empty when it was none."""
    return got.json()["code"] if got.headers["content-type"] == PROBLEM_TYPE else ""


def plain(text: str) -> str:
    """What a reader sees: no tags, one blank between words."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.DOTALL)
    for entity, sign in (("&#39;", "'"), ("&#34;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")):
        text = text.replace(entity, sign)
    return " ".join(re.sub(r"<[^>]+>", "", text).split())


def flat(sentence: str) -> str:
    return " ".join(sentence.split())


def expected(table, age, country):
    return [*table[age], *table.get((age, country), ())]


def walked(site, age, country, lang):
    """The pages that somebody with these answers is shown, by their names."""
    result = checked(site)
    return {
        "help": answer(site, age, country, lang=lang).text,
        "result": get(site, result, lang).text,
        "keep": get(site, f"{result}/case", lang).text,
    }


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("age", "country"), list(product(AGES, COUNTRIES)))
def test_the_pages_say_what_is_right_for_both_answers_and_nothing_else(site, age, country, lang):
    pages = walked(site, age, country, lang)
    for name, text in pages.items():
        seen = plain(text)
        for key in expected(UNSAID, age, country):
            assert flat(words.say(key, lang)) not in seen, (name, key)
        if age == "minor":
            assert not KEEP_IT.search(seen), (name, KEEP_IT.search(seen))
    for name in ("help", "result"):
        seen = plain(pages[name])
        for key in expected(SAID, age, country):
            assert flat(words.say(key, lang)) in seen, (name, key)
        years = laws.of_age(country)
        assert words.say(f"answered_{age}", lang, age=years) in seen
        for key in LAWS[age, country]:
            told = next(one for one in laws.statements() if one.key == key)
            assert told.text(lang) in seen, (name, key)


@pytest.mark.parametrize(("age", "country"), list(product(AGES, COUNTRIES)))
def test_everybody_finds_who_helps_and_nobody_those_for_others(site, age, country):
    pages = walked(site, age, country, "en")
    for wanted in FINDS[age, country]:
        assert wanted in pages["help"].partition("<details")[0].replace(" ", ""), wanted
    others = "stopncii.org" if age == "minor" else "takeitdown.ncmec.org"
    for name in ("help", "result"):
        assert others not in pages[name], name
    assert (others == "stopncii.org") == ("StopNCII" not in plain(pages["help"]))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("age", "country"), list(product(AGES, COUNTRIES)))
def test_every_law_number_and_form_has_its_source_and_date(site, age, country, lang):
    text = answer(site, age, country, lang=lang).text
    page = Page(text)
    told = laws.on_page(country, minor=age == "minor")
    items = [*told, *platforms.forms(), *platforms.hash_services(minor=age == "minor")]
    sources = {a["href"] for a in page.all("a")}
    for item in items:
        assert item.source in sources
        assert item.checked_on.isoformat() in text
    unchecked = words.say("source_unchecked", lang, date=items[0].checked_on.isoformat())
    assert text.count(unchecked) == len([item for item in items if not item.checked])
    lines = re.findall(r'<li class="line[^"]*">(.*?)</li>', text, re.DOTALL)
    for line in lines:
        assert re.search(r"\d{4}-\d{2}-\d{2}", line), "an entry without a date"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_advice_is_given_before_both_questions_are_answered(site, lang):
    result = checked(site)
    for path in ("/help", result, f"{result}/case"):
        text = get(site, path, lang).text
        assert 'action="/answers"' in text, path
        for key in {key for keys in (*SAID.values(), *UNSAID.values()) for key in keys}:
            assert flat(words.say(key, lang)) not in plain(text), (path, key)
        assert not KEEP_IT.search(plain(text)), (path, KEEP_IT.search(plain(text)))
        for age in AGES:
            assert words.say(f"ask_age_{age}", lang) in plain(text)
        ages = [a for a in Page(text).all("input") if a.get("name") == "age"]
        assert not [a for a in ages if "checked" in a], "nobody is taken for an adult"


def test_of_a_minor_no_picture_is_shown_and_only_the_text_is_offered(site):
    result = checked(site)
    before = get(site, result).text
    assert "data:image" in before
    assert "/report.html" in before
    offered = re.findall(r'download="(haechi-[a-z]+\.[a-z]+)"', before)
    assert offered[0] == "haechi-proof.txt", "the first choice of all"
    answer(site, "minor", "US")
    text = get(site, result).text
    for shows in ("data:image", "<image", "/report.html", "/report.pdf", 'id="unveil"', 'id="player"'):
        assert shows not in text
    assert re.findall(r'download="(haechi-[a-z]+\.[a-z]+)"', text) == ["haechi-proof.txt"]
    assert "Strong signs of manipulation" in text


def test_of_a_minor_no_address_hands_the_picture_out(site):
    result = checked(site)
    kept = {"Accept": MEDIA_TYPE}
    pictures = [
        f"/v1{result}/{name}" for name in ("report.html", "heatmap.png", "report.haechi", "report.pdf")
    ]

    def answers():
        return [problem_code(site.client.get(address)) for address in pictures]

    assert "withheld" not in answers()
    assert site.client.get(f"/v1{result}", headers=kept).headers["content-type"] == MEDIA_TYPE
    rules = site.client.get(f"{result}/report.css").text
    answer(site, "minor", "US")
    assert answers() == ["withheld"] * len(pictures)
    refused = site.client.get(pictures[0])
    assert refused.status_code == 404
    assert "/proof.txt" in refused.json()["detail"]
    assert site.client.get(f"/v1{result}", headers=kept).headers["content-type"] == "application/json"
    assert "data:" not in site.client.get(f"/v1{result}").text
    assert len(site.client.get(f"{result}/report.css").text) < len(rules)
    assert site.client.get(f"/v1{result}/proof.txt").status_code == 200
    answer(site, "adult", "US")
    assert "withheld" not in answers()
    site.client.cookies.clear()  # a program, or another visitor
    assert "withheld" not in answers()
    assert site.client.get(f"{pictures[0]}?age=minor").status_code == 404


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_proof_holds_hashes_times_and_figures_and_no_picture(site, lang):
    name = "her-name.png"
    result = checked(site, name)
    answered = site.client.get(f"/v1{result}/proof.txt?lang={lang}")
    assert answered.headers["content-type"] == "text/plain; charset=utf-8"
    report = site.client.get(f"/v1{result}?lang={lang}").json()
    told = answered.text
    assert report["source"]["sha256"] in told
    assert report["verdict"]["sentence"] in told
    assert f"{report['verdict']['score']:.2f}" in told
    assert report["created"][:10] in told
    assert all(model["sha256"] in told for model in report["models"])
    assert name not in told
    assert "data:" not in told


def test_the_answers_are_forgotten_when_somebody_leaves(site):
    answer(site, "minor", "KR")
    cookies = dict(site.client.cookies)
    assert 'action="/answers"' not in get(site, "/help").text
    assert not any("minor" in value or "KR" in value for value in cookies.values())
    site.client.post("/leave", headers=HTML)
    for known in ({}, cookies):
        site.client.cookies.clear()
        site.client.cookies.update(known)
        assert 'action="/answers"' in get(site, "/help").text


def test_whoever_sends_no_cookie_is_asked_once_all_the_same(site):
    form = {"age": "adult", "country": "GB", "back": "/help"}
    sent = site.client.post("/answers", data=form, headers=HTML, follow_redirects=False)
    assert sent.headers["location"] == "/help?age=adult&country=GB#advice"
    assert "0345 6000 459" in get(site, "/help?age=adult&country=GB").text


def test_answers_can_be_changed_and_those_of_one_visitor_are_not_anothers(site):
    answer(site, "minor", "KR")
    again = get(site, "/help?ask=true").text
    chosen = [a["value"] for a in Page(again).all("input") if a.get("name") == "age" and "checked" in a]
    assert chosen == ["minor"]
    site.client.cookies.clear()
    assert 'action="/answers"' in get(site, "/help").text


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/cases", "/checks/../help", "/x"]
)
def test_the_form_leads_nowhere_else(site, back):
    form = {"age": "adult", "country": "GB", "back": back}
    get(site, "/help")
    sent = site.client.post("/answers", data=form, headers=HTML, follow_redirects=False)
    assert sent.headers["location"] == "/help#advice"


def test_without_an_age_the_page_asks_again(site):
    for age in ("", "21", "MINOR"):
        form = {"age": age, "country": "KR", "back": "/help"}
        sent = site.client.post("/answers", data=form, headers=HTML)
        assert 'action="/answers"' in sent.text
    assert parsed("minor", "zz") == Answers(minor=True, country="")


def test_answers_do_not_outlive_the_day():
    now = [0.0]
    book = AnswerBook(lambda: now[0])
    book.put("visit:a", Answers(minor=True, country="KR"))
    assert book.get("visit:a") == Answers(minor=True, country="KR")
    assert book.get("visit:b") is None
    now[0] = 12 * 3600.0
    assert book.get("visit:a") is None
    for number in range(10_001):
        book.put(f"visit:{number}", Answers(minor=False, country=""))
    assert book.get("visit:0") is None
    assert book.get("visit:10000") is not None
