"""What a file, or a list, says about a file: shown beside the verdict, never weighed in it (standing rule 2).

The explicit list of claims. A new one is one file here and one line below.
"""

from __future__ import annotations

from collections.abc import Callable

from haechi.claims.known_files import KnownClaim
from haechi.claims.metadata import MetadataClaim
from haechi.claims.provenance import ProvenanceClaim
from haechi.claims.subject import ClaimReader, Subject
from haechi.settings import Settings

__all__ = ["CLAIMS", "ClaimReader", "Subject"]

CLAIMS: tuple[Callable[[Settings], ClaimReader], ...] = (ProvenanceClaim, MetadataClaim, KnownClaim)
"""In the order in which they are shown."""
