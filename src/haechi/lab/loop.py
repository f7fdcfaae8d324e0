"""The one training loop: fixed seed, cosine rate, averaged weights, a checkpoint every few minutes.

Batch number k is made from the random state (seed, k) alone, and so is what torch draws in step k
(dropout, draws of the loss): a run that was cut off goes on from its checkpoint as if it had not been.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from haechi.lab.data import file_hash

Batch = dict[str, Tensor]
Loss = Callable[[nn.Module, Batch], tuple[Tensor, Mapping[str, float]]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of; goes into ``config.json``."""

    steps: int
    batch: int
    lr: float
    weight_decay: float = 0.02
    warmup: int = 200
    ema: float = 0.998
    seed: int = 7
    workers: int = 1
    threads: int = 0
    checkpoint_s: float = 180.0


class BatchSource(Dataset[Batch]):
    """Batch k from a function of (k, a generator seeded by k)."""

    def __init__(self, make: Callable[[int, np.random.Generator], Batch], seed: int) -> None:
        self.make, self.seed = make, seed

    def __getitem__(self, k: int) -> Batch:
        return self.make(k, np.random.default_rng([self.seed, k]))


class _From:
    """Sampler that begins where the checkpoint ended."""

    def __init__(self, start: int, stop: int) -> None:
        self.range = range(start, stop)

    def __iter__(self) -> object:
        return iter(self.range)

    def __len__(self) -> int:
        return len(self.range)


def pick_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def code_hash() -> str:
    """SHA-256 over the sources of the lab, in order of name."""
    return file_hash(sorted(Path(__file__).parent.rglob("*.py")))


def _worker_init(_: int) -> None:
    import cv2

    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def fit(
    model: nn.Module,
    make_batch: Callable[[int, np.random.Generator], Batch],
    loss: Loss,
    plan: Plan,
    out: Path,
    facts: Mapping[str, object],
    *,
    lr_scale: Callable[[str], float] = lambda _: 1.0,
    log: Callable[[str], None] = print,
) -> tuple[nn.Module, float]:
    """Train ``model`` and return its moving average and the seconds spent, earlier tries included.

    Writes ``config.json``, ``checkpoint.pt`` and ``log.jsonl`` into ``out``. ``lr_scale`` gives each
    parameter its share of the rate by name."""
    out.mkdir(parents=True, exist_ok=True)
    device = pick_device()
    if plan.threads:
        torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    (out / "config.json").write_text(
        json.dumps({**asdict(plan), **facts, "code_sha256": code_hash(), "device": str(device)}, indent=1)
    )
    model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(model).eval()
    groups = [
        {"params": [p], "share": lr_scale(n), "weight_decay": plan.weight_decay if p.ndim > 1 else 0.0}
        for n, p in model.named_parameters()
        if p.requires_grad
    ]
    optimiser = torch.optim.AdamW(groups, lr=plan.lr, betas=(0.9, 0.99))
    start, spent, checkpoint = 0, 0.0, out / "checkpoint.pt"
    if checkpoint.is_file():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        start, spent = state["step"], state["seconds"]
        log(f"goes on from step {start}")
    loader = DataLoader(
        BatchSource(make_batch, plan.seed), batch_size=None, sampler=_From(start, plan.steps),  # type: ignore[arg-type]
        num_workers=plan.workers, worker_init_fn=_worker_init, prefetch_factor=4 if plan.workers else None,
    )  # fmt: skip
    begun = saved = time.monotonic()
    sums: dict[str, float] = {}
    summed = 0
    model.train()
    with (out / "log.jsonl").open("a") as journal:
        for step, batch in enumerate(loader, start + 1):
            rate = plan.lr * min(1.0, step / plan.warmup) * 0.5 * (1 + math.cos(math.pi * step / plan.steps))
            for group in optimiser.param_groups:
                group["lr"] = rate * group["share"]
            moved = {k: v.to(device, non_blocking=True) for k, v in batch.items()}
            # Mixed to 32 bits: on a processor torch looks at no more of a seed.
            torch.manual_seed(int(np.random.SeedSequence([plan.seed, step]).generate_state(1)[0]))
            value, parts = loss(model, moved)
            optimiser.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimiser.step()
            follow(average, model, min(plan.ema, step / (step + 20)))
            for k, v in {"loss": value.item(), **parts}.items():
                sums[k] = sums.get(k, 0.0) + v
            summed += 1
            now = time.monotonic()
            if step % 100 == 0 or step == plan.steps:
                line = {
                    "step": step,
                    "seconds": round(spent + now - begun),
                    **{k: v / summed for k, v in sums.items()},
                }
                sums, summed = {}, 0
                journal.write(json.dumps(line) + "\n")
                journal.flush()
                log(" ".join(f"{k} {v:.4g}" for k, v in line.items()))
            if now - saved > plan.checkpoint_s or step == plan.steps:
                saved = now
                _save(checkpoint, model, average, optimiser, step, spent + now - begun)
    return average, spent + time.monotonic() - begun


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the average's weights towards the model's; what is counted and not weighed is copied."""
    for a, m in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if a.dtype.is_floating_point:
            a.lerp_(m, 1 - decay)
        else:
            a.copy_(m)


def _save(
    path: Path,
    model: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    step: int,
    seconds: float,
) -> None:
    temporary = path.with_suffix(".part")
    torch.save(
        {
            "model": model.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict(),
            "step": step, "seconds": seconds,
        },
        temporary,
    )  # fmt: skip
    temporary.replace(path)
