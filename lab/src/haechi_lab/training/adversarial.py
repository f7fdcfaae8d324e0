"""A training loop for two networks with opposite aims, in the spirit of :mod:`haechi_lab.training.loop`.

Batch number k and the chances of step k come from (seed, k) alone, both players and their optimisers are in
the checkpoint, and a run that was cut off goes on as if it had not been. One player alone may play, too.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from haechi_lab.training.loop import Batch, Journal, Plan, chances
from haechi_lab.training.loop import follow as towards

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

    Keeps a ``Journal`` in ``out``, a line every ``every`` steps. Raises FloatingPointError when a loss is no
    longer a number: going on cannot save such a run."""
    journal = Journal(out, plan, facts, every, log)
    for network in players.values():
        network.to(device=journal.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    average = copy.deepcopy(players[follow]).eval()
    optimisers = {
        t.player: torch.optim.AdamW(players[t.player].parameters(), lr=plan.lr, betas=BETAS, weight_decay=0.0)
        for t in turns
    }
    if state := journal.state:
        for name, network in players.items():
            network.load_state_dict(state["players"][name])
        for name, optimiser in optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        average.load_state_dict(state["average"])

    def whole() -> Mapping[str, object]:
        return {
            "players": {name: network.state_dict() for name, network in players.items()},
            "optimisers": {name: optimiser.state_dict() for name, optimiser in optimisers.items()},
            "average": average.state_dict(),
        }

    for step in range(journal.step + 1, plan.steps + 1):
        arrays = make_batch(step - 1, np.random.default_rng([plan.seed, step - 1]))
        batch = {n: v.to(journal.device) for n, v in arrays.items()}
        chances(plan.seed, step)
        rate = plan.lr * min(1.0, step / plan.warmup, max(0.05, (plan.steps - step) / (EASING * plan.steps)))
        parts: dict[str, float] = {}
        for turn in turns:
            parts.update(_move(turn, players, optimisers[turn.player], rate, batch))
        towards(average, players[follow], min(plan.ema, step / (step + 20)))
        journal.note(step, parts, whole)
    return average, journal.seconds()


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
