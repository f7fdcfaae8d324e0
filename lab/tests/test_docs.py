"""The README is short, the documentation says what the program says, and its site builds and loads nothing
from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import haechi
from haechi.errors import ExitCode, UsageError
from haechi_lab.docs import floors, pages, reference

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MOST_WORDS = 900
MOST_CHARACTERS = 1500  # of Chinese, in which 900 words take about as much room

_CODE = re.compile(r"^(?: {4}[^\n]*\n|```.*?^```\n)", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def prose(file: Path) -> str:
    """The text without blocks of code and HTML comments, links as their words."""
    text = _CODE.sub("", _COMMENT.sub("", file.read_text(encoding="utf-8")))
    return _LINK.sub("]", text)


def test_the_readme_is_short() -> None:
    # Words are what stands between blanks and holds a letter or a digit; tables count, their lines do not.
    words = [word for word in prose(ROOT / "README.md").split() if re.search(r"\w", word)]
    assert len(words) <= MOST_WORDS
    characters = re.findall(r"[\u4e00-\u9fff]", prose(ROOT / "README.zh-CN.md"))
    assert len(characters) <= MOST_CHARACTERS


@pytest.mark.parametrize(
    "file", [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md"))], ids=lambda f: f.name
)
def test_files_that_are_linked_are_there(file: Path) -> None:
    targets = _LINK.findall(_CODE.sub("", file.read_text(encoding="utf-8")))
    files = [target.partition("#")[0] for target in targets if "://" not in target]
    assert [name for name in files if name and not (file.parent / name).exists()] == []


def test_what_the_program_says_is_up_to_date() -> None:
    assert [file.name for file in pages.stale(ROOT)] == [], "run: haechi bench tables"


def test_a_changed_option_makes_a_page_stale(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "src").symlink_to(ROOT / "src")
    page = tmp_path / "docs" / "page.md"
    page.write_text("<!-- reference:options check -->\n<!-- /reference -->\nafter\n", encoding="utf-8")
    assert {file.name for file in pages.refresh(tmp_path)} == {"page.md", "floors.svg"}
    assert pages.stale(tmp_path) == []
    text = page.read_text(encoding="utf-8")
    assert "`--fail-on strong\\|some`" in text
    assert text.endswith("<!-- /reference -->\nafter\n")
    page.write_text(text.replace("--fail-on", "--fail-at"), encoding="utf-8")
    assert [file.name for file in pages.stale(tmp_path)] == ["page.md"]


@pytest.mark.parametrize("marker", ["weather", "options nothing"])
def test_markers_that_mean_nothing_are_errors(marker: str, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    text = f"<!-- reference:{marker} -->\n<!-- /reference -->\n"
    (tmp_path / "docs" / "page.md").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        pages.stale(tmp_path)


def test_every_exit_code_is_explained() -> None:
    for name in ("command-line.md", "manual.zh-CN.md"):
        told = re.findall(r"^\| (\d+) ", (DOCS / name).read_text(encoding="utf-8"), re.MULTILINE)
        assert {int(code) for code in told} >= {int(code) for code in ExitCode}, name


def test_every_setting_has_a_default_that_people_can_read() -> None:
    rows = (reference.settings() + reference.server_settings()).splitlines()[2:]
    assert not [row for row in rows if str(Path.home()) in row or "None" in row]


def test_rooms_stand_above_what_they_import() -> None:
    graph = floors.imports(Path(haechi.__file__).parent)
    level = floors.floor_of(graph)
    ground = floors.ground(graph)
    assert {room for room in level if not level[room]} == ground < graph.keys()
    assert all(level[room] > level[below] for room in graph for below in graph[room] - ground)
    with pytest.raises(ValueError, match="a, b"):
        floors.floor_of({"a": frozenset("b"), "b": frozenset("a")})


def test_files_that_the_tour_names_are_there() -> None:
    walk = (DOCS / "tour.md").read_text(encoding="utf-8").partition("## The rooms")[0]
    named = re.findall(r"`([\w/]+\.(?:py|json))`", walk)
    assert len(named) > 20
    source = Path(haechi.__file__).parent
    assert [name for name in named if not (source / name).is_file() and not (ROOT / name).is_file()] == []


class Loads(HTMLParser):
    """Addresses from which a browser would load something to show the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        names = {"link": ["href"], "a": [], "form": ["action"]}.get(tag, ["src", "srcset", "data", "poster"])
        self.found += [str(values[name]) for name in names if values.get(name)]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with warnings as errors, without the network."""
    out = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "--quiet",
        "-b",
        "html",
        "-d",
        out / "trees",
    ]
    run = subprocess.run([*command, DOCS, out / "html"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return out / "html"


@pytest.mark.slow
def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    files = sorted(site.rglob("*.html"))
    assert {"index.html", "measuring.html", "tour.html"} < {file.name for file in files}
    for file in files:
        loads = Loads()
        loads.feed(file.read_text(encoding="utf-8"))
        assert [address for address in loads.found if re.match(r"(\w+:)?//", address)] == [], file.name
    for file in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(\w+:)?//", file.read_text(encoding="utf-8")), (
            file.name
        )


@pytest.mark.slow
def test_chinese_pages_say_that_they_are(site: Path) -> None:
    assert '<html lang="zh-CN"' in (site / "case.zh-CN.html").read_text(encoding="utf-8").replace(
        ' class="no-js"', ""
    )
    assert 'lang="en"' in (site / "case.html").read_text(encoding="utf-8")
