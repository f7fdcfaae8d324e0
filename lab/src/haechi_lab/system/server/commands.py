"""The verbs of ``haechi bench web``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from haechi_lab.system.server.result import rendered, write

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Measure `haechi serve` on a process of its own, and what it adds; needs haechi[dev].",
)
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="The .json; each command renews its part.")]
_OUT = Path("results/web.json")


@app.command("latency")
def latency_command(
    out: Out = _OUT,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Photographs.")] = 20,
    megabytes: Annotated[float, typer.Option("--mb", min=0.05, help="Size of each.")] = 4.0,
) -> None:
    """Seconds from the upload of a photograph to its verdict."""
    from haechi_lab.system.server.latency import latency

    _end(out, "latency", *latency(repeats, megabytes))


@app.command("load")
def load_command(
    out: Out = _OUT,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="How long.")] = 60.0,
    clients: Annotated[int, typer.Option("--clients", min=1, help="Senders at the same time.")] = 8,
    megabytes: Annotated[float, typer.Option("--mb", min=0.05, help="Size of each photograph.")] = 1.0,
) -> None:
    """Throughput beside that of `haechi check`, faults, lost jobs and memory under load."""
    from haechi_lab.system.server.load import load

    _end(out, "load", *load(seconds, clients, megabytes))


@app.command("kill")
def kill_command(
    out: Out = _OUT,
    jobs: Annotated[int, typer.Option("--jobs", min=4, help="Jobs that are under way.")] = 200,
    kills: Annotated[int, typer.Option("--kills", min=1, help="Times that the server is killed.")] = 3,
) -> None:
    """kill -9 in the middle of many jobs: what is lost, what is there twice."""
    from haechi_lab.system.server.kill import kill

    _end(out, "kill", *kill(jobs, kills))


@app.command("abrupt")
def abrupt_command(
    out: Out = _OUT,
    points: Annotated[int, typer.Option("--points", min=1, help="Times that the server is ended.")] = 200,
    lanes: Annotated[int, typer.Option("--lanes", min=1, help="Servers side by side.")] = 2,
    most_s: Annotated[
        float, typer.Option("--most-s", min=1, help="Seconds after which no further point begins.")
    ] = 7200.0,
    seed: Annotated[int, typer.Option("--seed", help="Of what is done and when it ends.")] = 0,
) -> None:
    """kill -9 and SIGTERM at random points of all that the server does: what is left, and whose it is."""
    from haechi_lab.system.server.abrupt_ends import abrupt

    _end(out, "abrupt", *abrupt(points, lanes, most_s, seed))


@app.command("size")
def size_command(out: Out = _OUT) -> None:
    """Megabytes that haechi[web] adds."""
    from haechi_lab.system.server.size import size

    _end(out, "size", *size())


@app.command("hostile")
def hostile_command(
    out: Out = _OUT,
    count: Annotated[int, typer.Option("--count", min=50, help="Attacks.")] = 500,
    files: Annotated[
        Path | None, typer.Option("--files", metavar="DIR", help="Send the files of this folder too.")
    ] = None,
) -> None:
    """Uploads that mean harm: what was answered, written, shown and logged."""
    from haechi_lab.system.server.hostile_uploads import hostile

    extra = sorted(path for path in files.iterdir() if path.is_file()) if files else []
    _end(out, "hostile", *hostile(count, extra))


@app.command("live")
def live_command(
    out: Out = Path("results/live-web.json"),
    photo: Annotated[
        Path, typer.Option("--photo", metavar="FILE", help="Whose face is before the camera.")
    ] = Path("samples/astronaut.jpg"),
    seconds: Annotated[float, typer.Option("--seconds", min=5, help="Length of each part.")] = 60.0,
) -> None:
    """Frames of a call a second and how soon each is answered, with the page in front and hidden."""
    from haechi_lab.system.server.live_page import live_page

    _end(out, "live", *live_page(photo, seconds))


def _end(out: Path, part: str, rows: list[dict[str, Any]], facts: dict[str, Any]) -> None:
    write(out, part, rows, **facts)
    print(rendered(rows))
