"""A packet of XMP -> the few properties that matter here.

The XML comes from strangers: a document type is refused, and with it every entity; elements, their depth and
what is kept of their text are bounded. What was read before a packet breaks counts.
Sources: XMP Specification parts 1 and 2; IPTC Photo Metadata 2025.1; TC260-PG-20258A (the label AIGC).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from xml.parsers import expat

_SPACES = {
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#": "stEvt",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "iptc",
}
_WANTED = frozenset(
    {
        *("xmp:CreatorTool", "tiff:Make", "tiff:Model", "tiff:Software", "photoshop:Credit"),
        *("stEvt:action", "stEvt:softwareAgent", "dcterms:provenance", "exif:UserComment", "dc:description"),
        *("iptc:DigitalSourceType", "iptc:DigitalSourceFileType", "iptc:AISystemUsed", "tc260:AIGC"),
    }
)
_MOST_ELEMENTS, _DEEPEST, _MOST_VALUES, _LONGEST = 20_000, 64, 500, 8192


class _Stop(Exception):
    """The packet is of no more use, or never was."""


@dataclass(slots=True)
class _Reader:
    """Gathers the wanted properties, written as attributes or as elements with text somewhere in them."""

    properties: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    open: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    size: int = 0
    elements: int = 0
    values: int = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        self.open.append(_short(name))
        if self.elements > _MOST_ELEMENTS or len(self.open) > _DEEPEST:
            raise _Stop
        for key, value in attributes.items():
            self.keep(_short(key), value)
        self.text, self.size = [], 0

    def data(self, text: str) -> None:
        if self.size < _LONGEST:
            self.text.append(text)
            self.size += len(text)

    def end(self, _name: str) -> None:
        value = "".join(self.text).strip()
        if value:
            # The value of a list or a choice of languages lies in rdf:li, inside of the property.
            outer = next((name for name in reversed(self.open) if name in _WANTED), "")
            self.keep(outer, value)
        self.text, self.size = [], 0
        self.open.pop()

    def keep(self, name: str, value: str) -> None:
        if name in _WANTED and self.values < _MOST_VALUES:
            self.values += 1
            self.properties[name].append(value[:_LONGEST])

    def refuse(self, *_: object) -> None:
        raise _Stop


def read_xmp(packet: bytes) -> dict[str, list[str]]:
    """Property -> its values in the order of the packet. Never raises on what the packet holds."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    parser.buffer_text = True
    try:
        parser.Parse(packet.strip(b"\x00 \r\n\t"), True)
    except (expat.ExpatError, _Stop, ValueError, LookupError):
        return dict(reader.properties)
    return dict(reader.properties)


def _short(name: str) -> str:
    """``namespace local`` -> ``prefix:local`` for the namespaces that are known, else the bare local name."""
    space, _, local = name.rpartition(" ")
    if "tc260.org.cn" in space:
        return f"tc260:{local}"
    return f"{_SPACES[space]}:{local}" if space in _SPACES else local
