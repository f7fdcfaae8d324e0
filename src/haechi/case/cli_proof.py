"""The verbs of ``haechi case`` that prove a state of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from haechi.case.cli_options import Folder, Lang, asked, language, put_head, write
from haechi.case.types import Findings
from haechi.case.words import say as words
from haechi.errors import ExitCode, HaechiError, UsageError
from haechi.terminal import printable, put


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("verify")(verify_command)
    app.command("head")(head_command)
    app.command("anchor")(anchor_command)


def verify_command(
    folder: Folder,
    head: Annotated[
        str, typer.Option("--head", metavar="SEAL", help="A seal that you noted earlier, to compare with.")
    ] = "",
    passphrase: Annotated[
        bool,
        typer.Option(
            "--passphrase", help="Also open what is encrypted, with the passphrase: nothing forged passes."
        ),
    ] = False,
    lang: Lang = None,
) -> None:
    """Find any later change. Needs neither the network nor the passphrase; works on any copy of the folder.

    Exit code 6 when something was changed, or an entry was left half written."""
    said = language(lang)
    if not folder.is_dir():
        raise UsageError("There is no such folder: check the name of the case.")
    found = _compared(folder, head, passphrase=passphrase)
    _put(found, said)
    if found.noted is not None:
        put(words("verify_noted", said, record=found.noted, records=found.records))
        if found.records > found.noted:
            put(words("verify_after_noted", said, count=found.records - found.noted))
    if found.records:
        put(words("verify_until", said, records=found.records, time=printable(found.until)))
    put(words("head", said, head=found.head))
    if found.intact and not head:
        sealed = found.bound_since and found.decrypted
        put(words("verify_limit_sealed" if sealed else "verify_limit", said))
    if not found.intact:
        raise typer.Exit(ExitCode.CASE)


def head_command(
    folder: Folder,
    qr: Annotated[
        bool, typer.Option("--qr", help="Also as a QR code, to be photographed and kept apart.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Write the QR code as .png or .svg instead of showing it."
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Show the seal of the whole case; needs no passphrase."""
    from haechi.case import qr as codes
    from haechi.case.store import Case

    said = language(lang)
    case = Case.open(folder)
    put_head(case, said)
    if out is not None:
        write(out, codes.image(case.head, out.suffix), "--out")
    elif qr:
        put(codes.drawn(case.head, coloured=sys.stdout.isatty()))


def anchor_command(
    folder: Folder,
    request: Annotated[
        Path | None,
        typer.Option(
            "--request",
            metavar="FILE.tsq",
            help="Write a request there; with --answer the one that was sent.",
        ),
    ] = None,
    answer: Annotated[
        Path | None, typer.Option("--answer", metavar="FILE.tsr", help="The answer, to be verified.")
    ] = None,
    roots: Annotated[
        Path | None,
        typer.Option("--roots", metavar="FILE.pem", help="Certificates of the authorities that you trust."),
    ] = None,
    lang: Lang = None,
) -> None:
    """Have the seal of the case stamped with a time by somebody else (RFC 3161). You send the request and
    fetch the answer yourself: Haechi makes no connection. Needs no passphrase.

    Exit code 6 when the answer or the case does not hold."""
    said = language(lang)
    if answer is not None:
        _answered(folder, answer, request, roots, said)
    elif request is not None and roots is None:
        _requested(folder, request, said)
    else:
        raise UsageError("Give --request FILE to write a request, or --answer FILE to verify what came back.")


def _requested(folder: Path, request: Path, lang: str) -> None:
    from haechi.case import anchor
    from haechi.case.log import Log
    from haechi.case.verify import verify

    if request.exists() or folder.resolve() in request.resolve().parents:
        raise UsageError("--request: choose a name that is not there yet, outside of the case.")
    found = verify(folder, "", None)
    if not found.intact:
        _put(found, lang)
        raise typer.Exit(ExitCode.CASE)
    line = Log(folder).data().splitlines(keepends=True)[-1]
    write(request, anchor.request(line), "--request")
    put(words("head", lang, head=found.head))
    put(words("anchor_asked", lang, request=printable(str(request))))


def _answered(folder: Path, answer: Path, request: Path | None, roots: Path | None, lang: str) -> None:
    from haechi.case import anchor
    from haechi.case.source import small
    from haechi.case.verify import verify

    given = [None if path is None else small(path, anchor.MOST_BYTES) for path in (request, roots)]
    stamp = anchor.read(small(answer, anchor.MOST_BYTES), *given)
    found = verify(folder, stamp.head, None)
    if found.noted is None:
        put(words("anchor_elsewhere", lang))
        raise typer.Exit(ExitCode.CASE)
    _put(found, lang)
    time = stamp.time.strftime("%Y-%m-%d %H:%M:%S")
    put(words("anchor_stamp", lang, record=found.noted, records=found.records, time=time))
    code = "anchor_verified" if stamp.verified else "anchor_unverified"
    put(words(code, lang, signer=stamp.signer))
    if not stamp.asked:
        put(words("anchor_unasked", lang))
    if not found.intact:
        raise typer.Exit(ExitCode.CASE)


def _put(found: Findings, lang: str) -> None:
    if found.intact:
        put(words("verify_intact", lang, records=found.records, files=found.files))
    else:
        code = "verify_interrupted" if found.interrupted else "verify_changed"
        put(words(code, lang, count=len(found.findings)))
        for finding in found:
            put(f"  {printable(words(finding.code, lang, **finding.params))}")
    for note in found.notes:
        put(words(note.code, lang, **note.params))


def _compared(folder: Path, head: str, *, passphrase: bool) -> Findings:
    """The findings. Raises CaseError when a case that else looks whole does not open with the passphrase."""
    from haechi.case.store import Case
    from haechi.case.verify import verify

    if not passphrase:
        return verify(folder, head, None)
    try:
        return Case.open(folder, asked()).verify(head)
    except HaechiError:
        found = verify(folder, head, None)  # it may be so damaged that it cannot even be opened
        if found.intact:
            raise
        return found
