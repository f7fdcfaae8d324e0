"""A result: blurred until asked for, the magnifier, the player, saving and deleting."""

from __future__ import annotations

from pathlib import Path

import pytest
from machine import SAMPLE
from playwright.sync_api import expect

CLIP = b"video"


def blurred(locator) -> bool:
    return "blur" in locator.evaluate("element => getComputedStyle(element).filter")


def test_every_picture_is_blurred_until_it_is_asked_for(visitor):
    visitor.result("clip.mp4", CLIP, "video/mp4")
    pictures = visitor.page.locator(".stage:not(.print-only) > svg, .thumbs svg")
    assert pictures.count() >= 4
    assert all(blurred(picture) for picture in pictures.all())
    visitor.page.get_by_text("Show the video").click()
    assert not any(blurred(picture) for picture in pictures.all())
    visitor.page.reload()
    assert blurred(visitor.page.locator(".stage:not(.print-only) > svg").first), (
        "asked for once, not for ever"
    )


def test_the_heat_map_has_a_slider_for_its_strength(visitor):
    visitor.result()
    visitor.page.locator("#opacity").fill("30")
    heat = visitor.page.locator(".heat").first
    expect(heat).to_have_css("opacity", "0.3")
    visitor.page.locator("#heat-0").uncheck()
    expect(heat).to_be_hidden()
    visitor.page.locator("#boxes").uncheck()
    expect(visitor.page.locator(".boxes").first).to_be_hidden()


def test_the_magnifier_shows_the_original_while_the_tab_is_open(visitor):
    visitor.result("astronaut.jpg", SAMPLE.read_bytes(), "image/jpeg")
    page = visitor.page
    assert not page.get_by_text("Magnifier").is_visible(), "not before the picture is asked for"
    page.get_by_text("Show the picture").click()
    page.get_by_text("Magnifier").click()
    lens = page.locator(".lens")
    expect(lens).to_be_visible()
    expect(page.get_by_text("It shows the original in full size")).to_be_visible()
    colours = "at => new Set(at.getContext('2d').getImageData(0, 0, at.width, at.height).data).size"
    assert lens.evaluate(colours) > 50
    lens.focus()
    before = lens.evaluate("element => element.style.left")
    page.keyboard.press("ArrowRight")
    assert lens.evaluate("element => element.style.left") != before
    page.get_by_text("Magnifier").click()
    expect(lens).to_have_count(0)


def test_after_a_reload_the_magnifier_says_that_it_shows_a_copy(visitor):
    visitor.result()
    visitor.page.reload()
    visitor.page.get_by_text("Show the picture").click()
    visitor.page.get_by_text("Magnifier").click()
    expect(visitor.page.get_by_text("It shows a reduced copy")).to_be_visible()


@pytest.fixture(scope="module")
def webm(browser) -> bytes:
    """A second of video that chromium can play, recorded by chromium itself. By its first bytes the judge on
    the stage takes it for one."""
    page = browser.new_page()
    data = page.evaluate(
        """async () => {
          const canvas = document.createElement("canvas");
          const pen = canvas.getContext("2d");
          const recorder = new MediaRecorder(canvas.captureStream(20), {mimeType: "video/mp4"});
          const parts = [];
          recorder.ondataavailable = (event) => parts.push(event.data);
          const ended = new Promise((resolve) => (recorder.onstop = resolve));
          recorder.start();
          for (let i = 0; i < 25; i++) {
            pen.fillStyle = `rgb(${i * 9}, 90, 120)`;
            pen.fillRect(0, 0, 300, 150);
            await new Promise((resolve) => setTimeout(resolve, 40));
          }
          recorder.stop();
          await ended;
          return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
        }"""
    )
    page.close()
    return bytes(data)


def test_the_player_jumps_to_the_suspicious_seconds(visitor, webm):
    visitor.result("clip.mp4", webm, "video/mp4")
    page = visitor.page
    video = page.locator(".player video")
    expect(video).to_be_visible()
    assert blurred(video)
    expect(page.locator("#no-player")).to_be_hidden()
    page.evaluate("document.querySelector('video').play = () => Promise.resolve()")
    jump = page.get_by_role("button", name="From 0:03.0 to 0:06.0")
    page.evaluate(
        """() => {
          window.jumps = [];
          const video = document.querySelector("video");
          const real = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "currentTime");
          Object.defineProperty(video, "currentTime", {
            get: () => real.get.call(video),
            set: (value) => { window.jumps.push(value); real.set.call(video, value); },
          });
        }"""
    )
    jump.click()
    assert page.evaluate("window.jumps") == pytest.approx([3.0], abs=0.05)
    page.locator(".plot svg").first.click()
    page.locator(".thumbs a").last.click()
    times = page.evaluate("window.jumps")
    assert times[1] == pytest.approx(5.0, abs=0.3)
    assert times[2] == pytest.approx(9.5, abs=0.1)


def test_a_video_that_the_browser_cannot_play_leaves_its_frames(visitor):
    visitor.result("clip.mp4", CLIP, "video/mp4")
    expect(visitor.page.get_by_text("Your browser cannot play this video")).to_be_visible()
    expect(visitor.page.locator(".frame:not([hidden])")).to_have_count(1)
    assert visitor.page.locator(".player").count() == 0


def test_the_report_can_be_taken_along(visitor, tmp_path: Path):
    visitor.result()
    page = visitor.page
    page.get_by_text("Save the report").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="As a web page (HTML)").click()
    file = tmp_path / "report.html"
    download.value.save_as(file)
    assert "Strong signs of manipulation" in file.read_text(encoding="utf-8")
    with page.expect_download() as download:
        page.get_by_role("link", name="For programs (JSON)").click()
    assert download.value.suggested_filename == "haechi-report.json"


def test_printing_leaves_out_the_page_around_the_report(visitor):
    visitor.result()
    visitor.page.emulate_media(media="print")
    for hidden in (".masthead", ".acts", ".foot", ".veil-bar"):
        expect(visitor.page.locator(hidden)).to_be_hidden()
    expect(visitor.page.locator("#verdict .sentence")).to_be_visible()


def test_delete_now(visitor):
    visitor.result()
    address = visitor.page.url
    visitor.page.get_by_role("button", name="Delete now").click()
    expect(visitor.page.get_by_text("Deleted. Nothing of it is left")).to_be_visible()
    visitor.page.goto(address)
    expect(visitor.page.locator("h1")).to_have_text("This did not work")
