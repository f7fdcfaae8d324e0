"""Content credentials (C2PA): is there a signed statement of origin, does it hold, and what does it say.

The C2PA library is loaded only for a file that carries such a statement, in a process of its own:
``c2pa_library`` and ``c2pa_process``. Nothing is fetched. No list of trusted signers is shipped; without one
named by the setting ``trust_list``, the report says who signed as the certificate has it, and that nobody
vouches for it.
"""

from __future__ import annotations

from pathlib import Path

from haechi import regular_files
from haechi.claims.c2pa_library import MEDIA_TYPES, Library, Refused, installed
from haechi.claims.c2pa_manifest import statements
from haechi.claims.picture_metadata import metadata_end
from haechi.claims.subject import Subject
from haechi.claims.xmp import read_xmp
from haechi.errors import UsageError
from haechi.media.exif import clean
from haechi.settings import Settings
from haechi.types import Claim, Outcome, Reason

_MOST_TRUSTED = 4 * 1024**2
_PEM = b"-----BEGIN CERTIFICATE-----"


class ProvenanceClaim:
    """Raises UsageError when the list of trusted signers cannot be read."""

    name = "provenance"
    version = "1"

    def __init__(self, settings: Settings) -> None:
        self._library = Library(_certificates(settings.trust_list), settings.decode_timeout_s)

    def state(self, subject: Subject) -> Claim:
        """``answered`` be it by "there is none"; ``unread`` when the extra is missing, the format cannot be
        read or the statement lies elsewhere; ``failed`` when the library refuses or breaks down."""
        if not installed():
            return self._claim("unread", Reason("provenance_missing"))
        if subject.format not in MEDIA_TYPES:
            return self._claim("unread", Reason("provenance_format"))
        if subject.metadata.c2pa:
            return self._read(subject)
        if any(_elsewhere(packet) for packet in subject.metadata.xmp):
            return self._claim("unread", Reason("provenance_remote"))
        return self._claim("answered", Reason("provenance_none"))

    def _read(self, subject: Subject) -> Claim:
        try:
            store = self._library.read_store(subject.original, subject.format)
            reason, facts = statements(store, _leaves_only_metadata_out(store, subject))
        except Refused as error:
            return self._claim(
                "failed", Reason("provenance_refused", {"error": clean(str(error)) or "Unknown"})
            )
        except ValueError:
            return self._claim("failed", Reason("provenance_refused", {"error": "NoManifest"}))
        return self._claim("answered", reason, facts)

    def _claim(self, outcome: Outcome, reason: Reason, facts: tuple[Reason, ...] = ()) -> Claim:
        return Claim(self.name, self.version, reason, facts, outcome)


def _leaves_only_metadata_out(store: object, subject: Subject) -> bool:
    """Whether the signature covers all of a JPEG but the notes before the picture. The ranges are signed too,
    but where the statement is smaller than the range that was left for it, something else may lie there."""
    ranges = store.get("left_out") if isinstance(store, dict) else None
    if subject.format != "jpeg" or not isinstance(ranges, list) or not ranges:
        return False
    with subject.original.open() as file:
        end = metadata_end(file.read())
    return all(start + length <= end for start, length in ranges)


def _elsewhere(packet: bytes) -> bool:
    """Whether a packet of XMP gives the address of a statement that is not in the file."""
    addresses = read_xmp(packet).get("dcterms:provenance", ())
    return any(address.lower().startswith(("http:", "https:")) for address in addresses)


def _certificates(path: str) -> str:
    """The path of the list, made sure of; empty when none is set."""
    if not path:
        return ""
    cure = "name a file of certificates in PEM form in HAECHI_TRUST_LIST, or unset it"
    try:
        data = regular_files.read(Path(path), _MOST_TRUSTED)
    except (OSError, ValueError):
        raise UsageError(
            f"The list of trusted signers is no file of at most 4 MiB that can be read: {cure}."
        ) from None
    if _PEM not in data:
        raise UsageError(f"The list of trusted signers holds no certificates: {cure}.")
    return str(Path(path).absolute())
