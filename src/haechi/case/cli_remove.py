"""The verb of ``haechi case`` that deletes."""

from __future__ import annotations

from typing import Annotated

import typer

from haechi.case.cli_options import Folder, Lang, language, opened, put_head
from haechi.case.words import say as words
from haechi.errors import UsageError
from haechi.terminal import printable, put


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("remove")(remove_command)


def remove_command(
    folder: Folder,
    numbers: Annotated[
        list[int] | None,
        typer.Argument(metavar="ENTRY...", help="Delete the files of these entries; the whole case without."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Delete; without it, it is only said what would be lost.")
    ] = False,
    lang: Lang = None,
) -> None:
    """Delete a case, or the stored files of some entries. Nobody can bring them back.

    The log of a case keeps what it says of a deleted file, with its hashes, and says when it was deleted; a
    case that is deleted as a whole leaves nothing. That needs no passphrase, and works for a damaged case."""
    from haechi.case.removal import remove_case

    tag = language(lang)
    if not yes:
        for number in numbers or ():
            put(words("remove_entry_lost", tag, number=number))
        if not numbers:
            put(words("remove_case_lost", tag))
        raise UsageError("Nothing was deleted. To delete it, say it again with --yes.")
    if not numbers:
        names = remove_case(folder)
        put(words("removed_case", tag))
        if names:
            put(words("removed_left", tag, names=printable(", ".join(names))))
        return
    case = opened(folder)
    deleted: set[int] = set()
    for number in numbers:
        if number in deleted:
            continue  # the very same file as that of a number before
        for entry in case.delete_file(number):
            deleted.add(entry.number)
            put(words("removed_entry", tag, number=entry.number))
    put_head(case, tag)
