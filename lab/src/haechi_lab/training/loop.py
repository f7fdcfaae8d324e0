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
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from haechi_lab.data.shards import file_hash

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
    bf16: bool = False
    """Multiply in bfloat16: half the time on a processor that has it, several times as long on others."""


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


class Journal:
    """The folder of a run: ``config.json``, ``log.jsonl`` with the means over ``every`` steps, and a
    ``checkpoint.pt`` every few minutes. ``step`` and ``spent`` (seconds) are those that it holds already."""

    def __init__(
        self, out: Path, plan: Plan, facts: Mapping[str, object], every: int, log: Callable[[str], None]
    ) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.device = pick_device()
        if plan.threads:
            torch.set_num_threads(plan.threads)
        config = {**asdict(plan), **facts, "code_sha256": code_hash(), "device": str(self.device)}
        (out / "config.json").write_text(json.dumps(config, indent=1))
        self.out, self.plan, self.every, self.log = out, plan, every, log
        self.state: dict[str, Any] = {}
        self.step, self.spent = 0, 0.0
        if (out / "checkpoint.pt").is_file():
            self.state = torch.load(out / "checkpoint.pt", map_location=self.device, weights_only=True)
            self.step, self.spent = self.state["step"], self.state["seconds"]
            log(f"goes on from step {self.step}")
        self.begun = self.saved = time.monotonic()
        self.sums: dict[str, float] = {}
        self.summed = 0

    def seconds(self) -> float:
        """All that the run took so far, earlier tries included."""
        return self.spent + time.monotonic() - self.begun

    def note(self, step: int, parts: Mapping[str, float], state: Callable[[], Mapping[str, object]]) -> None:
        """After a step: what it measured, and what a checkpoint would have to hold."""
        for k, v in parts.items():
            self.sums[k] = self.sums.get(k, 0.0) + v
        self.summed += 1
        last = step == self.plan.steps
        if step % self.every == 0 or last:
            means = {k: v / self.summed for k, v in self.sums.items()}
            line = {"step": step, "seconds": round(self.seconds()), **means}
            self.sums, self.summed = {}, 0
            with (self.out / "log.jsonl").open("a") as journal:
                journal.write(json.dumps(line) + "\n")
            self.log(" ".join(f"{k} {v:.4g}" for k, v in line.items()))
        if last or time.monotonic() - self.saved > self.plan.checkpoint_s:
            self.saved = time.monotonic()
            temporary = self.out / "checkpoint.part"
            torch.save({**state(), "step": step, "seconds": self.seconds()}, temporary)
            temporary.replace(self.out / "checkpoint.pt")


def seconds_of(*runs: Path) -> float:
    """What these runs took together with those that they began from, each counted once. The starts are looked
    for beside the runs, by the name that ``config.json`` gives; one that is not there is not counted."""
    counted: set[Path] = set()
    todo = list(runs)
    while todo:
        run = todo.pop()
        if run in counted or not (run / "log.jsonl").is_file():
            continue
        counted.add(run)
        start = json.loads((run / "config.json").read_text()).get("start")
        todo += [run.parent / start] if start else []
    return float(sum(_last_line(run / "log.jsonl")["seconds"] for run in counted))


def _last_line(journal: Path) -> dict[str, float]:
    last: dict[str, float] = json.loads(journal.read_text().splitlines()[-1])
    return last


def chances(seed: int, step: int) -> None:
    """Set what torch draws in a step (dropout, draws of the loss) by (seed, step) alone."""
    # Mixed to 32 bits: on a processor torch looks at no more of a seed.
    torch.manual_seed(int(np.random.SeedSequence([seed, step]).generate_state(1)[0]))


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

    Keeps a ``Journal`` in ``out``. ``lr_scale`` gives each parameter its share of the rate by name."""
    journal = Journal(out, plan, facts, 100, log)
    torch.manual_seed(plan.seed)
    model.to(device=journal.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(model).eval()
    groups = [
        {"params": [p], "share": lr_scale(n), "weight_decay": plan.weight_decay if p.ndim > 1 else 0.0}
        for n, p in model.named_parameters()
        if p.requires_grad
    ]
    optimiser = torch.optim.AdamW(groups, lr=plan.lr, betas=(0.9, 0.99))
    parts: dict[str, Any] = {"model": model, "average": average, "optimiser": optimiser}
    if journal.state:
        for name, part in parts.items():
            part.load_state_dict(journal.state[name])
    loader = DataLoader(
        BatchSource(make_batch, plan.seed), batch_size=None, sampler=_From(journal.step, plan.steps),  # type: ignore[arg-type]
        num_workers=plan.workers, worker_init_fn=_worker_init, prefetch_factor=4 if plan.workers else None,
    )  # fmt: skip
    model.train()
    for step, batch in enumerate(loader, journal.step + 1):
        rate = plan.lr * min(1.0, step / plan.warmup) * 0.5 * (1 + math.cos(math.pi * step / plan.steps))
        for group in optimiser.param_groups:
            group["lr"] = rate * group["share"]
        inputs = {k: v.to(journal.device, non_blocking=True) for k, v in batch.items()}
        chances(plan.seed, step)
        with torch.autocast(journal.device.type, torch.bfloat16, enabled=plan.bf16):
            value, figures = loss(model, inputs)
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        follow(average, model, min(plan.ema, step / (step + 20)))
        journal.note(
            step,
            {"loss": value.item(), **figures},
            lambda: {name: part.state_dict() for name, part in parts.items()},
        )
    return average, journal.seconds()


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the average's weights towards the model's; what is counted and not weighed is copied."""
    for a, m in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if a.dtype.is_floating_point:
            a.lerp_(m, 1 - decay)
        else:
            a.copy_(m)
