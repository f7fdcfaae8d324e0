"""What a file, or a list, says about a file: shown beside the verdict, never weighed in it (standing rule 2).

The explicit list of claims. A new one is one file here, one line below and its name in ``types.CLAIM_NAMES``.
"""

from __future__ import annotations

from collections.abc import Callable

from haechi.claims.known import KnownClaim
from haechi.claims.metadata import MetadataClaim
from haechi.claims.provenance import ProvenanceClaim
from haechi.claims.subject import Claim, Subject
from haechi.settings import Settings

__all__ = ["CLAIMS", "Claim", "Subject"]

CLAIMS: tuple[Callable[[Settings], Claim], ...] = (ProvenanceClaim, MetadataClaim, KnownClaim)
"""In the order in which they are shown."""
