"""The page of one check: how far it is, then its report with what one can do with it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from haechi.report import html
from haechi.report.messages import say as say_report
from haechi.types import Level, Report
from haechi.web import words
from haechi.web.answers import Answers, of_minor
from haechi.web.api import done, not_found, seen
from haechi.web.jobs.records import Job
from haechi.web.pages.check import script_words
from haechi.web.pages.models import in_plain_words
from haechi.web.pages.questions import advice, questions
from haechi.web.pages.render import fragment, language, page
from haechi.web.problem import Problem

router = APIRouter(include_in_schema=False)

#: The order of this page: first what it means and what to do, then the evidence. What to do is not told by
#: the report, which does not know for whom.
_BEFORE = ("verdict",)
#: What a verdict adds to do for who may have the picture: endings of ``step_`` in the words of reports.
_ALSO: Mapping[Level, tuple[str, ...]] = {
    "strong": ("source", "second"),
    "some": ("source", "second"),
    "none": ("none", "source"),
    "unknown": ("better", "source"),
}
#: What a layman need not read stands folded at the end.
_FOLDED = ("faces", "models", "file")
#: The sentences that the script of a result uses.
RESULT_SCRIPT = ("loupe", "loupe_original", "loupe_preview", "player_jump", "player_to", "player_broken")


@router.get("/checks/{id}")
def shown(request: Request, id: str) -> Response:  # noqa: A002
    """The result, or how far it is."""
    job = seen(request, id)
    if job is None:
        raise not_found()
    if job.error is not None:
        raise Problem.named(*job.error)
    if job.status != "done":
        return page(request, "running.html", job=job, stage=stage_word(job), script=script_words(request))
    lang = language(request)
    report = done(request, id)
    values = questions(request)
    answers = values["answers"]
    if answers is not None:
        values |= advice(answers)
        values["also"] = list(_also(report, answers, lang))
    return page(
        request,
        "result.html",
        job=job,
        rules=f"/checks/{id}/report.css",
        minutes=_minutes_left(job),
        pdf=find_spec("weasyprint") is not None,
        script={key: words.catalogue(lang)[key] for key in RESULT_SCRIPT},
        **arranged(request, report),
        **values,
    )


def _also(report: Report, answers: Answers, lang: str) -> Iterator[str]:
    """What this verdict adds to the steps for everybody. Nobody is sent to look for a picture, or to keep or
    show one, who may not have it."""
    level = report.verdict.level
    if level == "none":
        yield words.say("path_not_clear", lang)
    if not answers.minor and answers.country != "KR":
        yield from (say_report(f"step_{step}", lang) for step in _ALSO[level])


def arranged(request: Request, report: Report) -> dict[str, Any]:
    """The report's sections in the order of our pages, by the names that the templates use; ``hidden``: less
    its pictures, and what asks to save some, as for a visitor who said that the person is a minor."""
    lang, hidden = language(request), of_minor(request)
    report = may_see(request, report)
    bar = fragment(request, "picture_bar.html", video=report.media.kind == "video")
    parts = html.parts(report, lang, above_picture=bar, beside_verdict=True)
    last = (*_BEFORE, *_FOLDED, "limits", "steps", *(("picture", "timeline", "scope") if hidden else ()))
    return {
        "parts": parts,
        "kind": report.media.kind,
        "before": [parts.sections[name] for name in _BEFORE],
        "hidden": hidden,
        "after": [text for name, text in parts.sections.items() if name not in last],
        "limits": parts.sections["limits"],
        "folded": [parts.sections[name] for name in _FOLDED],
        "errs": [
            line
            for model in report.models
            if model.name.startswith("verdict")
            for line in in_plain_words(model.figures, lang)
        ],
    }


@router.get("/checks/{id}/report.css")
def rules(request: Request, id: str) -> Response:  # noqa: A002
    """The style rules that only this report needs; a sheet of its own, because the policy of the pages
    forbids styles inside them. It places the pictures, so of a minor it has less to say."""
    return Response(html.rules(may_see(request, done(request, id))), media_type="text/css")


def may_see(request: Request, report: Report) -> Report:
    """The report as this visitor may see it: without pictures where the person is a minor."""
    return replace(report, previews=()) if of_minor(request) else report


@router.post("/checks/{id}/delete")
def delete(request: Request, id: str) -> Response:  # noqa: A002
    """Delete the result now. Whoever asks twice, or too late, gets what they want all the same."""
    if seen(request, id) is not None:
        request.app.state.jobs.drop(id)
    return RedirectResponse("/?deleted=true", 303)


def stage_word(job: Job) -> str:
    """The key of the sentence for where a job is; the script has the same table."""
    if job.status == "waiting":
        return "state_waiting" if job.ahead else "state_queued"
    first = {"open": "state_open", "faces": "state_faces"}
    last = dict.fromkeys(("verdict", "claims", "previews", "done"), "state_verdict")
    return (first | last).get(job.stage, "state_evidence")


def _minutes_left(job: Job) -> int:
    return max(1, math.ceil(((job.expires_s or 0.0) - time.time()) / 60))
