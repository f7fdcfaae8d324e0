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
    tag = language(lang)
    if not folder.is_dir():
        raise UsageError("There is no such folder: check the name of the case.")
    findings = _compared(folder, head, passphrase=passphrase)
    _put(findings, tag)
    if findings.noted is not None:
        put(words("verify_noted", tag, record=findings.noted, records=findings.records))
        if findings.records > findings.noted:
            put(words("verify_after_noted", tag, count=findings.records - findings.noted))
    if findings.records:
        put(words("verify_until", tag, records=findings.records, time=printable(findings.until)))
    if findings.deleted:
        put(words("verify_deleted", tag, count=findings.deleted))
    put(words("head", tag, head=findings.head))
    if findings.intact and not head:
        sealed = findings.bound_since and findings.decrypted
        put(words("verify_limit_sealed" if sealed else "verify_limit", tag))
    if not findings.intact:
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

    tag = language(lang)
    case = Case.open(folder)
    put_head(case, tag)
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
    tag = language(lang)
    if answer is not None:
        _answered(folder, answer, request, roots, tag)
    elif request is not None and roots is None:
        _requested(folder, request, tag)
    else:
        raise UsageError("Give --request FILE to write a request, or --answer FILE to verify what came back.")


def _requested(folder: Path, request: Path, lang: str) -> None:
    from haechi.case import anchor
    from haechi.case.log import Log
    from haechi.case.verify import verify

    if request.exists() or folder.resolve() in request.resolve().parents:
        raise UsageError("--request: choose a name that is not there yet, outside of the case.")
    findings = verify(folder, "", None)
    if not findings.intact:
        _put(findings, lang)
        raise typer.Exit(ExitCode.CASE)
    line = Log(folder).data().splitlines(keepends=True)[-1]
    write(request, anchor.request(line), "--request")
    put(words("head", lang, head=findings.head))
    put(words("anchor_asked", lang, request=printable(str(request))))


def _answered(folder: Path, answer: Path, request: Path | None, roots: Path | None, lang: str) -> None:
    from haechi.case import anchor
    from haechi.case.source import small
    from haechi.case.verify import verify

    inputs = [None if path is None else small(path, anchor.MOST_BYTES) for path in (request, roots)]
    stamp = anchor.read(small(answer, anchor.MOST_BYTES), *inputs)
    findings = verify(folder, stamp.head, None)
    if findings.noted is None:
        put(words("anchor_elsewhere", lang))
        raise typer.Exit(ExitCode.CASE)
    _put(findings, lang)
    time = stamp.time.strftime("%Y-%m-%d %H:%M:%S")
    put(words("anchor_stamp", lang, record=findings.noted, records=findings.records, time=time))
    code = "anchor_verified" if stamp.verified else "anchor_unverified"
    put(words(code, lang, signer=stamp.signer))
    if not stamp.answers_request:
        put(words("anchor_unasked", lang))
    if not findings.intact:
        raise typer.Exit(ExitCode.CASE)


def _put(findings: Findings, lang: str) -> None:
    if findings.intact:
        put(words("verify_intact", lang, records=findings.records, files=findings.files))
    else:
        code = "verify_interrupted" if findings.interrupted else "verify_changed"
        put(words(code, lang, count=len(findings.findings)))
        for finding in findings:
            put(f"  {printable(words(finding.code, lang, **finding.params))}")
    for note in findings.notes:
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
        findings = verify(folder, head, None)  # it may be so damaged that it cannot even be opened
        if findings.intact:
            raise
        return findings
