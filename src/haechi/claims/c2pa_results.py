"""The validation results of a manifest store, told apart: what concerns the file itself, and what concerns
the files that it was made from.

Every list and every depth is bounded: manifests are reached over their labels, each once, and nothing is read
recursively.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from haechi.claims.c2pa_codes import BINDINGS, CODES, Kind, Status, look_up
from haechi.media.exif import clean
from haechi.types import Reason

_MOST_MANIFESTS, _MOST_INGREDIENTS, _MOST_CODES, _MOST_SENTENCES = 200, 1000, 2000, 12
_KINDS: tuple[Kind, ...] = ("failure", "informational", "success")
_HASH, _HASH_FITS = "assertion.dataHash.mismatch", "assertion.dataHash.match"
_METADATA_ONLY = Status("informational", "content", "partly", "c2pa_partly_notes")


@dataclass(frozen=True, slots=True)
class Results:
    """own, earlier: (code, what it says), of the file and of those that it was made from. An earlier file may
    be wrong by what was found now, or by what the signer found when it was used."""

    own: tuple[tuple[str, Status], ...]
    earlier: tuple[tuple[str, Status], ...]

    def passed(self, code: str) -> bool:
        return any(own == code and status.kind == "success" for own, status in self.own)

    @property
    def bound(self) -> bool:
        """Whether a hash over the content holds."""
        return any(self.passed(code) for code in BINDINGS)

    @property
    def wrong_before(self) -> bool:
        """Whether the statement of an earlier file does not hold."""
        return any(
            status.effect in ("altered", "invalid")
            or (status.concern, status.kind) == ("ingredient", "failure")
            for _, status in self.earlier
        )


def read_results(store: Mapping[str, Any], chain: list[Mapping[str, Any]], metadata_only: bool) -> Results:
    """chain: the active manifest and those of the files before. metadata_only: what the signature leaves out,
    beside the statement itself, is known to be notes and not the picture."""
    results = as_map(store.get("validation_results"))
    statuses = list(_buckets(as_map(results.get("activeManifest")), metadata_only))
    own = [(code, status) for code, status in statuses if status.concern != "ingredient"]
    earlier = [(code, status) for code, status in statuses if status.concern == "ingredient"]
    for delta in as_list(results.get("ingredientDeltas"))[:_MOST_INGREDIENTS]:
        earlier += _buckets(as_map(as_map(delta).get("validationDeltas")), False)
    for manifest in chain:
        for ingredient in as_list(manifest.get("ingredients"))[:_MOST_INGREDIENTS]:
            earlier += _attested(as_map(ingredient))
    return Results(tuple(own), tuple(item for item in earlier if item[1].kind != "success"))


def chain_of(store: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The active manifest and those that it, or one of them, names as what it was made from. A store may hold
    others, which anyone can add without breaking a signature. Empty when there is no active manifest."""
    manifests, label = as_map(store.get("manifests")), store.get("active_manifest")
    chain: list[Mapping[str, Any]] = []
    waiting, visited = [label], set[str]()
    while waiting and len(chain) < _MOST_MANIFESTS:
        label = waiting.pop(0)
        if not isinstance(label, str) or label in visited:
            continue
        visited.add(label)
        manifest = as_map(manifests.get(label))
        if manifest:
            chain.append(manifest)
            ingredients = as_list(manifest.get("ingredients"))[:_MOST_INGREDIENTS]
            waiting += [as_map(item).get("active_manifest") for item in ingredients]
        elif not chain:
            break
    return chain


def status_reasons(statuses: list[tuple[str, Status]], code: str) -> Iterator[Reason]:
    """A Reason ``code`` for each sentence, with the codes of the standard that it stands for."""
    by_sentence: dict[str, list[str]] = {}
    for name, status in statuses:
        names = by_sentence.setdefault(status.sentence, [])
        if clean(name[:100]) not in names:
            names.append(clean(name[:100]))
    for sentence, names in list(by_sentence.items())[:_MOST_SENTENCES]:
        yield Reason(code, {"why": sentence, "code": ", ".join(names[:_MOST_SENTENCES])})


def _buckets(results: Mapping[str, Any], metadata_only: bool) -> Iterator[tuple[str, Status]]:
    """Codes of ``success``, ``informational`` and ``failure``, failures first."""
    fits = {as_map(item).get("url") for item in _items(results, "success") if _code(item) == _HASH_FITS}
    for kind in _KINDS:
        for item in _items(results, kind):
            code = _code(item)
            if code == _HASH and metadata_only and as_map(item).get("url") in fits:
                # The same hash fits: the library minds only that it leaves out more than the statement.
                yield code, _METADATA_ONLY
            elif code:
                yield code, look_up(code, kind)


def _attested(ingredient: Mapping[str, Any]) -> Iterator[tuple[str, Status]]:
    """What the signer found wrong when a file was used; the library does not report that again.
    ``validation_status`` is the older form, a flat list of what failed, which may hold successes."""
    results = as_map(as_map(ingredient.get("validation_results")).get("activeManifest"))
    yield from _buckets(results, False)
    for item in as_list(ingredient.get("validation_status"))[:_MOST_CODES]:
        code = _code(item)
        if code and not (code in CODES and CODES[code].kind == "success"):
            yield code, look_up(code, "failure")


def _items(results: Mapping[str, Any], kind: Kind) -> list[Any]:
    return as_list(results.get(kind))[:_MOST_CODES]


def _code(item: object) -> str:
    code = as_map(item).get("code")
    return code if isinstance(code, str) else ""


def as_map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
