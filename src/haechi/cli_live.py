"""The verb ``haechi live``: a call under watch."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from haechi.errors import ExitCode
from haechi.outcome import outcome
from haechi.settings import Settings
from haechi.terminal import put, say

if TYPE_CHECKING:
    from haechi.live.sources import Arrival
    from haechi.live.telling import Changes


class Reached(StrEnum):
    ask = "ask"
    alarm = "alarm"


def live(
    source: Annotated[
        str,
        typer.Option(
            "--source",
            metavar="camera|FILE|rtsp://...",
            help="A camera (camera:1 is the second), a video, or a stream of this machine or network.",
        ),
    ],
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a second, for programs.")] = False,
    fast: Annotated[bool, typer.Option("--fast", help="Read a file as fast as it goes.")] = False,
    fail_on: Annotated[
        Reached | None, typer.Option("--fail-on", help="Exit with 10 when anybody reaches this level.")
    ] = None,
    challenges: Annotated[
        bool | None,
        typer.Option(
            "--challenges/--no-challenges",
            help="Tell what to ask the other side for, from ask on; not for files unless it is said.",
        ),
    ] = None,
    lang: Annotated[
        str | None, typer.Option("--lang", metavar="en|zh|ko", help="Language of the lines, also as zh-CN.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes, only errors.")] = False,
) -> None:
    """Watch a call: a line whenever something changes, until the source ends or Ctrl-C.

    Levels: no picture; watching; ask (let the other side turn the head, or pass a hand across the face);
    alarm (call back on a number that you know). From ask on a challenge for the other side is drawn, in words
    to say, and the video shows whether it was done. Nothing is stored, and nothing is sent anywhere.

    Exit codes: 0 the source ended; 1 internal error; 2 usage; 3 the source cannot be opened, or stopped;
    4 model missing or altered; 10 the level of --fail-on was reached; 130 ended by Ctrl-C.
    """
    with outcome():
        from dataclasses import replace

        from haechi.live import LEVELS
        from haechi.live.sources import arrivals, is_live
        from haechi.live.telling import Changes

        settings = Settings.from_env()
        settings = settings if lang is None else replace(settings, lang=lang)
        frames, changes = arrivals(source, settings, fast=fast), Changes(settings.lang)
        may_ask = is_live(source) if challenges is None else challenges
        _watch(frames, settings, changes, jsonl=jsonl, quiet=quiet, may_ask=may_ask)
        if fail_on is not None and LEVELS.index(changes.highest) >= LEVELS.index(fail_on.value):
            raise typer.Exit(ExitCode.LEVEL_REACHED)


def _watch(
    frames: Iterator[Arrival],
    settings: Settings,
    changes: Changes,
    *,
    jsonl: bool,
    quiet: bool,
    may_ask: bool,
) -> None:
    """Print what is to be said of each frame, until there is none any more."""
    import json

    from haechi.live import LiveSession
    from haechi.live.challenges.offers import Offers
    from haechi.live.telling import EachSecond, record
    from haechi.pipeline import Pipeline

    session = LiveSession(Pipeline(settings))
    each_second, offers, state = EachSecond(), Offers(), None
    try:
        for rgb, time_s in frames:
            state = session.miss(time_s) if rgb is None else session.add(rgb, time_s)
            lines = list(changes.lines(state))
            if may_ask and offers.due(state):
                session.ask()
            if jsonl:
                if each_second.due(state):
                    put(json.dumps(record(state, settings.lang), ensure_ascii=True, allow_nan=False))
                continue
            for line in lines:
                put(line)
    finally:
        if state is not None and not quiet:
            say(changes.ending(state))
