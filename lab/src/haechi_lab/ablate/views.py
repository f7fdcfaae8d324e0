"""``haechi train ablate views``: how much of a face's crop the networks should be shown, and how often.

On the DFDC pictures of the selection half, cut by the finder as in a check: the detector's window was chosen
here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from haechi.bench.manifest import read_manifest
from haechi.bench.metrics import auc
from haechi.bench.result import write_json
from haechi.faces import FaceFinder, cut
from haechi.settings import Settings
from haechi.types import F64, U8
from haechi_lab.ablate.reporting_half import averaged, picture
from haechi_lab.data.samples import laid_out
from haechi_lab.inputs import CROP_PX, crop_box

WINDOWS_PX = (224, 208, 192, 176)


def run(out: Path, name: str, file: Path) -> dict[str, Any]:
    """Write ``file`` with the AUC of each window, one view and mirrored too, of a run of train swap."""
    net, _ = averaged(out, name)
    net.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    manifest = read_manifest(laid_out(out) / "selection.csv", None, {"source": "dfdc"}, 0, 0)
    finder, crops, fake = FaceFinder(Settings(threads=1)), [], []
    for item in manifest.items:
        rgb = picture(item.path)
        faces = finder.detect(rgb)
        if len(faces):
            crops.append(cut(rgb, crop_box(faces.boxes_xyxy[faces.largest()]), CROP_PX))
            fake.append(item.fake)
    pictures, labels = np.stack(crops), np.array(fake)
    rows = []
    for side in WINDOWS_PX:
        margin = (CROP_PX - side) // 2
        window = pictures[:, margin : margin + side, margin : margin + side]
        one, other = _logits(net, window), _logits(net, window[:, :, ::-1])
        rows.append([f"{side} px", f"{auc(labels, one):.3f}", f"{auc(labels, one + other):.3f}"])
    result = {
        "schema": "haechi.views/1",
        "command": f"haechi train ablate views --data DIR --out DIR --name {name}",
        "manifest": {"name": manifest.name, "sha256": manifest.sha256, "n": len(labels)},
        "table": {"columns": ["window", "AUC, one view", "AUC, mirrored too"], "rows": rows},
    }
    write_json(file, result)
    return result


@torch.inference_mode()
def _logits(net: torch.nn.Module, pictures: U8) -> F64:
    logits = [
        net(torch.from_numpy(np.array(pictures[k : k + 16])).permute(0, 3, 1, 2).float())[0]
        for k in range(0, len(pictures), 16)
    ]
    out: F64 = torch.cat(logits).double().numpy()
    return out
