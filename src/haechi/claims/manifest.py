"""What a C2PA manifest store says, in statements that a layman can read.

``statements`` takes the JSON that the C2PA library made of the store, with its own validation in it. The text
in it was written by whoever made the file, so every piece is cleaned and cut short, and nothing is trusted to
have the shape that it should.
Source: C2PA Technical Specification 2.2, 15 (validation and its status codes) and 18 (assertions).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from haechi.claims.sources import source_fact
from haechi.media.exif import clean
from haechi.types import Reason

_MOST_MANIFESTS, _MOST_PROGRAMS, _MOST_ACTIONS, _LARGEST_COUNT = 200, 4, 1000, 10_000
# Failures that concern who signed, and when; whether the file is as signed is another question.
_OF_THE_SIGNER = ("signingCredential.", "timeStamp.", "claimSignature.outsideValidity")
# What changes how a picture is stored or framed, but not what it shows.
_ADJUSTMENTS = frozenset(
    {
        *("c2pa.cropped", "c2pa.resized", "c2pa.resized.proportional", "c2pa.orientation"),
        *("c2pa.color_adjustments", "c2pa.converted", "c2pa.transcoded", "c2pa.repackaged"),
        *("c2pa.published", "c2pa.opened", "c2pa.created", "c2pa.watermarked", "c2pa.watermarked.bound"),
        *("c2pa.watermarked.unbound", "c2pa.trimmed", "c2pa.enhanced", "c2pa.redacted", "c2pa.unknown"),
    }
)
_SILENT = frozenset({"c2pa.opened", "c2pa.created", "c2pa.published", "c2pa.unknown", "c2pa.redacted"})


def statements(store: object) -> tuple[Reason, tuple[Reason, ...]]:
    """The statement on the whole (intact, altered after signing, not to be relied on), and the single ones.

    Raises ValueError when there is no active manifest, which is no manifest store."""
    manifests = _map(_map(store).get("manifests"))
    label = _map(store).get("active_manifest")
    active = _map(manifests.get(label)) if isinstance(label, str) else {}
    if not active:
        raise ValueError("no active manifest")
    results = _map(_map(store).get("validation_results"))
    passed, failed = (_codes(results, kind) for kind in ("success", "failure"))
    facts = [*_signer(active, passed, failed)]
    if any(code.endswith(".additionalExclusionsPresent") for code in _codes(results, "informational")):
        facts.append(Reason("c2pa_partly"))
    facts += _making(active)
    earlier = [_map(manifests[key]) for key in list(manifests)[:_MOST_MANIFESTS] if key != label]
    facts += _parts(active, earlier, results)
    return _whole(passed, failed), tuple(facts)


def _whole(passed: frozenset[str], failed: frozenset[str]) -> Reason:
    if any(code.endswith(".mismatch") and not code.startswith("timeStamp.") for code in failed):
        return Reason("provenance_altered")
    bound = any(code.startswith("assertion.") and code.endswith("Hash.match") for code in passed)
    of_the_content = [code for code in failed if not code.startswith(_OF_THE_SIGNER)]
    if of_the_content or not bound or "claimSignature.validated" not in passed:
        return Reason("provenance_invalid")
    return Reason("provenance_intact")


def _signer(active: Mapping[str, Any], passed: frozenset[str], failed: frozenset[str]) -> Iterator[Reason]:
    signed = _map(active.get("signature_info"))
    names = list(dict.fromkeys(filter(None, (_text(signed.get(k)) for k in ("issuer", "common_name")))))
    yield Reason("c2pa_signer", {"signer": " / ".join(names)}) if names else Reason("c2pa_signer_unnamed")
    if "signingCredential.trusted" in passed:
        yield Reason("c2pa_signer_trusted")
    else:
        yield Reason("c2pa_signer_unknown")
    if {"signingCredential.expired", "claimSignature.outsideValidity"} & failed:
        yield Reason("c2pa_signer_expired")
    if any("revoked" in code for code in failed):
        yield Reason("c2pa_signer_revoked")
    day = _text(signed.get("time"))[:10]
    if day:
        sure = "timeStamp.trusted" in passed and "timeStamp.validated" in passed
        yield Reason("c2pa_signed_on" if sure else "c2pa_signed_on_unproven", {"date": day})


def _making(active: Mapping[str, Any]) -> Iterator[Reason]:
    """By which program, from what kind of source, and how it was edited."""
    programs = list(dict.fromkeys(filter(None, _programs(active))))[:_MOST_PROGRAMS]
    if programs:
        yield Reason("c2pa_program", {"programs": ", ".join(programs)})
    actions = list(_actions(active))
    yield from _sources(actions)
    names = [str(a.get("action", "")) for a in actions]
    edits = sum(name not in _ADJUSTMENTS for name in names)
    adjustments = sum(name in _ADJUSTMENTS - _SILENT for name in names)
    if edits:
        yield Reason("c2pa_edited", {"n": edits})
    if adjustments:
        yield Reason("c2pa_adjusted", {"n": adjustments})


def _sources(actions: list[Mapping[str, Any]]) -> Iterator[Reason]:
    told = (source_fact(action.get("digitalSourceType")) for action in actions)
    yield from {fact.code: fact for fact in told if fact}.values()


def _parts(
    active: Mapping[str, Any], earlier: list[Mapping[str, Any]], results: Mapping[str, Any]
) -> Iterator[Reason]:
    """The files that this one was made from, and what their own statements add."""
    count = len(_list(active.get("ingredients")))
    if count:
        yield Reason("c2pa_ingredients", {"n": min(count, _LARGEST_COUNT)})
    codes = {fact.code for manifest in earlier for fact in _sources(list(_actions(manifest)))}
    if codes & {"source_ai", "source_ai_part"}:
        yield Reason("c2pa_earlier_ai")
    deltas = [_map(_map(d).get("validationDeltas")) for d in _list(results.get("ingredientDeltas"))]
    wrong = {code for delta in deltas for code in _codes({"activeManifest": delta}, "failure")}
    if any(not code.startswith(_OF_THE_SIGNER) for code in wrong):
        yield Reason("c2pa_ingredient_wrong")


def _programs(active: Mapping[str, Any]) -> Iterator[str]:
    for made in _list(active.get("claim_generator_info")):
        yield _named(_map(made))
    if not _list(active.get("claim_generator_info")):
        yield _text(active.get("claim_generator"))
    for action in _actions(active):
        agent = action.get("softwareAgent")
        yield _text(agent) if isinstance(agent, str) else _text(_map(agent).get("name"))


def _named(made: Mapping[str, Any]) -> str:
    return clean(f"{_text(made.get('name'))} {_text(made.get('version'))}")


def _actions(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The actions of all assertions ``c2pa.actions``, at most a thousand."""
    count = 0
    for assertion in _list(manifest.get("assertions")):
        label = _map(assertion).get("label")
        if not isinstance(label, str) or not label.startswith("c2pa.actions"):
            continue
        for action in _list(_map(_map(assertion).get("data")).get("actions")):
            count += 1
            if count > _MOST_ACTIONS:
                return
            yield _map(action)


def _codes(results: Mapping[str, Any], kind: str) -> frozenset[str]:
    """Status codes of the active manifest: ``success``, ``informational`` or ``failure``."""
    found = (_map(item).get("code") for item in _list(_map(results.get("activeManifest")).get(kind)))
    return frozenset(code for code in found if isinstance(code, str))


def _text(value: object) -> str:
    return clean(value[:1000]) if isinstance(value, str) else ""


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
