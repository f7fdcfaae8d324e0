"""A head on cached features: fitted in seconds, so that a question about sources costs no more."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from haechi.types import F32, F64
from haechi_lab.networks.dino_head import Head

STEPS, BATCH, RATE, DECAY = 250, 1024, 2e-3, 0.05
LABELS = (0.03, 0.97)
"""Smoothed: no head is to be surer than that."""


def balanced(source: np.ndarray, fake: np.ndarray) -> F64:
    """Weights f64 (n,) by which every source counts alike within its label, and both labels alike."""
    out = np.zeros(len(source))
    for label in (False, True):
        sources = np.unique(source[fake == label])
        for name in sources:
            mine = (fake == label) & (source == name)
            out[mine] = 1.0 / len(sources) / mine.sum()
    return out


def fitted(x: F32, y: np.ndarray, weight: F64, seed: int) -> Head:
    """Of features f32 (n, d), labels bool (n,) and how often each is drawn f64 (n,)."""
    torch.manual_seed(seed)
    head = Head(torch.from_numpy(x.mean(0)), torch.from_numpy(x.std(0) + 1e-3))
    inputs, labels = (
        torch.from_numpy(x),
        torch.from_numpy(np.where(y, LABELS[1], LABELS[0]).astype(np.float32)),
    )
    counts, draw = torch.from_numpy(weight.astype(np.float32)), torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(head.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, STEPS)
    for _ in range(STEPS):
        rows = torch.multinomial(counts, BATCH, replacement=True, generator=draw)
        loss = F.binary_cross_entropy_with_logits(head(inputs[rows]), labels[rows])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return head.eval()
