"""The model cards in plain words: what each looks at, how often it errs, where it fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from haechi import models
from haechi.report.facts import figure_heads, figure_rows
from haechi.report.messages import detector_name
from haechi.report.messages import say as say_report
from haechi.web import words
from haechi.web.pages.render import language, page

router = APIRouter(include_in_schema=False)


@router.get("/models")
def cards(request: Request) -> HTMLResponse:
    """Every card. Raises ModelError when one is missing or damaged."""
    lang = language(request)
    all_cards = models.cards(request.app.state.settings)
    return page(request, "models.html", cards=[_card(card, lang) for card in all_cards])


def _card(card: models.ModelCard, lang: str) -> dict[str, Any]:
    has_words = f"model_{card.name}" in words.catalogue(lang)
    return {
        "name": card.name,
        "version": card.version,
        "title": detector_name(card.name, lang),
        "does": words.say(f"model_{card.name}", lang) if has_words else None,
        "task": card.task,
        "licence": card.licence,
        "sha256": card.sha256,
        "plain": list(in_plain_words(card.figures, lang)),
        "heads": figure_heads(lang),
        "rows": list(figure_rows(card.figures, lang)),
        "data": card.data,
        "limits": card.limits,
    }


def in_plain_words(figures: Mapping[str, Any], lang: str) -> Iterator[str]:
    """The figures of a card that a layman can act on, counted in pictures instead of told as rates."""
    for level in ("strong", "some"):
        rate = _figure(figures, f"false_alarms_{level}", "clean")
        if rate is not None:
            level_word = say_report(f"level_word_{level}", lang)
            yield words.say("plain_false_alarms", lang, level=level_word, n=_of_1000(rate))
    auc = _figure(figures, "auc") or _figure(figures, "auc", "DFDC, clean")
    auc = auc or _figure(figures, "auc", "StyleGAN, clean")
    if auc is not None:
        yield words.say("plain_auc", lang, n=round(100 * auc))
    recall = _figure(figures, "recall")
    if recall is not None:
        yield words.say("plain_recall", lang, n=round(100 * recall))


def _figure(figures: Mapping[str, Any], *path: str) -> float | None:
    """The value at a place of the card's figures, None when it has none."""
    at: Any = figures
    for key in path:
        at = at.get(key) if isinstance(at, Mapping) else None
    value = at.get("value") if isinstance(at, Mapping) else at
    return float(value) if isinstance(value, int | float) else None


def _of_1000(rate: float) -> int:
    return round(1000 * rate)
