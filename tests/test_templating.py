"""HTML from templates: escaped without being asked to, nothing hidden in it, and no HTML anywhere else."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from jinja2 import UndefinedError

import haechi
from haechi.case import Case
from haechi.case.page import page
from haechi.case.page import text as case_text
from haechi.report import LANGUAGES, render_html
from haechi.report.templating import environment
from haechi.types import Claim, Evidence, ModelRef, Reason
from html_page import Page
from report_cases import HOSTILE_NAME, photo

SOURCE = Path(haechi.__file__).parent
PACKAGES = ("haechi.report", "haechi.batch", "haechi.case", "haechi.web")
TEMPLATES = [
    (package, file.name)
    for package in PACKAGES
    for file in sorted(Path(str(files(package).joinpath("templates"))).glob("*.html"))
]
HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\x1b]")

#: Where HTML is made of text without escaping, how often, and why it may.
MARKUP = {
    "report/templating.py": 2,  # what a template gave; a line break, to join lines that it escapes
    "report/html.py": 3,  # our style sheet with numbers; our script; nothing
    "report/sections.py": 2,  # nothing
    "batch/page.py": 2,  # our style sheet; our script
    "case/page.py": 1,  # our style sheet
    "case/qr.py": 1,  # a drawing by segno
    "web/pages/render.py": 1,  # what a template gave
}
#: Strings of Python that look like HTML and are none that anybody is shown.
NO_HTML = {"web/pdf.py"}  # finds the drawings in a page to flatten them
#: Where text is left as a person typed it, to be changed by the same person, or over several lines.
FILTERS = {
    ("haechi.web", "case.html"): 2,
    ("haechi.web", "live_clip.html"): 1,
    ("haechi.web", "fields.html"): 3,
    ("haechi.web", "case_verify.html"): 1,
    ("haechi.web", "case_letter.html"): 1,
    ("haechi.case", "case.html"): 1,
}


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_shown_is_escaped_and_visible(package: str) -> None:
    template = environment(package).from_string("<b title='{{ x }}'>{{ x }}</b> {{ x | visible_lines }}")
    text = template.render(x="<i>\n\"'&\u202e")
    assert text == (
        "<b title='&lt;i&gt;\\n&#34;&#39;&amp;\\u202e'>&lt;i&gt;\\n&#34;&#39;&amp;\\u202e</b> "
        "&lt;i&gt;\n&#34;&#39;&amp;\\u202e"
    )
    with pytest.raises(UndefinedError):
        environment(package).from_string("{{ missing }}").render()


@pytest.mark.parametrize(("package", "name"), TEMPLATES)
def test_no_template_turns_escaping_off(package: str, name: str) -> None:
    text = files(package).joinpath("templates", name).read_text(encoding="utf-8")
    assert environment(package).get_template(name)
    assert not re.search(r"\|\s*safe|autoescape", text)
    assert len(re.findall(r"\|\s*(?:as_typed|visible_lines)", text)) == FILTERS.get((package, name), 0)


def test_html_is_made_by_templates_alone() -> None:
    marked, written = {}, set()
    for folder in ("report", "batch", "case", "web"):
        for file in (SOURCE / folder).rglob("*.py"):
            text, name = file.read_text(encoding="utf-8"), file.relative_to(SOURCE).as_posix()
            if number := len(re.findall(r"\bMarkup\(", text)):
                marked[name] = number
            strings = [n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant)]
            if any(isinstance(s, str) and re.search(r"</[a-z]|(?<!P)<[a-z]+[1-6]?[ >]", s) for s in strings):
                written.add(name)
    assert marked == MARKUP
    assert written <= NO_HTML


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_words_stay_words_on_the_page_of_a_case(lang: str, tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case", HOSTILE_NAME)
    case.add(b"not a picture", name=HOSTILE_NAME, address=HOSTILE_NAME, note=f"one\r\n{HOSTILE_NAME}")
    text = page(case, lang, {1: HOSTILE_NAME})
    parsed = Page(text)
    assert not parsed.all("script")
    assert not HIDDEN.search(text)
    assert parsed.text.count("<script>alert(1)</script>") >= 4
    assert "one\na&lt;script" in text
    assert "one\n" in case_text(case, lang)
    assert "\\r" not in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_words_stay_words_wherever_they_stand_in_a_report(lang: str) -> None:
    plain = photo(HOSTILE_NAME)
    evil = Reason("detector_failed", {"error": HOSTILE_NAME})
    figures = {HOSTILE_NAME: {"value": 0.5, "what": HOSTILE_NAME}, "x": HOSTILE_NAME}
    report = replace(
        plain,
        media=replace(plain.media, container={HOSTILE_NAME: HOSTILE_NAME}, sha256=HOSTILE_NAME),
        evidence=(*plain.evidence, Evidence(HOSTILE_NAME, "1", "failed", None, evil)),
        claims=(Claim(HOSTILE_NAME, "1", evil, (evil,)),),
        models=(ModelRef(HOSTILE_NAME, HOSTILE_NAME, HOSTILE_NAME, figures),),
        created=HOSTILE_NAME,
    )
    text = render_html(report, lang)
    parsed = Page(text)
    assert len(parsed.all("script")) == 1
    assert "alert(1)" not in parsed.inside["script"]
    assert not HIDDEN.search(text)
    assert parsed.text.count("a<script>alert(1)</script>") >= 8
