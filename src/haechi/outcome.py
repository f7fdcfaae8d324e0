"""How a verb of the command line ends: one line on stderr and an exit code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from haechi.errors import ExitCode, Fault, HaechiError
from haechi.terminal import mute, put, say


@contextmanager
def outcome() -> Iterator[None]:
    """Turn whatever ends a verb into one line on stderr and an exit code; never into a verdict."""
    try:
        try:
            yield
        finally:
            put("", end="")  # what other printers left in the buffer
    except HaechiError as error:
        say(f"haechi: {error.message}")
        raise typer.Exit(error.exit_code) from None
    except BrokenPipeError:
        mute()  # the reader left, as `head` does
        raise typer.Exit(141) from None
    except KeyboardInterrupt:
        say("haechi: interrupted")
        raise typer.Exit(130) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if os.environ.get("HAECHI_DEBUG") == "1":
            raise
        say(f"haechi: {Fault(type(error).__name__).message}")
        raise typer.Exit(ExitCode.INTERNAL) from None
