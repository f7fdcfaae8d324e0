"""Pseudo-fakes, each family in one file. All are made from one person's own picture and stay in the lab.

A family is a function that gives back a Pair and takes ``(rgb u8 (S, S, 3), mesh f32 (468, 2), rng)``; the
ones that need a drawing of the face take it too, aligned with the picture: ``(rgb, drawn, mesh, rng)``; the
ones that set in a face of nobody take that and its mesh: ``(rgb, mesh, face, face_mesh, rng)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from haechi_lab.pseudo_fakes.decoder_redraw import redrawn
from haechi_lab.pseudo_fakes.expression import expression
from haechi_lab.pseudo_fakes.local_edit import local_edit
from haechi_lab.pseudo_fakes.pair import Pair
from haechi_lab.pseudo_fakes.self_blend import self_blend
from haechi_lab.pseudo_fakes.swap_imitation import imitate_swap
from haechi_lab.pseudo_fakes.synthetic_identity import nobody
from haechi_lab.pseudo_fakes.upsampled import upsampled_face

Needs = Literal["taef2", "autoencoder", "adversarial", "generated", "gan"]


@dataclass(frozen=True, slots=True)
class Family:
    """``needs`` names the pool of drawings that ``function`` takes one of, or is None: it needs no more than
    the picture, its mesh and a generator of random numbers. ``what`` is one sentence for people."""

    name: str
    function: Callable[..., Pair]
    needs: Needs | None
    what: str


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("self_blend", self_blend, None, "the face, moved and altered, blended over itself"),
        Family("imitate_swap", imitate_swap, None, "the face as a swapper at 128 px would paste it"),
        Family("local_edit", local_edit, None, "a feature exchanged, skin smoothed or painted over"),
        Family("expression", expression, None, "a still face made to blink, speak, frown, smile or nod"),
        Family("upsampled_face", upsampled_face, None, "the face drawn up from half its size as decoders do"),
        Family("redrawn", redrawn, "taef2", "the face as the decoder of a latent diffusion model draws it"),
        Family("autoencoder", redrawn, "autoencoder", "the face as a bottleneck autoencoder gives it back"),
        Family("adversarial", redrawn, "adversarial", "the same, drawn against a discriminator"),
        Family("generated_face", nobody, "generated", "a face of nobody from a known generator, blended in"),
        Family("gan_face", nobody, "gan", "a face of nobody from our own small GAN, blended in"),
    )
}
