"""Errors of REST as RFC 9457 tells them: ``application/problem+json``.

Members: type (a place in /docs that explains it), title, status, detail, instance (the path asked for) and
``code``, our own stable name for programs. ``TITLES`` is the whole list of codes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

from haechi.errors import HaechiError, InputError, ModelError

MEDIA_TYPE = "application/problem+json"

#: code -> (usual status, title). Additive changes only.
TITLES: dict[str, tuple[int, str]] = {
    "bad_request": (400, "The request cannot be understood"),
    "bad_multipart": (400, "The form data are malformed"),
    "token_needed": (401, "A token is needed"),
    "cross_site": (403, "The request came from another site"),
    "not_found": (404, "There is nothing here"),
    "no_heatmap": (404, "There is no heat map"),
    "withheld": (404, "Pictures of minors are not handed out"),
    "method_not_allowed": (405, "This method is not allowed here"),
    "no_device": (409, "This server binds no devices"),
    "verify_busy": (409, "A verification of this subject runs already"),
    "verify_refused": (409, "The verification has ended"),
    "too_slow": (408, "The upload came too slowly"),
    "live_idle": (408, "Nothing more came of the call"),
    "too_large": (413, "The upload is too large"),
    "not_multipart": (415, "The upload must be multipart/form-data"),
    "wrong_host": (421, "This is not the name of this server"),
    "invalid": (422, "A value is not valid"),
    "no_file": (422, "The field `file` is missing"),
    "unreadable": (422, "The file cannot be read"),
    "not_a_file": (422, "The file cannot be read"),
    "unknown_format": (422, "The format is not known"),
    "damaged_file": (422, "The file is damaged"),
    "over_limit": (422, "The file is over a limit"),
    "live_frame": (422, "A frame of the call cannot be used"),
    "crashed": (422, "Checking this file stopped the program"),
    "rate_limited": (429, "Too many uploads from this address"),
    "live_busy": (429, "No further call can be watched now"),
    "verify_full": (429, "No further verification can run now"),
    "queue_full": (429, "Too many jobs are waiting"),
    "internal": (500, "A fault of ours"),
    "no_pdf": (501, "PDF is not available on this server"),
    "model": (503, "A model is missing or altered"),
    "loading": (503, "The models are being loaded"),
    "stalled": (503, "Checks stand still"),
    "live_slow": (503, "The call is no longer watched"),
    "stopping": (503, "The server is being stopped"),
    "disk_full": (507, "The disk is full"),
}


class Problem(Exception):
    """An answer that is an error. ``code`` is one of TITLES, ``detail`` one line: what, why, what to do."""

    def __init__(
        self, code: str, detail: str, *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail
        self.status = status or TITLES[code][0]
        self.headers = dict(headers or {})

    @classmethod
    def of(cls, error: HaechiError) -> Problem:
        """The problem that tells an error of the tree. Faults of ours keep their text to themselves."""
        return cls.named(error.code, error.message if isinstance(error, InputError | ModelError) else "")

    @classmethod
    def named(cls, code: str, message: str) -> Problem:
        """The same of a code and a message that were stored."""
        if code not in TITLES or code == "internal":
            return internal()
        return cls(code, message, headers={"Retry-After": "30"} if TITLES[code][0] == 503 else {})

    def body(self, instance: str) -> dict[str, object]:
        title = TITLES[self.code][1] if self.code in TITLES else HTTPStatus(self.status).phrase
        return {
            "type": f"/docs#{self.code}",
            "title": title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
        }

    def response(self, instance: str) -> Response:
        text = json.dumps(self.body(instance), ensure_ascii=True)
        return Response(text, self.status, headers=self.headers, media_type=MEDIA_TYPE)


def internal() -> Problem:
    return Problem(
        "internal",
        "Internal error, so there is no verdict. Please report it with the output of `haechi doctor`.",
    )
