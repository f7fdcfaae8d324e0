"""A page of HTML, read as strictly as a browser is lenient."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "input", "img", "link", "hr"}


class Page(HTMLParser):
    """Elements of a page in order, each (tag, attributes); raises on tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, str] = {}
        self._open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"attribute twice in {tag}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open, tag
        assert self._open.pop() == tag

    def handle_data(self, data):
        here = self._open[-1] if self._open else ""
        self.inside[here] = self.inside.get(here, "") + data
        if here not in ("style", "script"):
            self.text += data + " "

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]
