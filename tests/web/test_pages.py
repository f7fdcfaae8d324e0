"""The browser pages as a browser without JavaScript meets them."""

from __future__ import annotations

import re

import pytest

from haechi import helplines
from haechi.settings import LANGUAGES
from html_page import Page

PATHS = ("/", "/help", "/live", "/verify", "/models", "/about", "/nothing-here")
HTML = {"Accept": "text/html,application/xhtml+xml"}
HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}${7*7}.png"


def get(site, path, lang="en", **headers):
    answer = site.client.get(path, headers={**HTML, "Accept-Language": lang, **headers})
    assert answer.headers["content-type"] == "text/html; charset=utf-8", path
    return answer


def checked(site, name="photo.png", says="strong"):
    """The address of the page of a check that has ended."""
    sent = site.client.post("/checks", files={"file": (name, site.picture(says))}, follow_redirects=False)
    assert sent.status_code == 303
    id_ = sent.headers["location"].rpartition("/")[2]
    site.ended(f"/v1/checks/{id_}")
    return f"/checks/{id_}"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_is_whole_and_in_the_language_of_the_browser(site, lang):
    for path in (*PATHS, checked(site)):
        page = Page(get(site, path, lang).text)
        assert page.all("html")[0]["lang"].split("-")[0] == lang
        assert len(page.all("h1")) == 1
        assert len(page.all("main")) == 1
        ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
        assert len(ids) == len(set(ids)), f"an id twice on {path}"


def test_no_page_carries_style_or_script_inside_or_loads_from_elsewhere(site):
    for path in (*PATHS, checked(site)):
        answer = get(site, path)
        assert "script-src 'self'; style-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        page = Page(answer.text)
        assert not page.inside.get("script", "").strip()
        assert not page.all("style")
        for tag, attrs in page.elements:
            assert not [name for name in attrs if name.startswith("on") or name == "style"], tag
            address = attrs.get("src") or (attrs.get("href") if tag == "link" else None) or "/"
            assert address.startswith(("/", "data:")), address
            if tag == "a" and (attrs.get("href") or "").startswith("http") and "target" in attrs:
                assert "noreferrer" in str(attrs["rel"])


def test_only_the_page_of_the_calls_may_ask_for_a_camera(site):
    assert "camera=(self)" in get(site, "/live").headers["permissions-policy"]
    for path in PATHS:
        policy = get(site, path).headers["permissions-policy"]
        assert "microphone=()" in policy
        assert path in ("/live", "/verify") or "camera=()" in policy


def test_whatever_a_page_needs_is_served(site):
    for path in (*PATHS, checked(site)):
        for tag, attrs in Page(get(site, path).text).elements:
            address = attrs.get("src") or (attrs.get("href") if tag == "link" else None)
            if address and address.startswith("/"):
                assert site.client.get(address).status_code == 200, address


def test_a_link_changes_the_language_and_it_stays(site):
    answer = get(site, "/help?country=KR&lang=ko", "en")
    assert answer.headers["set-cookie"].startswith("lang=ko; HttpOnly")
    assert 'lang="ko"' in answer.text
    assert 'lang="ko"' in get(site, "/", "en").text
    links = [a["href"] for a in Page(answer.text).all("a") if "hreflang" in a]
    assert "/help?country=KR&lang=zh" in links


def test_a_language_that_is_none_of_ours_does_not_stop_anybody(site):
    assert 'lang="ko"' in get(site, "/?lang=xx", "ko").text


def test_a_check_works_without_javascript(site):
    page = get(site, checked(site)).text
    assert "Strong signs" in page
    assert "photo.png" in page


def test_a_check_that_runs_refreshes_itself(start, slow):
    site = start(slow)
    sent = site.client.post(
        "/checks", files={"file": ("a.png", site.picture("strong"))}, follow_redirects=False
    )
    slow.begun.wait(10)
    page = get(site, sent.headers["location"]).text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    assert "<progress" in page
    slow.go.set()


def test_an_unreadable_file_is_told_in_words_one_can_act_on(site):
    sent = site.client.post("/checks", files={"file": ("a.txt", b"hello")}, follow_redirects=False)
    site.ended("/v1" + sent.headers["location"])
    answer = get(site, sent.headers["location"], "ko")
    assert answer.status_code == 422
    assert "Haechi가 읽을 수 있는 사진이나 영상이 아닙니다" in answer.text


def test_delete_now_deletes_and_says_so(site):
    address = checked(site)
    answer = site.client.post(f"{address}/delete", headers=HTML)
    assert "Deleted. Nothing of it is left" in answer.text
    assert site.client.get(f"/v1{address}").status_code == 404
    assert get(site, address).status_code == 404


def test_another_site_cannot_delete_a_result(site):
    address = checked(site)
    answer = site.client.post(f"{address}/delete", headers={**HTML, "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert get(site, address).status_code == 200


def test_a_hostile_name_is_only_ever_text(site):
    text = get(site, checked(site, HOSTILE)).text
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "{{7*7}}" in text
    assert "49" not in re.findall(r"<h1>(.*?)</h1>", text)[0]


def test_a_program_gets_problem_json_where_a_person_gets_a_page(site):
    assert site.client.get("/nothing-here").headers["content-type"] == "application/problem+json"
    assert get(site, "/nothing-here").status_code == 404


def answered(site, age, country):
    """Answer both questions, as the form does; the page that comes."""
    site.client.get("/help", headers=HTML)  # a browser has a visit when it answers
    form = {"age": age, "country": country, "back": "/help"}
    return site.client.post("/answers", data=form, headers={**HTML, "Accept-Language": "en"})


def test_help_knows_the_country_of_the_browser_and_can_be_told_another(site):
    def first_country(path, lang):
        chosen = [a for a in Page(get(site, path, lang).text).all("option") if "selected" in a]
        return [option["value"] for option in chosen]

    assert first_country("/help", "ko-KR,ko;q=0.9") == ["KR"]
    assert first_country("/help", "en-GB") == ["GB"]
    assert first_country("/help?country=CN", "ko") == ["CN"]
    assert first_country("/help", "pt-BR") == [""]
    assert "0345 6000 459" in answered(site, "adult", "GB").text
    assert first_country("/help?ask=true", "ko-KR") == ["GB"], "what was answered, not what is guessed"


def before_the_fold(text: str) -> str:
    """The page without what is folded away."""
    return text.partition("<details")[0] + "</main></body></html>"


def dialled(text: str) -> list[str]:
    """The numbers that can be pressed, in order."""
    pressed = [str(a["href"]) for a in Page(text).all("a") if str(a.get("href")).startswith("tel:")]
    return [number.removeprefix("tel:").replace("%23", "#") for number in pressed]


def numbers(lines) -> set[str]:
    return {phone.replace(" ", "") for line in lines for phone in line.phones}


@pytest.mark.parametrize("minor", [True, False])
@pytest.mark.parametrize("code", ["", *helplines.countries()])
def test_every_number_is_a_link_and_those_of_the_country_come_first(site, code, minor):
    text = get(site, f"/help?age={'minor' if minor else 'adult'}&country={code}").text
    assert set(dialled(text)) == numbers(helplines.right_for(helplines.lines(), minor=minor))
    own = helplines.for_person(code, minor=minor)
    assert set(dialled(before_the_fold(text))) == numbers(own)


def test_whoever_does_not_answer_has_the_numbers_too(site):
    text = get(site, "/help").text
    assert set(dialled(text)) == numbers(helplines.lines())
    assert not dialled(before_the_fold(text))


def test_every_line_says_when_it_was_checked_and_where_or_that_no_source_was_noted(site):
    for age in ("minor", "adult"):
        text = get(site, f"/help?age={age}&country=KR").text.replace("&amp;", "&")
        for line in helplines.right_for(helplines.lines(), minor=age == "minor"):
            assert line.source in text
            assert f"Checked on {line.checked}" in text
        assert "it could not be checked again" in text


def test_phone_numbers_can_be_pressed(site):
    calls = [a["href"] for a in Page(get(site, "/help?age=adult&country=KR").text).all("a")]
    assert "tel:02-735-8994" in calls
    assert "tel:%238891" in get(site, "/help?age=adult&country=JP").text


def test_the_models_page_counts_in_pictures(site, shipped):
    text = get(site, "/models").text
    assert "of 1,000 genuine photographs" in text
    assert "Guessing would give 50" in text


def test_cases_are_offered_on_this_computer_only(start):
    here = get(start(), "/")
    assert 'href="/cases"' in here.text


def test_a_server_for_others_speaks_of_itself_as_one(start):
    token = "a-token-of-many-letters"
    site = start(host="0.0.0.0", token=token, headers={"Authorization": f"Bearer {token}"})
    text = get(site, "/").text
    assert 'href="/cases"' not in text
    assert "Files go to this server and nowhere else" in text
