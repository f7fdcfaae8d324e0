"""Settings that image generators leave in a file, told apart by how each writes them.

That they are there, and whose they are, is told here; the words among them are found by ``prompt_words``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from haechi.claims.programs import kind_of

WEBUI, COMFY = "Stable Diffusion web UI", "ComfyUI"
_BY_KEY = {
    "invokeai_metadata": "InvokeAI",
    "invokeai_graph": "InvokeAI",
    "invokeai_workflow": "InvokeAI",
    "sd-metadata": "InvokeAI",
    "fooocus_scheme": "Fooocus",
    "sui_image_params": "SwarmUI",
    "generation_data": "TensorArt",
    "hf-job-id": "Hugging Face",
    "easydiffusion": "Easy Diffusion",
}
# Two plain searches: one pattern that spans both could be made to try every start against every end.
_STEPS = re.compile(r"\bSteps: \d+,")
_SAMPLER = re.compile(r"\b(?:Sampler|Schedule type|CFG scale|Seed): ")
_JOB = re.compile(r"\bJob ID: [0-9a-f]{8}-[0-9a-f]{4}-", re.IGNORECASE)
_NODE = re.compile(r"class_type\\?[\"']\s*:")
_NODES = re.compile(r"[\"']class_type[\"']\s*:|[\"']nodes[\"']\s*:\s*\[|[\"']last_node_id[\"']")
_SAMPLED = re.compile(r"[\"']sampler(?:_name)?[\"']\s*:")
_SEEDED = re.compile(r"[\"'](?:seed|steps|cfg_scale|scale)[\"']\s*:")
_LOOKED_AT = 200_000


def prompt_settings(texts: Iterable[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """(generator, key, text) of those notes (key, text) that are the settings of one."""
    return [(name, key, text) for key, text in texts for name in _program(key, text[:_LOOKED_AT])]


def _program(key: str, text: str) -> Iterator[str]:
    plain = key.strip().casefold()
    if plain in _BY_KEY:
        yield _BY_KEY[plain]
    elif "sui_image_params" in text:
        yield "SwarmUI"
    elif _NODE.search(text) or (plain in ("prompt", "workflow", "make", "model") and _NODES.search(text)):
        yield COMFY  # in WebP it lies in the fields of the camera's maker and model, in MP4 in a comment
    elif (_STEPS.search(text) and _SAMPLER.search(text)) or (plain == "parameters" and text.strip()):
        yield "Fooocus" if "fooocus" in text.casefold() else WEBUI
    elif _JOB.search(text):
        yield "Midjourney"
    elif plain == "dream" and text.strip():
        yield "InvokeAI"
    elif _SAMPLED.search(text) and _SEEDED.search(text):
        yield "NovelAI" if '"uc"' in text or "'uc'" in text else WEBUI
    elif plain == "title" and kind_of(text) == "generator":
        yield "NovelAI"  # it writes the title "AI generated image" and nothing else into it


def is_settings(text: str) -> bool:
    """Whether this is no name of a program or camera but the settings of a generator, put into its place."""
    return bool(_NODES.search(text[:_LOOKED_AT])) or text.lstrip().startswith(("workflow:", "prompt:"))
