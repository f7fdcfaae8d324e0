"""Making evidence of a result, and seeing that a later change is noticed."""

from __future__ import annotations

import re

import pytest
from machine import SAMPLE
from playwright.sync_api import expect

pytest.importorskip("cryptography")

PASSPHRASE = "a horn that tells the truth"


def keep(visitor, name="found.jpg", passphrase="", **fields):
    """From a file to an entry of a new case; the file is not chosen a second time."""
    visitor.result(name, SAMPLE.read_bytes(), "image/jpeg")
    page = visitor.page
    visitor.answer(country="US")
    page.get_by_role("link", name="Keep as evidence").click()
    expect(page.locator(".file-here")).to_have_text(f"{name}, from this tab")
    new = page.get_by_role("radio", name="A new case")
    if new.count() and not new.is_checked():
        expect(page.get_by_label("Name of the case")).to_be_hidden()
        new.check()
    page.get_by_label("Name of the case").fill("Found in March")
    if passphrase:
        page.get_by_label("Passphrase", exact=True).fill(passphrase)
        page.get_by_label("The passphrase again").fill(passphrase)
    else:
        page.get_by_role("radio", name="Without a passphrase").check()
        expect(page.get_by_label("The passphrase again")).to_be_hidden()
    page.get_by_label("Where did you find it?").fill("https://example.org/page")
    if fields.get("minor"):
        page.get_by_role("checkbox", name=re.compile("under 18")).check()
    page.get_by_role("button", name="Store and seal").click()
    page.wait_for_url(re.compile(r"/cases/[0-9a-f]{16}\?added=1$"))


def test_storing_without_a_word_about_a_passphrase_stores_nothing(visitor):
    visitor.result("found.jpg", SAMPLE.read_bytes(), "image/jpeg")
    page = visitor.page
    page.get_by_role("link", name="Keep as evidence").click()
    visitor.answer(country="US")
    new = page.get_by_role("radio", name="A new case")
    if new.count():
        new.check()
    page.get_by_label("Notes").fill("seen on Monday")
    page.get_by_role("button", name="Store and seal").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was stored yet")
    expect(page.get_by_label("Notes")).to_have_value("seen on Monday")
    page.get_by_role("radio", name="Without a passphrase").check()
    page.get_by_role("button", name="Store and seal").click()
    expect(page.get_by_role("status")).to_have_text("Stored and sealed.")
    expect(page.get_by_text("Not encrypted: whoever uses")).to_be_visible()


def test_a_result_becomes_a_sealed_entry_that_verifies(visitor):
    keep(visitor)
    page = visitor.page
    expect(page.get_by_role("status").first).to_have_text("Stored and sealed.")
    expect(page.locator(".entry")).to_contain_text("https://example.org/page")
    expect(page.locator(".entry")).to_contain_text("No signs found")
    page.get_by_role("link", name="Check that nothing was changed").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing was changed")
    head = page.locator(".letter").inner_text()
    page.get_by_role("textbox", name="The line that you noted").fill(head)
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("It fits")).to_be_visible()


def test_a_stored_report_is_shown_blurred_too(visitor):
    keep(visitor)
    visitor.page.get_by_role("link", name=re.compile("See the report")).click()
    picture = visitor.page.locator(".stage > svg").first
    assert "blur" in picture.evaluate("element => getComputedStyle(element).filter")
    visitor.page.get_by_text("Show the picture").click()
    assert picture.evaluate("element => getComputedStyle(element).filter") == "none"


def test_a_picture_of_a_minor_is_not_kept_and_help_is_named(visitor):
    keep(visitor, minor=True)
    expect(visitor.page.get_by_role("status").first).to_contain_text(
        "Only fingerprints, the time and the verdict were stored"
    )
    expect(visitor.page.get_by_role("link", name="takeitdown.ncmec.org")).to_be_visible()
    expect(visitor.page.locator(".entry")).to_contain_text("A minor: no picture is kept")


def test_whoever_says_minor_first_is_offered_no_picture_and_the_file_need_not_be_chosen_again(visitor):
    visitor.result("found.jpg", SAMPLE.read_bytes(), "image/jpeg")
    page = visitor.page
    assert page.locator("svg.store image").count()
    page.get_by_role("link", name="Keep as evidence").click()
    visitor.answer("minor", "KR")
    expect(page.locator(".file-here")).to_have_text("found.jpg, from this tab")
    expect(page.get_by_role("checkbox", name=re.compile("under 18"))).to_have_count(0)
    page.get_by_role("radio", name="Without a passphrase").check()
    page.get_by_role("button", name="Store and seal").click()
    page.wait_for_url(re.compile(r"/cases/[0-9a-f]{16}\?added=\d+$"))
    expect(page.locator(".entry").first).to_contain_text("No signs found")
    expect(page.locator("a[href='tel:1388']")).to_be_visible()
    assert page.locator("img:not(.brand img), image").count() == 0


def test_leaving_in_a_hurry_locks_the_case(visitor):
    keep(visitor, passphrase=PASSPHRASE)
    page = visitor.page
    address = page.url
    with page.expect_request(re.compile("/leave$")):
        page.locator(".leave").click()
    page.wait_for_url("about:blank")
    page.goto(address)
    expect(page.get_by_label("Passphrase")).to_be_visible()
    page.get_by_label("Passphrase").fill("wrong guess")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("alert")).to_contain_text("not the passphrase")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Open").click()
    expect(page.locator("h1")).to_have_text("Found in March")


def test_many_files_are_compared_and_a_letter_is_taken_along(visitor, tmp_path):
    keep(visitor)
    page = visitor.page
    page.get_by_role("link", name="Look for copies").click()
    copies = [("same.jpg", SAMPLE.read_bytes()), ("other.jpg", b"\xff\xd8 no picture")]
    page.locator("#file[multiple]").wait_for()
    page.set_input_files("#file", [{"name": n, "mimeType": "image/jpeg", "buffer": c} for n, c in copies])
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#match-list li")).to_have_count(2)
    expect(page.locator("#match-list")).to_contain_text("same.jpg: a copy of No. 1 (the very same file)")
    page.get_by_role("link", name="Back to the case").click()
    page.get_by_role("link", name="Write a letter").click()
    page.get_by_label("Language of the letter").select_option("ko")
    page.get_by_role("button", name="Write it").click()
    letter = page.locator("div.letter")
    expect(letter).to_contain_text("https://example.org/page")
    assert letter.get_attribute("lang") == "ko"
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as a text file").click()
    file = tmp_path / "letter.txt"
    download.value.save_as(file)
    assert file.read_text(encoding="utf-8") == letter.text_content()


def test_a_bundle_is_handed_over(visitor):
    keep(visitor)
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Save a bundle without pictures").click()
    assert download.value.suggested_filename == "haechi-hashes.zip"
