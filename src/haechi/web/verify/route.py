"""REST ``/v1/verifications``: open a session, send its frames, ask for its result, delete it."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from haechi.errors import UsageError
from haechi.report.messages import sentence
from haechi.types import Reason
from haechi.verify.book import LASTS_S, BookFull, DeviceOrder, Entry, SubjectBusy
from haechi.verify.challenges import BEGIN_S, Challenge
from haechi.verify.device import Binding, Credential, Party
from haechi.verify.session import Refused
from haechi.verify.types import VerificationResult
from haechi.verify.uploads import MOST_FRAME_BYTES, MOST_RECORDS
from haechi.web import openapi
from haechi.web.language import asked
from haechi.web.openapi import problems
from haechi.web.problem import Problem
from haechi.web.sessions import caller_of
from haechi.web.verify.service import VerificationService

router = APIRouter(prefix="/v1/verifications")

Id = Annotated[str, Path(description="As the session was opened.")]
_MOST_ORDER_BYTES = 4096
_MOST_DEVICE_BYTES = 32 * 1024
_MOST_SUBJECT = 128
_MOST_BODY_BYTES = MOST_RECORDS * (MOST_FRAME_BYTES + 64)
_LANG = {"parameters": [openapi.LANG]}


@router.post(
    "",
    status_code=201,
    responses=openapi.verification_answer(201, "The session is open; its key is told only here.")
    | problems(
        "cross_site", "invalid", "too_large", "too_slow", "verify_busy", "verify_full", "no_device", "model"
    ),
    openapi_extra={"parameters": [openapi.LANG], "requestBody": openapi.VERIFICATION_ORDER},
)
async def begin(request: Request) -> Response:
    """Open a session about a subject: the first challenge, and the key by which the page seals its frames."""
    lang = asked(request)
    service = _service(request)
    fault = request.app.state.scheduler.fault
    if fault is not None:
        raise Problem.of(fault)
    order = _object(await _body(request, _MOST_ORDER_BYTES), "order")
    subject, flash, keep_s = _order(order, service.most_keep_s)
    device = _device(order, service.party)
    owner = caller_of(request).owner
    try:
        entry = service.book.open(subject, owner, flash=flash, keep_s=keep_s, device=device)
    except SubjectBusy:
        raise Problem(
            "verify_busy",
            "A session of this subject runs already: end it there, or wait until it has expired.",
        ) from None
    except BookFull:
        raise Problem(
            "verify_full",
            "As many verifications as may be run already: try again in a minute, or raise "
            "HAECHI_VERIFICATIONS.",
            headers={"Retry-After": "30"},
        ) from None
    once: dict[str, Any] = {
        "key": base64.b64encode(entry.key).decode("ascii"),
        "expires_in_s": LASTS_S,
        "begin_s": BEGIN_S,
    }
    if entry.device is not None:
        once["device_options"] = entry.device.options(subject)
    headers = {"Location": f"/v1/verifications/{entry.id}"}
    return JSONResponse(_state(entry, lang) | once, 201, headers=headers)


@router.post(
    "/{id}/frames",
    responses=openapi.verification_answer(200, "They were taken; what is due now.")
    | problems("cross_site", "not_found", "invalid", "too_large", "too_slow", "verify_refused"),
    openapi_extra={"parameters": [openapi.LANG], "requestBody": openapi.FRAMES},
)
async def frames(request: Request, id: Id) -> Response:  # noqa: A002
    """Send sealed frames, in order. Whatever is not due ends the session, and the problem says why."""
    lang = asked(request)
    entry = _entry(request, id)
    body = await _body(request, _MOST_BODY_BYTES)
    try:
        await run_in_threadpool(_service(request).receive, entry, body)
    except Refused as refused:
        raise Problem("verify_refused", sentence(refused.reason, lang)) from None
    return JSONResponse(_state(entry, lang))


@router.post(
    "/{id}/device",
    responses=openapi.verification_answer(200, "It was taken, right or wrong: the result says which.")
    | problems("cross_site", "not_found", "invalid", "too_large", "too_slow", "verify_refused"),
    openapi_extra={"parameters": [openapi.LANG], "requestBody": openapi.DEVICE},
)
async def device(request: Request, id: Id) -> Response:  # noqa: A002
    """Send what the authenticator of the device signed, once, before the session expires."""
    lang = asked(request)
    entry = _entry(request, id)
    response = _object(await _body(request, _MOST_DEVICE_BYTES), "answer of the device")
    try:
        await run_in_threadpool(_service(request).bind, entry, response)
    except UsageError as error:
        raise Problem("verify_refused", error.message) from None
    return JSONResponse(_state(entry, lang))


@router.get(
    "/{id}",
    responses=openapi.verification_answer(200, "What is due, or how it ended.")
    | problems("not_found", "invalid"),
    openapi_extra=_LANG,
)
def state(request: Request, id: Id) -> Response:  # noqa: A002
    """Where a session stands; when it is done, the result with the evidence of every check."""
    return JSONResponse(_state(_entry(request, id), asked(request)))


@router.delete(
    "/{id}",
    status_code=204,
    responses=openapi.answer(204, "All of it is gone.") | problems("cross_site", "not_found", "too_large"),
)
def forget(request: Request, id: Id) -> Response:  # noqa: A002
    """End a session, if it runs, and forget it and its result now."""
    _service(request).book.drop(_entry(request, id))
    return Response(status_code=204)


def _service(request: Request) -> VerificationService:
    service: VerificationService = request.app.state.verify
    return service


def _entry(request: Request, id_: str) -> Entry:
    entry = _service(request).book.find(id_, caller_of(request).owner)
    if entry is None:
        raise Problem(
            "not_found",
            "There is no such verification: ask for the address that the session was opened with; results "
            "are deleted after a while.",
        )
    return entry


async def _body(request: Request, most_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise Problem(
                "too_large", f"More than {most_bytes:,} bytes came at once: send frames as they are made."
            )
    return bytes(body)


def _object(body: bytes, what: str) -> dict[str, Any]:
    """Raises Problem when it is no JSON object."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise Problem("invalid", f"The {what} is no JSON: send an object.") from None
    if not isinstance(value, dict):
        raise Problem("invalid", f"The {what} is no object: send one.")
    return value


def _device(order: dict[str, Any], party: Party | None) -> DeviceOrder | None:
    """Who asks for a device, and its credential, None for a new one. Raises Problem."""
    wish = order.get("device")
    if wish is None:
        return None
    if party is None:
        raise Problem(
            "no_device", "This server binds no devices: set HAECHI_WEBAUTHN_ID, or leave `device` out."
        )
    if wish == "new":
        return party, None
    try:
        id_, public_key = (base64.urlsafe_b64decode(wish[k] + "==") for k in ("credential_id", "public_key"))
        sign_count = wish["sign_count"]
    except (TypeError, KeyError, ValueError):
        id_ = public_key = b""
        sign_count = 0
    if not id_ or not public_key or type(sign_count) is not int or not 0 <= sign_count < 2**32:
        raise Problem(
            "invalid",
            '`device` is neither "new" nor a credential: send credential_id, public_key and sign_count as '
            "they were told.",
        )
    return party, Credential(id_, public_key, sign_count)


def _order(order: dict[str, Any], most_keep_s: float) -> tuple[str, bool, float]:
    """subject, flash, keep_s. Raises Problem."""
    subject, flash = order.get("subject"), order.get("flash", True)
    keep_s = order.get("keep_s", most_keep_s)
    if not isinstance(subject, str) or not 1 <= len(subject) <= _MOST_SUBJECT:
        raise Problem("invalid", f"`subject` is missing: send a reference, 1 to {_MOST_SUBJECT} characters.")
    if not isinstance(flash, bool):
        raise Problem("invalid", "`flash` is neither true nor false: write one of the two.")
    if isinstance(keep_s, bool) or not isinstance(keep_s, int | float) or not keep_s >= 1:
        raise Problem("invalid", "`keep_s` is no number of seconds from 1 on: write one.")
    return subject, flash, float(min(keep_s, most_keep_s))


def _state(entry: Entry, lang: str) -> dict[str, Any]:
    session, due = entry.session, entry.session.challenge
    word = "done" if entry.result is not None else "judging" if session.complete else "open"
    return {
        "id": entry.id,
        "state": word,
        "number": session.number,
        "challenges": session.count,
        "challenge": None if due is None or word == "done" else _challenge(due),
        "device": None if entry.device is None else _told(entry.device),
        "result": None if entry.result is None else _result(entry.result, lang),
    }


def _told(device: Binding) -> dict[str, Any]:
    """Whether it has answered, and once it has proved itself the credential to keep, in base64url."""
    proof = device.proof
    if proof is None:
        return {"answered": device.answer is not None, "credential": None}
    id_, public_key = (base64.urlsafe_b64encode(v).decode().rstrip("=") for v in (proof.id, proof.public_key))
    credential = {"credential_id": id_, "public_key": public_key, "sign_count": proof.sign_count}
    return {"answered": True, "credential": credential}


def _challenge(due: Challenge) -> dict[str, Any]:
    flash = None
    if due.code is not None:
        flash = {"colours": list(due.code.css), "lasts_s": list(due.code.lasts_s)}
    nonce = base64.b64encode(due.nonce).decode("ascii")
    return {"kind": due.kind, "duration_s": due.duration_s, "nonce": nonce, "flash": flash}


def _result(result: VerificationResult, lang: str) -> dict[str, Any]:
    return {
        "decision": result.decision,
        "reasons": [_reason(reason, lang) for reason in result.reasons],
        "checks": [
            {
                "check": one.check,
                "outcome": one.outcome,
                "reason": _reason(one.reason, lang),
                "figures": {name: round(value, 4) for name, value in one.figures.items()},
            }
            for one in result.checks
        ],
    }


def _reason(reason: Reason, lang: str) -> dict[str, str]:
    return {"code": reason.code, "text": sentence(reason, lang)}
