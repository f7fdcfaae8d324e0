"""Near-duplicates: files whose fingerprints (PDQ) lie near each other, over others or directly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from haechi import pdq

MOST_COMPARED = 50_000
"""Of different fingerprints, which take about a minute to compare with each other; of more, only equal ones
are grouped."""


def groups(hashes: Sequence[str]) -> list[list[int]]:
    """Positions of the hashes that belong together, largest group first; none of one alone."""
    at: dict[str, list[int]] = defaultdict(list)
    for position, hash_ in enumerate(hashes):
        at[hash_].append(position)
    different = list(at)
    parents = list(range(len(different)))
    if len(different) <= MOST_COMPARED:
        index = pdq.Index(different)
        for number, hash_ in enumerate(different):
            for hit in index.search(hash_):
                parents[_root(parents, hit.position)] = _root(parents, number)
    together: dict[int, list[int]] = defaultdict(list)
    for number, hash_ in enumerate(different):
        together[_root(parents, number)] += at[hash_]
    return sorted((sorted(g) for g in together.values() if len(g) > 1), key=lambda g: (-len(g), g))


def _root(parents: list[int], number: int) -> int:
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number
