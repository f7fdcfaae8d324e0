"""Whether the picture of this face came before, under other subjects: what traded sets of pictures look like
to whoever is shown one of them again and again.

By perceptual hashes (``haechi.pdq``) of the face, cut out alike: they know a picture again, brought to life,
coded anew or tinted, and not a person, of whom each new look is another picture. It is a risk and refuses
nobody: how many others there were is told, and never which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from haechi.pdq import MATCH_AT
from haechi.types import U8, Reason
from haechi.verify.seen import Seen
from haechi.verify.types import CheckResult

NAME = "reuse"


def examine(takes: Sequence[Seen], others: Sequence[U8] = ()) -> CheckResult:
    """Passes, tells a risk, or abstains without a face. ``others``: of each other subject the hashes u8 (n,
    32) that are still kept."""
    own = prints(takes)
    if not len(own):
        return CheckResult(NAME, "abstain", Reason("verify_few_crops"))
    again = sum(_alike(own, other) for other in others)
    figures = {"subjects_again": float(again)}
    if again:
        return CheckResult(NAME, "risk", Reason("verify_face_again", {"n": again}), figures)
    return CheckResult(NAME, "pass", Reason("verify_face_new"), figures)


def prints(takes: Sequence[Seen]) -> U8:
    """All hashes u8 (n, 32) of a session."""
    return np.concatenate([np.zeros((0, 32), np.uint8), *(s.recording.prints for s in takes)])


def _alike(own: U8, other: U8) -> bool:
    bits = np.unpackbits(own[:, None] ^ other[None], axis=2).sum(2)
    return bool(bits.min(initial=256) <= MATCH_AT)
