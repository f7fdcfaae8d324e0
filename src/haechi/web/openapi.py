"""What REST promises, as OpenAPI 3.1: schemas, and the problems that each address may answer with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from haechi import report as reports
from haechi.report import archive
from haechi.settings import LANGUAGES
from haechi.web.problem import MEDIA_TYPE, TITLES

LANG_PATTERN = rf"^({'|'.join(LANGUAGES)})([-_][A-Za-z0-9._-]{{1,32}})?$"
_EVERYWHERE = ("bad_request", "token_needed", "wrong_host", "rate_limited", "internal", "stopping")
_REFERENCE = "#/components/schemas/"

LANG = {
    "name": "lang",
    "in": "query",
    "required": False,
    "description": "Language of the sentences; otherwise Accept-Language decides.",
    "schema": {"type": "string", "pattern": LANG_PATTERN},
}
PREFER = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`wait=20`: answer with the report itself when it is ready within so many seconds "
    "(RFC 7240), at most 60.",
    "schema": {"type": "string"},
    "example": "wait=20",
}
FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "A photograph or video."},
                },
            }
        }
    },
}
VERIFICATION_ORDER = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["subject"],
                "properties": {
                    "subject": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 128,
                        "description": "Your own reference for whom you ask; it means nothing to us.",
                    },
                    "flash": {"type": "boolean", "description": "false: no colours; never ends in accept."},
                    "device": {
                        "oneOf": [
                            {"enum": ["new", None]},
                            {
                                "type": "object",
                                "required": ["credential_id", "public_key", "sign_count"],
                                "properties": {
                                    "credential_id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{4,}$"},
                                    "public_key": {"type": "string", "pattern": "^[A-Za-z0-9_-]{4,}$"},
                                    "sign_count": {
                                        "type": "integer",
                                        "minimum": 0,
                                        "exclusiveMaximum": 2**32,
                                    },
                                },
                            },
                        ],
                        "description": '"new" registers a device; an object with credential_id, public_key '
                        "and sign_count, as they were told, asks for that one. Only where HAECHI_WEBAUTHN_ID "
                        "is set.",
                    },
                    "keep_s": {
                        "type": "number",
                        "minimum": 1,
                        "description": "Seconds that the result stays, at most HAECHI_VERIFY_KEEP_S.",
                    },
                },
            }
        }
    },
}
DEVICE = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "description": "The PublicKeyCredential of the page, as its toJSON() gives it.",
            }
        }
    },
}
FRAMES = {
    "required": True,
    "content": {
        "application/octet-stream": {
            "schema": {
                "type": "string",
                "format": "binary",
                "description": "Records as the manual tells them.",
            }
        }
    },
}
VERIFICATION = {
    "type": "object",
    "required": ["id", "state", "number", "challenges", "challenge", "device", "result"],
    "properties": {
        "id": {"type": "string"},
        "state": {"enum": ["open", "judging", "done"]},
        "number": {"type": "integer", "minimum": 0, "description": "Of the challenge that is due, from 0."},
        "challenges": {"type": "integer", "minimum": 1},
        "challenge": {"type": ["object", "null"], "description": "The one that is due."},
        "device": {
            "type": ["object", "null"],
            "description": "Where one was asked for: answered, and the credential to keep.",
        },
        "device_options": {
            "type": "object",
            "description": "For navigator.credentials.create() or get(); only when the session is opened.",
        },
        "result": {
            "type": ["object", "null"],
            "description": "decision, reasons, and what every check says.",
        },
        "key": {"type": "string", "description": "Base64; only when the session is opened."},
        "expires_in_s": {"type": "number"},
        "begin_s": {
            "type": "number",
            "description": "How soon the first frame of a challenge has to arrive.",
        },
    },
}
RUNNING = {
    "type": "object",
    "required": ["id", "status", "stage", "part", "ahead"],
    "properties": {
        "id": {"type": "string"},
        "status": {"enum": ["waiting", "running", "done", "failed"]},
        "stage": {"type": "string", "description": "What is being done."},
        "part": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "Part of the check that is done.",
        },
        "ahead": {"type": "integer", "minimum": 0, "description": "Jobs that end before this one."},
    },
}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, why, and what to do."},
        "instance": {"type": "string"},
        "code": {"enum": list(TITLES), "description": "Stable, for programs."},
    },
}
MODELS = {
    "type": "object",
    "required": ["models"],
    "properties": {
        "models": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "version", "task", "licence", "sha256"],
                "properties": {
                    key: {"type": "string"} for key in ("name", "version", "task", "licence", "sha256")
                },
            },
        }
    },
}


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The answers for these codes and for those that every address knows, by status."""
    answers: dict[int | str, dict[str, Any]] = {}
    for code in (*codes, *_EVERYWHERE):
        status, title = TITLES[code]
        entry = answers.setdefault(
            status, {"description": "", "content": {MEDIA_TYPE: {"schema": _ref("Problem")}}}
        )
        entry["description"] = " · ".join(filter(None, (entry["description"], f"`{code}`: {title}.")))
    return answers


def answer(
    status: int, what: str, kind: str = "", schema: Mapping[str, Any] | None = None
) -> dict[int | str, Any]:
    """One documented answer that is no problem."""
    content = (
        {"content": {kind: {"schema": schema or {"type": "string", "format": "binary"}}}} if kind else {}
    )
    return {status: {"description": what, **content}}


def report_answer() -> dict[int | str, Any]:
    entry = answer(200, "The report.", "application/json", _ref("Report"))
    entry[200]["content"][archive.MEDIA_TYPE] = {"schema": {"type": "string", "format": "binary"}}
    return entry


def running_answer() -> dict[int | str, Any]:
    return answer(202, "It waits or runs; ask again.", "application/json", _ref("Running"))


def verification_answer(status: int, what: str) -> dict[int | str, Any]:
    return answer(status, what, "application/json", _ref("Verification"))


def description(app: FastAPI) -> dict[str, Any]:
    """The whole description of the application, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            summary="Finds forged faces in photographs and videos, on this machine.",
            description="Send a file, get a report (schema `haechi.report/1`). Errors are RFC 9457 problems. "
            "A token (`Authorization: Bearer`) is needed where the server was started with one.",
            routes=app.routes,
        )
        components = schema.setdefault("components", {})
        components["schemas"] = {
            "Problem": PROBLEM,
            "Running": RUNNING,
            "Models": MODELS,
            "Verification": VERIFICATION,
            **_report_schemas(),
        }
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        schema["security"] = [{}, {"token": []}]
        for path in schema["paths"].values():
            for operation in path.values():
                _without_default(operation)
        app.openapi_schema = schema
    return app.openapi_schema


def _without_default(operation: dict[str, Any]) -> None:
    """FastAPI documents a 422 of its own wherever there is a parameter; ours are the ones that happen."""
    content = operation["responses"].get("422", {}).get("content", {}).get("application/json", {})
    if "HTTPValidationError" in str(content):
        del operation["responses"]["422"]


def _report_schemas() -> dict[str, Any]:
    """The parts of the report's own JSON Schema as components: ``Report``, and ``report_NAME``."""
    parts: dict[str, Any] = reports.SCHEMA["$defs"]
    names = {name: "Report" if name == "report" else f"report_{name}" for name in parts if name != "failure"}
    return {new: _moved(parts[old], names) for old, new in names.items()}


def _moved(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: _REFERENCE + names[item.rpartition("/")[2]] if key == "$ref" else _moved(item, names)
            for key, item in value.items()
        }
    return [_moved(item, names) for item in value] if isinstance(value, list) else value


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REFERENCE + name}
