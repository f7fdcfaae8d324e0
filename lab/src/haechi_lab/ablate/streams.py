"""``haechi train ablate streams``: what each stream of a network that was trained with all of them is worth.

From the same start one stream is taken away at a time and the rest learns on for a short while, so that no
stream is asked to say what another one said; beside them the whole network, learning on for as long.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from haechi_lab.ablate.reporting_half import Exam, stem, write
from haechi_lab.data.pairs import BATCH, MIX, Prepared, SwapData
from haechi_lab.data.samples import laid_out
from haechi_lab.networks.swap import STREAMS, SwapNet
from haechi_lab.training.loop import Plan, fit
from haechi_lab.training.swap import swap_loss

STEPS = 100


def run(out: Path, start: Path, results: Path, threads: int = 1, log: Callable[[str], None] = print) -> None:
    """Train and judge the whole and every network of one stream less; a result that is there is left.
    ``start``: a checkpoint of a network of all streams."""
    source = SwapData(Prepared.open(out), mix=MIX, hardest_at=1)
    exam = Exam.open(laid_out(out) / "reporting.csv", out / "ablate" / "pictures")
    state = torch.load(start, map_location="cpu", weights_only=True)
    command = "haechi train ablate streams --data DIR --out DIR --start OUT/RUN/checkpoint.pt"
    for stream in ("", *STREAMS):
        note = f"without the {stream} stream" if stream else "full"
        if (results / f"{stem(note)}.json").is_file():
            continue
        log(note)
        net = SwapNet(tuple(s for s in STREAMS if s != stream), "stem" if stream != "fine" else "nothing")
        net.take_over(state["average"])
        plan = Plan(steps=STEPS, batch=BATCH, lr=1e-4, warmup=10, threads=threads, checkpoint_s=900)
        average, _ = fit(
            net, source.batch, swap_loss, plan, out / "ablate" / f"streams-{stream or 'all'}",
            {"task": "ablate", "note": note, "start": start.parent.name},
            lr_scale=lambda n: 0.6 if n.startswith("trunk") else 1.0,
        )  # fmt: skip
        write(results, note, exam.judge(average), exam, command, [state["step"], STEPS])
