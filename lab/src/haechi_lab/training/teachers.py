"""Networks by others that teach ours and are never shipped.

YuNet (ShiqiYu/libfacedetection.train, Apache-2.0) finds faces; the MediaPipe face mesh (Apache-2.0, port by
thepowerfuldeez) gives dense landmarks; TAEF2 (madebyollin/taesd, MIT) encodes a picture to the latents of a
diffusion model and back. Weights are read from the folder that ``--weights`` names.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from haechi.errors import UsageError
from haechi.types import F32, U8

STRIDES = (8, 16, 32)


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise UsageError(
            f"the teacher {name} is not in {folder.name!r}: point --weights at the folder that holds it"
        )
    return path


class YuNet:
    """YuNet at its fixed input of 320 or 640 px, decoded here (boxes, 5 landmarks, scores)."""

    def __init__(self, weights: Path, side: int = 640, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.side = side
        self.session = onnxruntime.InferenceSession(
            str(_file(weights, f"yunet_n_{side}_{side}.onnx")), options
        )

    def canvas(self, bgr: U8, min_score: float = 0.3) -> tuple[F32, F32, F32]:
        """bgr u8 (side, side, 3) -> boxes f32 (n, 4) xyxy, landmarks f32 (n, 5, 2), scores f32 (n,)."""
        blob = bgr.astype(np.float32).transpose(2, 0, 1)[None]
        outputs = self.session.run(None, {"input": blob})
        boxes, points, scores = [], [], []
        for level, stride in enumerate(STRIDES):
            cls, obj, box, kps = (outputs[i * 3 + level][0] for i in range(4))
            score = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
            keep = score >= min_score
            if not keep.any():
                continue
            n = self.side // stride
            cell = np.stack([np.arange(n * n) % n, np.arange(n * n) // n], 1)[keep].astype(np.float32)
            centre = (cell + box[keep, :2]) * stride
            size = np.exp(box[keep, 2:]) * stride
            boxes.append(np.concatenate([centre - size / 2, centre + size / 2], 1))
            points.append((kps[keep].reshape(-1, 5, 2) + cell[:, None]) * stride)
            scores.append(score[keep])
        if not boxes:
            return np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, np.float32)
        b, p, s = np.concatenate(boxes), np.concatenate(points), np.concatenate(scores)
        wh = np.concatenate([b[:, :2], b[:, 2:] - b[:, :2]], 1)
        best = np.asarray(cv2.dnn.NMSBoxes(wh.tolist(), s.tolist(), min_score, 0.45), np.int64).reshape(-1)
        return b[best].astype(np.float32), p[best].astype(np.float32), s[best].astype(np.float32)

    def find(self, rgb: U8, min_score: float = 0.3, fill: float = 1.0) -> tuple[F32, F32, F32]:
        """Any picture: scaled so that its longer side is ``fill`` of the canvas; results in its pixels."""
        h, w = rgb.shape[:2]
        scale = self.side * fill / max(h, w)
        small = cv2.resize(
            rgb,
            (max(1, round(w * scale)), max(1, round(h * scale))),
            interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
        )
        board = np.zeros((self.side, self.side, 3), np.uint8)
        oy, ox = ((self.side - n) // 2 for n in small.shape[:2])
        board[oy : oy + small.shape[0], ox : ox + small.shape[1]] = small[:, :, ::-1]
        b, p, s = self.canvas(board, min_score)
        offset = np.array([ox, oy], np.float32)
        return (b - np.tile(offset, 2)) / scale, (p - offset) / scale, s


class _MeshBlock(nn.Module):
    """Depthwise 3x3 and pointwise 1x1 with a shortcut; at stride 2 that is pooled and zero-padded."""

    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        self.stride, self.grow = stride, cout - cin
        self.convs = nn.Sequential(
            nn.Conv2d(cin, cin, 3, stride, 1 if stride == 1 else 0, groups=cin), nn.Conv2d(cin, cout, 1)
        )
        self.act = nn.PReLU(cout)

    def forward(self, x: Tensor) -> Tensor:
        h = x
        if self.stride == 2:
            h = F.pad(x, (0, 2, 0, 2))
            x = F.max_pool2d(x, 2)
        if self.grow:
            x = F.pad(x, (0, 0, 0, 0, 0, self.grow))
        out: Tensor = self.act(self.convs(h) + x)
        return out


class FaceMesh(nn.Module):
    """468 points from a square crop 1.5 times the face box, at 192 px."""

    def __init__(self, weights: Path) -> None:
        super().__init__()
        plan = [(16, 16, 1)] * 2 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
        plan += [(64, 128, 2)] + [(128, 128, 1)] * 2 + [(128, 128, 2)] + [(128, 128, 1)] * 2
        self.backbone = nn.Sequential(nn.Conv2d(3, 16, 3, 2), nn.PReLU(16), *(_MeshBlock(*b) for b in plan))
        self.coord_head = nn.Sequential(
            _MeshBlock(128, 128, 2), _MeshBlock(128, 128, 1), _MeshBlock(128, 128, 1),
            nn.Conv2d(128, 32, 1), nn.PReLU(32), _MeshBlock(32, 32, 1), nn.Conv2d(32, 1404, 3),
        )  # fmt: skip
        self.conf_head = nn.Sequential(
            _MeshBlock(128, 128, 2),
            nn.Conv2d(128, 32, 1),
            nn.PReLU(32),
            _MeshBlock(32, 32, 1),
            nn.Conv2d(32, 1, 3),
        )
        self.load_state_dict(torch.load(_file(weights, "facemesh_468.pth"), weights_only=True))
        self.eval()

    @torch.inference_mode()
    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """crops u8 (n, 192, 192, 3) RGB -> points f32 (n, 468, 2) in crop pixels, presence f32 (n,)."""
        x = crops.permute(0, 3, 1, 2).float() / 127.5 - 1
        x = self.backbone(F.pad(x, (0, 1, 0, 1)))
        points = self.coord_head(x).reshape(-1, 468, 3)[:, :, :2]
        return points, torch.sigmoid(self.conf_head(x).reshape(-1))


class _TaeBlock(nn.Module):
    def __init__(self, pool: bool) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1),
        )  # fmt: skip
        self.pool: nn.Module | None = None
        if pool:
            self.pool = nn.Sequential(
                nn.Conv2d(64, 256, 1, bias=False),
                nn.GroupNorm(4, 256),
                nn.ReLU(),
                nn.Conv2d(256, 64, 1, bias=False),
            )

    def forward(self, x: Tensor) -> Tensor:
        if self.pool is not None:
            x = x + self.pool(x)
        return F.relu(self.conv(x) + x)


class _Clamp(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / 3) * 3


class Taef2(nn.Module):
    """Picture in [0, 1] (n, 3, H, W), sides multiples of 8 -> its reconstruction, the same person."""

    def __init__(self, weights: Path) -> None:
        super().__init__()

        def down() -> nn.Module:
            return nn.Conv2d(64, 64, 3, 2, 1, bias=False)

        def same() -> nn.Module:
            return nn.Conv2d(64, 64, 3, 1, 1, bias=False)

        def up() -> nn.Module:
            return nn.Upsample(scale_factor=2)

        def blocks(pool: bool) -> list[nn.Module]:
            return [_TaeBlock(pool) for _ in range(3)]

        self.encoder = nn.Sequential(
            nn.Conv2d(3, 64, 3, padding=1), _TaeBlock(False), down(), *blocks(False), down(), *blocks(False),
            down(), *blocks(True), nn.Conv2d(64, 32, 3, padding=1),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            _Clamp(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), *blocks(True), up(), same(), *blocks(False),
            up(), same(), *blocks(False), up(), same(), _TaeBlock(False), nn.Conv2d(64, 3, 3, padding=1),
        )  # fmt: skip
        self.encoder.load_state_dict(torch.load(_file(weights, "taef2_encoder.pth"), weights_only=True))
        self.decoder.load_state_dict(torch.load(_file(weights, "taef2_decoder.pth"), weights_only=True))
        self.eval()

    @torch.inference_mode()
    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.decoder(self.encoder(x)).clamp(0, 1)
        return out
