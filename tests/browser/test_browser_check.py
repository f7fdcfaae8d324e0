"""From a file to its verdict, in every way that a person may take."""

from __future__ import annotations

import re

import pytest
from machine import PATIENCE_MS, PHONE, SAMPLE
from playwright.sync_api import FileChooser, expect

DROP = """([content, name]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([content], name, {type: "image/png"}));
  const at = document.querySelector(".drop");
  at.dispatchEvent(new DragEvent("dragover", {bubbles: true, cancelable: true, dataTransfer: carried}));
  at.dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: carried}));
}"""
PASTE = """() => {
  const carried = new DataTransfer();
  carried.items.add(new File(["strong"], "image.png", {type: "image/png"}));
  const paste = new ClipboardEvent("paste", {bubbles: true, cancelable: true, clipboardData: carried});
  document.dispatchEvent(paste);
}"""


def test_a_photograph_gets_its_verdict_from_the_shipped_models(visit, real):
    visitor = visit(real)
    visitor.goto("/")
    visitor.page.set_input_files("#file", str(SAMPLE))
    visitor.page.wait_for_selector("#result", timeout=60_000)
    expect(visitor.page.locator("#verdict .sentence")).to_contain_text(re.compile("signs|Cannot tell"))
    expect(visitor.page.locator("h1")).to_have_text("astronaut.jpg")
    assert "/checks/" in visitor.page.url


def test_a_dropped_file_is_checked(visitor):
    visitor.goto("/")
    visitor.page.evaluate(DROP, ["strong", "dropped.png"])
    expect(visitor.page.locator("#verdict .sentence")).to_contain_text("Strong signs of manipulation")
    expect(visitor.page.locator("h1")).to_have_text("dropped.png")


def test_a_file_dropped_on_a_result_is_checked_next(visitor):
    visitor.result("first.png")
    visitor.page.evaluate(DROP.replace(".drop", "main"), ["clean", "second.png"])
    expect(visitor.page.locator("h1")).to_have_text("second.png")
    visitor.page.get_by_role("link", name="Check another file").click()
    expect(visitor.page.locator(".job.ended")).to_have_count(2)


def test_a_pasted_picture_is_checked(visitor):
    visitor.goto("/")
    visitor.page.evaluate(PASTE)
    expect(visitor.page.locator("#verdict .sentence")).to_contain_text("Strong signs of manipulation")


def test_progress_is_shown_and_told_to_screen_readers(visitor):
    visitor.goto("/")
    visitor.page.evaluate(
        """() => {
          window.seen = [];
          new MutationObserver(() => window.seen.push(document.querySelector("#announce").textContent))
            .observe(document.querySelector("#announce"), {childList: true});
        }"""
    )
    visitor.give("a.png", b"strong")
    visitor.page.wait_for_selector("#result")
    assert visitor.page.evaluate("window.seen.length") >= 1


def test_many_files_give_a_list_with_the_state_and_a_link_for_each(visitor):
    visitor.goto("/")
    files = [("a.png", b"strong"), ("b.png", b"clean"), ("c.txt", b"nonsense"), ("d.png", b"nothing")]
    visitor.page.set_input_files(
        "#file", [{"name": n, "mimeType": "image/png", "buffer": c} for n, c in files]
    )
    rows = visitor.page.locator(".job.ended")
    expect(rows).to_have_count(4)
    told = visitor.page.locator(".job-state").all_inner_texts()
    assert told[:2] == ["Strong signs", "No signs found"]
    assert told[2].startswith("This is not a picture or a video that Haechi can read")
    assert told[3] == "Cannot tell"
    visitor.page.get_by_role("link", name="See the result: b.png").click()
    expect(visitor.page.locator("h1")).to_have_text("b.png")
    visitor.page.go_back()
    expect(visitor.page.locator(".job.ended")).to_have_count(4)
    visitor.page.get_by_role("link", name="See the result: a.png").click()
    visitor.page.get_by_role("link", name="Check another file").click()
    expect(visitor.page.locator(".job.ended")).to_have_count(4)


def test_an_unreadable_file_says_what_to_do(visitor):
    visitor.goto("/")
    visitor.give("notes.txt", b"hello", "text/plain")
    expect(visitor.page.locator(".job-state")).to_contain_text("Most pictures (JPEG, PNG, HEIC, WebP)")
    expect(visitor.page.locator("#announce")).to_contain_text("notes.txt")


def test_a_server_that_was_stopped_is_told_from_a_bad_file(visitor):
    visitor.goto("/")
    visitor.page.route("**/v1/checks", lambda route: route.abort())
    visitor.give("a.png", b"strong")
    expect(visitor.page.locator(".job-state")).to_contain_text("Haechi does not answer")


def test_everything_works_without_javascript(visit):
    visitor = visit(java_script_enabled=False)
    visitor.goto("/")
    visitor.give("plain.png", b"strong")
    visitor.page.get_by_role("button", name="Check now").click()
    expect(visitor.page.locator("#verdict .sentence")).to_contain_text("Strong signs", timeout=PATIENCE_MS)
    picture = visitor.page.locator(".stage > svg").first
    assert "blur" in picture.evaluate("element => getComputedStyle(element).filter")
    visitor.page.locator("#unveil").check()
    assert picture.evaluate("element => getComputedStyle(element).filter") == "none"
    visitor.page.get_by_role("button", name="Delete now").click()
    expect(visitor.page.get_by_role("status").first).to_contain_text("Deleted")


def test_the_keyboard_alone_leads_from_the_first_page_to_the_verdict(visitor):
    visitor.goto("/")
    page = visitor.page
    choosers: list[FileChooser] = []

    def note(chooser: FileChooser) -> None:
        choosers.append(chooser)

    page.on("filechooser", note)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "file":
            break
    label = page.locator("label[for=file]")
    assert label.evaluate("element => getComputedStyle(element).outlineStyle") == "solid", "the focus is seen"
    page.keyboard.press("Enter")
    for _ in range(300):
        if choosers:
            break
        page.wait_for_timeout(50)
    choosers[0].set_files({"name": "keys.png", "mimeType": "image/png", "buffer": b"strong"})
    expect(page.locator("h1")).to_have_text("keys.png")
    assert page.evaluate("document.activeElement.tagName") == "MAIN", "the focus follows to the result"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "unveil":
            break
    page.keyboard.press("Space")
    assert page.locator("#unveil").is_checked()


@pytest.mark.parametrize("lang", ["en", "zh", "ko"])
def test_a_link_changes_the_language_without_javascript(visit, lang):
    names = {"en": "Check a picture or a video", "zh": "检测图片或视频", "ko": "사진이나 영상 검사하기"}
    other = {"en": "ko", "zh": "en", "ko": "zh"}[lang]
    visitor = visit(lang=lang, java_script_enabled=False)
    visitor.goto("/")
    expect(visitor.page.locator("h1")).to_have_text(names[lang])
    visitor.page.locator(f"footer a[hreflang^={other}]").click()
    expect(visitor.page.locator("h1")).to_have_text(names[other])
    visitor.goto("/")
    expect(visitor.page.locator("h1")).to_have_text(names[other])


def test_a_name_that_looks_like_a_script_stays_a_name(visitor):
    name = "<img src=x onerror=window.ran=1><svg onload='window.ran=1'>.png"
    visitor.result(name)
    assert visitor.page.evaluate("window.ran") is None
    expect(visitor.page.locator("h1")).to_have_text(name)
    visitor.page.get_by_role("link", name="Keep as evidence").click()
    visitor.answer()
    expect(visitor.page.locator(".file-here")).to_contain_text("<img src=x")
    assert visitor.page.evaluate("window.ran") is None


def test_a_phone_offers_its_camera_and_never_scrolls_sideways(visit):
    visitor = visit(size=PHONE, has_touch=True, is_mobile=True)
    visitor.goto("/")
    expect(visitor.page.get_by_text("Take a picture")).to_be_visible()
    expect(visitor.page.get_by_text("Drop pictures or videos here")).to_be_hidden()
    assert visitor.page.locator("#camera").get_attribute("capture") == "environment"
    for path in ("/help", "/models", "/about", "/cases", "/cases/new", "/"):
        visitor.goto(path)
        assert not visitor.too_wide(), path
    visitor.result()
    assert not visitor.too_wide()
