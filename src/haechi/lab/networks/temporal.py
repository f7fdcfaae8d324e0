"""The temporal head: what one network saw of a face in frame after frame, joined into one logit."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class TemporalHead(nn.Module):
    """x f32 (n, T, D), ``lab.clip_data.describe`` of T frames; present f32 (n, T), 1 where there is a
    frame -> logit f32 (n,), each f32 (n, T), change f32 (n,).

    The logit is the mean over the frames of ``slope * logit of the frame + offset + what the head adds``;
    each is that sum, so that what is shown over time is what was decided on. The head adds nothing before it
    is trained: it begins as frame averaging. Where it looks is its own choice: attention weighs what it adds.
    ``change`` is the mean size of the step from one frame to the next, in deviations of the training frames:
    not evidence, but a measure of how unlike the clips of the lab a face behaves.

    With ``over_time`` it reads each frame beside its neighbours: the sizes of the changes to the frames
    before and after, then two convolutions over time. Without, it is the same head on single frames, the
    control that tells what was learned from time and what from the features. ``used``: only so many of the
    columns are read, 0 means all.
    """

    def __init__(
        self, columns: int, over_time: bool = True, used: int = 0, width: int = 32, drop: float = 0.3
    ) -> None:
        super().__init__()
        self.middle: Tensor
        self.spread: Tensor
        self.over_time, self.used = over_time, used or columns
        self.register_buffer("middle", torch.zeros(columns))
        self.register_buffer("spread", torch.ones(columns))
        self.slope = nn.Parameter(torch.tensor(0.5))
        self.offset = nn.Parameter(torch.tensor(0.0))
        self.narrow = nn.Linear(self.used, width)
        self.drop = nn.Dropout(drop)
        reach = 5 if over_time else 1
        self.first = nn.Conv1d(width * (3 if over_time else 1), width, reach, padding=reach // 2)
        self.second = nn.Conv1d(width, width, reach, padding=reach // 2)
        self.out = nn.Conv1d(width, 2, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        z = ((x - self.middle) / self.spread).clamp(-4, 4)
        there = present[:, None]
        both = present[:, 1:] * present[:, :-1]
        step = (z[:, 1:] - z[:, :-1]).pow(2).mean(2).add(1e-12).sqrt()
        change = (step * both).sum(1) / both.sum(1).clamp(min=1)
        p = self.drop(F.relu(self.narrow(z[:, :, : self.used]))).transpose(1, 2) * there
        if self.over_time:
            # A change counts where both frames are there.
            moved = (p[:, :, 1:] - p[:, :, :-1]).abs() * both[:, None]
            p = torch.cat([p, F.pad(moved, (1, 0)), F.pad(moved, (0, 1))], 1)
        h = F.relu(self.first(p)) * there
        h = self.drop(F.relu(self.second(h)) + h) * there
        added, heed = self.out(h).unbind(1)
        weight = torch.softmax(heed.masked_fill(present < 0.5, -1e4), 1)
        count = present.sum(1, keepdim=True)
        each = (self.slope * x[:, :, 0] + self.offset + added * weight * count) * present
        return each.sum(1) / count[:, 0], each, change
