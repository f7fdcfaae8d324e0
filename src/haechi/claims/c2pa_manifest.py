"""What a C2PA manifest store says, in statements that a layman can read.

``statements`` takes the JSON that the C2PA library made of the store, with its own validation in it. The text
in it was written by whoever made the file, so every piece is cleaned and cut short, and nothing is trusted to
have the shape that it should.
Source: C2PA Technical Specification 2.2, 15 (validation and its status codes) and 18 (assertions).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from haechi.claims.c2pa_results import Results, as_list, as_map, chain_of, read_results, status_reasons
from haechi.claims.source_types import source_fact
from haechi.media.exif import clean
from haechi.types import Reason

_MOST_PROGRAMS, _MOST_ACTIONS, _LARGEST_COUNT = 4, 1000, 10_000
# What is told by a sentence of its own, or by the absence of one that would say the opposite.
_TOLD_ELSEWHERE = frozenset({"c2pa_clock_unknown", "c2pa_clock_trusted", "c2pa_time_within"})
_OPPOSITES = {
    "c2pa_content_differs": "c2pa_content_fits",
    "c2pa_statement_differs": "c2pa_statement_fits",
    "c2pa_signer_expired": "c2pa_signed_within",
    "c2pa_signed_outside": "c2pa_signed_within",
}
_DOES_NOT_FIT = frozenset({"provenance_altered", "provenance_invalid"})
_OLD_CLAIM = 1
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


def statements(store: object, metadata_only: bool = False) -> tuple[Reason, tuple[Reason, ...]]:
    """The statement on the whole (intact, altered after signing, not to be relied on), and the single ones.
    ``metadata_only``: what the signature leaves out beside the statement is known to be metadata, not the
    picture.

    Raises ValueError when there is no active manifest, which is no manifest store."""
    manifests = as_map(store)
    chain = chain_of(manifests)
    if not chain:
        raise ValueError("no active manifest")
    active, *before = chain
    results = read_results(manifests, chain, metadata_only)
    whole = _whole(results)
    facts = [*_signer(active, results), *_status(results, whole in _DOES_NOT_FIT)]
    return Reason(whole), (*facts, *_making(active), *_parts(active, before, results))


def _whole(results: Results) -> str:
    effects = {status.effect for _, status in results.own}
    if "altered" in effects:
        return "provenance_altered"
    if "invalid" in effects or not results.bound or not results.passed("claimSignature.validated"):
        return "provenance_invalid"
    for effect in ("lapsed", "partly"):
        if effect in effects:
            return f"provenance_{effect}"
    return "provenance_earlier_wrong" if results.wrong_before else "provenance_intact"


def _signer(active: Mapping[str, Any], results: Results) -> Iterator[Reason]:
    signed = as_map(active.get("signature_info"))
    names = list(dict.fromkeys(filter(None, (_text(signed.get(k)) for k in ("issuer", "common_name")))))
    yield Reason("c2pa_signer", {"signer": " / ".join(names)}) if names else Reason("c2pa_signer_unnamed")
    trusted = results.passed("signingCredential.trusted")
    yield Reason("c2pa_signer_trusted" if trusted else "c2pa_signer_unknown")
    failures = (status for _, status in results.own if status.kind == "failure")
    against = {status.sentence for status in failures if status.concern == "signer"}
    yield from (Reason(sentence) for sentence in sorted(against - {"c2pa_signer_unknown"}))
    if trusted and any(status.sentence == "c2pa_revocation_unasked" for _, status in results.own):
        yield Reason("c2pa_revocation_unasked")
    day = _text(signed.get("time"))[:10]
    if day:
        # Of claims of the first version the library trusts every clock, whoever runs it.
        sure = results.passed("timeStamp.trusted") and results.passed("timeStamp.validated")
        sure = sure and active.get("claim_version") != _OLD_CLAIM
        yield Reason("c2pa_signed_on" if sure else "c2pa_signed_on_unproven", {"date": day})


def _status(results: Results, with_what_holds: bool) -> Iterator[Reason]:
    """What was found, with the codes of the standard; what holds, where something else does not."""
    against = {status.sentence for _, status in results.own if status.kind != "success"}
    elsewhere = _TOLD_ELSEWHERE | {_OPPOSITES.get(sentence, "") for sentence in against}
    own = [
        (code, status)
        for code, status in results.own
        if status.concern != "signer" and status.sentence not in elsewhere
    ]
    yield from status_reasons([item for item in own if item[1].kind != "success"], "c2pa_status")
    if with_what_holds:
        yield from status_reasons([item for item in own if item[1].kind == "success"], "c2pa_status")


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
    facts = (source_fact(action.get("digitalSourceType")) for action in actions)
    yield from {fact.code: fact for fact in facts if fact}.values()


def _parts(active: Mapping[str, Any], before: list[Mapping[str, Any]], results: Results) -> Iterator[Reason]:
    """The files that this one was made from, what their own statements add, and whether those hold. That
    nobody vouches for their signers is not told: without a list it is so for every one."""
    count = len(as_list(active.get("ingredients")))
    if count:
        yield Reason("c2pa_ingredients", {"n": min(count, _LARGEST_COUNT)})
    codes = {fact.code for manifest in before for fact in _sources(list(_actions(manifest)))}
    if codes & {"source_ai", "source_ai_part"}:
        yield Reason("c2pa_earlier_ai")
    against = [
        (code, status)
        for code, status in results.earlier
        if (status.kind == "failure" and status.sentence != "c2pa_signer_unknown")
        or status.sentence == "c2pa_earlier_bare"
    ]
    yield from status_reasons(against, "c2pa_earlier_status")


def _programs(active: Mapping[str, Any]) -> Iterator[str]:
    for program in as_list(active.get("claim_generator_info")):
        yield _named(as_map(program))
    if not as_list(active.get("claim_generator_info")):
        yield _text(active.get("claim_generator"))
    for action in _actions(active):
        agent = action.get("softwareAgent")
        yield _text(agent) if isinstance(agent, str) else _text(as_map(agent).get("name"))


def _named(program: Mapping[str, Any]) -> str:
    return clean(f"{_text(program.get('name'))} {_text(program.get('version'))}")


def _actions(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The actions of all assertions ``c2pa.actions``, at most a thousand."""
    count = 0
    for assertion in as_list(manifest.get("assertions")):
        label = as_map(assertion).get("label")
        if not isinstance(label, str) or not label.startswith("c2pa.actions"):
            continue
        for action in as_list(as_map(as_map(assertion).get("data")).get("actions")):
            count += 1
            if count > _MOST_ACTIONS:
                return
            yield as_map(action)


def _text(value: object) -> str:
    return clean(value[:1000]) if isinstance(value, str) else ""
