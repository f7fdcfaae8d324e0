"""A training loop for two networks with opposite aims, in the spirit of :mod:`haechi.lab.loop`.

Batch number k and the chances of step k come from (seed, k) alone, both players and their optimisers are in
the checkpoint, and a run that was cut off goes on as if it had not been. One player alone may play, too.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from haechi.lab.loop import Batch, Plan, code_hash, pick_device
from haechi.lab.loop import follow as towards

Players = Mapping[str, nn.Module]
TurnLoss = Callable[[Players, Batch], tuple[Tensor, Mapping[str, float]]]
BETAS = (0.5, 0.99)
EASING = 0.3
"""Share of the steps, the last, over which the rate falls to a twentieth."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Who moves, and what it wants less of. ``loss`` may leave in the batch what a later turn can use again;
    the networks of ``still`` get no gradients."""

    player: str
    loss: TurnLoss
    still: tuple[str, ...] = ()
    share: float = 1.0
    """Of the plan's rate."""


def duel(
    players: Players,
    turns: tuple[Turn, ...],
    follow: str,
    make_batch: Callable[[int, np.random.Generator], Batch],
    plan: Plan,
    out: Path,
    facts: Mapping[str, object],
    *,
    every: int = 20,
    log: Callable[[str], None] = print,
) -> tuple[nn.Module, float]:
    """Play; returns the moving average of the player to ``follow`` and the seconds, earlier tries included.

    Writes ``config.json``, ``checkpoint.pt`` and ``log.jsonl`` (means over ``every`` steps) into ``out``.
    Raises FloatingPointError when a loss is no longer a number: going on cannot save such a run."""
    out.mkdir(parents=True, exist_ok=True)
    device = pick_device()
    if plan.threads:
        torch.set_num_threads(plan.threads)
    (out / "config.json").write_text(
        json.dumps({**asdict(plan), **facts, "code_sha256": code_hash(), "device": str(device)}, indent=1)
    )
    for network in players.values():
        network.to(device=device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    average = copy.deepcopy(players[follow]).eval()
    optimisers = {
        t.player: torch.optim.AdamW(players[t.player].parameters(), lr=plan.lr, betas=BETAS, weight_decay=0.0)
        for t in turns
    }
    start, spent, checkpoint = 0, 0.0, out / "checkpoint.pt"
    if checkpoint.is_file():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        for name, network in players.items():
            network.load_state_dict(state["players"][name])
        for name, optimiser in optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        average.load_state_dict(state["average"])
        start, spent = state["step"], state["seconds"]
        log(f"goes on from step {start}")
    begun = saved = time.monotonic()
    sums: dict[str, float] = {}
    since = start
    with (out / "log.jsonl").open("a") as journal:
        for step in range(start + 1, plan.steps + 1):
            k = step - 1
            batch = {n: v.to(device) for n, v in make_batch(k, np.random.default_rng([plan.seed, k])).items()}
            torch.manual_seed(int(np.random.SeedSequence([plan.seed, step]).generate_state(1)[0]))
            rate = plan.lr * min(
                1.0, step / plan.warmup, max(0.05, (plan.steps - step) / (EASING * plan.steps))
            )
            for turn in turns:
                for name, value in _move(turn, players, optimisers[turn.player], rate, batch).items():
                    sums[name] = sums.get(name, 0.0) + value
            towards(average, players[follow], min(plan.ema, step / (step + 20)))
            now = time.monotonic()
            if step % every == 0 or step == plan.steps:
                means = {name: value / (step - since) for name, value in sums.items()}
                line = {"step": step, "seconds": round(spent + now - begun), **means}
                sums, since = {}, step
                journal.write(json.dumps(line) + "\n")
                journal.flush()
                log(" ".join(f"{name} {value:.4g}" for name, value in line.items()))
            if now - saved > plan.checkpoint_s or step == plan.steps:
                saved = now
                _save(checkpoint, players, optimisers, average, step, spent + now - begun)
    return average, spent + time.monotonic() - begun


def _move(
    turn: Turn, players: Players, optimiser: torch.optim.Optimizer, rate: float, batch: Batch
) -> dict[str, float]:
    for group in optimiser.param_groups:
        group["lr"] = rate * turn.share
    for name in turn.still:
        players[name].requires_grad_(False)
    value, parts = turn.loss(players, batch)
    if not bool(torch.isfinite(value)):
        raise FloatingPointError(f"the loss of the {turn.player} is {value.item()}")
    optimiser.zero_grad(set_to_none=True)
    value.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(players[turn.player].parameters(), 5.0)
    optimiser.step()
    for name in turn.still:
        players[name].requires_grad_(True)
    return {turn.player: value.item(), **parts}


def _save(
    path: Path,
    players: Players,
    optimisers: Mapping[str, torch.optim.Optimizer],
    average: nn.Module,
    step: int,
    seconds: float,
) -> None:
    state = {
        "players": {name: network.state_dict() for name, network in players.items()},
        "optimisers": {name: optimiser.state_dict() for name, optimiser in optimisers.items()},
        "average": average.state_dict(), "step": step, "seconds": seconds,
    }  # fmt: skip
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    temporary.replace(path)
