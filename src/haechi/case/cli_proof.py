"""The verbs of ``haechi case`` that prove a state of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haechi.case.cli_options import Folder, Lang, asked, language
from haechi.case.kinds import Findings
from haechi.case.words import say as words
from haechi.errors import ExitCode, HaechiError, UsageError
from haechi.terminal import printable, put


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("verify")(verify_command)


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
