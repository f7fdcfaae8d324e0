"""A file that comes with a form of a case, held to the limits of uploads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Request

from haechi.web import uploads
from haechi.web.jobs.store import JobStore
from haechi.web.problem import Problem


@asynccontextmanager
async def received_file(request: Request) -> AsyncIterator[tuple[uploads.Form, Path]]:
    """A form with one file, held to the limits of uploads; the file is gone when the context ends."""
    jobs: JobStore = request.app.state.jobs
    boundary = uploads.boundary_of(request)
    with jobs.part() as file:
        most_bytes = request.app.state.options.max_upload_bytes
        form = await uploads.receive(request.stream(), boundary, file, most_bytes)
        if not form.name or not form.size:
            raise Problem("no_file", "Choose a file first.")
        yield form, file
