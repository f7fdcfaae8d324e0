"""The words that a picture was made from, found among the settings that an image generator left in it.

Read as hostile input: JSON of a bounded size, walked over a bounded number of values, and what comes of it is
one printable line of bounded length. They may name a person, but they are the maker's own account of what the
picture shows, and whoever has the file has them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

#: Characters of the words of a file together; what is longer is cut, and says so.
MOST_WORDS = 1000
CUT = " […]"
_MOST_JSON, _MOST_VALUES, _MOST_PIECES = 1 << 20, 20_000, 50
# Of ComfyUI (``text`` and what the encoders for several networks call it), InvokeAI, SwarmUI, NovelAI.
_KEYS = frozenset({"prompt", "positive_prompt", "positive", "text", "text_g", "text_l", "clip_l", "t5xxl"})
_PREFIX = re.compile(r"\s*(?:workflow|prompt)\s*:\s*(?=\{)", re.IGNORECASE)
# Where the words end in the notes that are plain text: web UIs in the style of AUTOMATIC1111, and Midjourney.
_END = re.compile(r"\bNegative prompt:|\bSteps: \d+,|\bJob ID: ", re.IGNORECASE)
_PLAIN_KEYS = frozenset({"parameters", "dream"})


def prompt_words(settings: Iterable[tuple[str, str]]) -> str:
    """The words in the settings (key, text) of generators, each piece once; empty when none are found."""
    pieces: dict[str, None] = {}
    for key, text in settings:
        for piece in _pieces(key, text):
            if len(pieces) < _MOST_PIECES and (line := _line(piece)):
                pieces[line] = None
    words = " · ".join(pieces)
    return words if len(words) <= MOST_WORDS else words[:MOST_WORDS].rstrip() + CUT


def _pieces(key: str, text: str) -> Iterator[str]:
    tree = _json(text)
    if tree is not None:
        yield from _in_tree(tree)
    elif (end := _END.search(text[:_MOST_JSON])) is not None:
        yield text[: end.start()]
    elif key.strip().casefold() in _PLAIN_KEYS:
        yield text


def _json(text: str) -> Any:
    """A JSON object or list; None for everything else."""
    text = text[:_MOST_JSON]
    prefix = _PREFIX.match(text)
    text = (text[prefix.end() :] if prefix else text).strip(" \t\r\n\x00")
    if not text.startswith(("{", "[")):
        return None
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return tree if isinstance(tree, dict | list) else None


def _in_tree(tree: Any) -> Iterator[str]:
    """The texts under the keys that generators use, in their order; texts that are JSON are looked into."""
    stack = [tree]
    for _ in range(_MOST_VALUES):
        if not stack:
            return
        value = stack.pop()
        if isinstance(value, str):
            inner = _json(value)
            if inner is None:
                yield value
            else:
                stack.append(inner)
        elif isinstance(value, list):
            stack += [item for item in reversed(value) if isinstance(item, dict | list)]
        else:
            stack += reversed(list(_worth_a_look(value)))


def _worth_a_look(node: dict[str, Any]) -> Iterator[Any]:
    """What of a JSON object is looked at: the texts under known keys, and whatever holds more."""
    kind = node.get("type")
    if isinstance(kind, str) and "TextEncode" in kind and isinstance(node.get("widgets_values"), list):
        # ComfyUI's editor keeps the fields of a node without their names.
        yield from (value for value in node["widgets_values"] if isinstance(value, str))
    for key, value in node.items():
        if isinstance(value, dict | list) or (isinstance(value, str) and key.casefold() in _KEYS):
            yield value


def _line(text: str) -> str:
    """One printable line, cut to a little more than is shown."""
    printable = "".join(c if c.isprintable() else " " for c in text[: 4 * MOST_WORDS])
    return " ".join(printable.split())[: MOST_WORDS + 1]
