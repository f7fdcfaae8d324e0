"""Charts of logs and results, in English and Chinese; every number in them is read or measured."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence

import cv2
import numpy as np

from haechi import models
from haechi.detectors.flicker import sharpness_ratio
from haechi.errors import UsageError
from haechi.types import U8
from haechi_lab.figures.charts import Line, Mark, chart
from haechi_lab.figures.diagrams import Box, diagram
from haechi_lab.figures.sources import SEED, Stage
from haechi_lab.inputs import CROP_PX
from haechi_lab.pseudo_fakes.clips import draw_scene, film, forge_over_time
from haechi_lab.pseudo_fakes.swap_imitation import imitate_swap

LN2 = float(np.log(2))
CALIBRATED = "dfdc"
"""The result whose verdicts the charts of calibration and of thresholds show."""
BINS = 25


def _say(lang: str, en: str, zh: str) -> str:
    return zh if lang == "zh" else en


def shared_encoder(_: Stage, lang: str) -> str:
    """The classic deepfake as a diagram, and our own beside it."""

    def w(en: str, zh: str) -> tuple[str, ...]:
        return tuple(_say(lang, en, zh).split("|"))

    title = _say(lang, "One encoder, a decoder for each person", "一个编码器，每人一个解码器")
    face = w("face of A|or of B", "A 的脸|或 B 的脸")
    boxes = [
        Box(16, 92, 104, 66, face),
        Box(160, 60, 130, 130, w("encoder|for both", "共用的|编码器"), 0, True),
        Box(322, 92, 96, 66, w("code|(few numbers)", "编码|（少量数字）"), 3),
        Box(450, 30, 120, 80, w("decoder of A", "A 的解码器"), 2, True),
        Box(450, 140, 120, 80, w("decoder of B", "B 的解码器"), 1, True),
        Box(606, 37, 100, 66, w("face of A", "A 的脸"), 4),
        Box(606, 147, 100, 66, w("face of B", "B 的脸"), 4),
    ]
    arrows = [
        ([(120, 125), (156, 125)], ""), ([(290, 125), (318, 125)], ""),
        ([(418, 112), (446, 76)], ""), ([(418, 138), (446, 174)], ""),
        ([(570, 70), (602, 70)], ""), ([(570, 180), (602, 180)], ""),
    ]  # fmt: skip
    return diagram(boxes, arrows, title, (722, 250))


def two_players(_: Stage, lang: str) -> str:
    """Generator and discriminator as a diagram."""

    def w(en: str, zh: str) -> tuple[str, ...]:
        return tuple(_say(lang, en, zh).split("|"))

    title = _say(lang, "Generator against discriminator", "生成器与判别器")
    boxes = [
        Box(16, 40, 96, 60, w("noise", "随机噪声")),
        Box(152, 30, 130, 80, w("generator", "生成器"), 2, True),
        Box(322, 40, 100, 60, w("drawn face", "画出来的脸")),
        Box(322, 150, 100, 60, w("photograph", "真实照片")),
        Box(480, 78, 130, 94, w("discriminator", "判别器"), 0, True),
        Box(642, 97, 70, 56, w("drawn or|genuine?", "画的|还是真的？"), 1),
    ]
    arrows = [
        ([(112, 70), (148, 70)], ""), ([(282, 70), (318, 70)], ""),
        ([(422, 70), (476, 105)], ""), ([(422, 180), (476, 145)], ""), ([(610, 125), (638, 125)], ""),
        (
            [(677, 153), (677, 234), (217, 234), (217, 116)],
            _say(lang, "“this is how you were found out”", "“我是这样看出破绽的”"),
        ),
    ]  # fmt: skip
    return diagram(boxes, arrows, title, (728, 250))


def autoencoder_loss(stage: Stage, lang: str) -> str:
    """What the autoencoder of `train generators` is held to, step by step."""
    log = stage.journal("autoencoder")
    step = [e["step"] for e in log]
    lines = [
        Line(_say(lang, "total loss", "总损失"), step, [e["autoencoder"] for e in log], 0),
        Line(_say(lang, "pixels that are off (L1)", "像素误差（L1）"), step, [e["l1"] for e in log], 1),
        Line(_say(lang, "edges that are off", "边缘误差"), step, [e["gradient"] for e in log], 2),
    ]
    return chart(
        lines, _say(lang, "Losses of the autoencoder", "自编码器的损失"), _say(lang, "step", "训练步数"),
        _say(lang, "loss", "损失"),
    )  # fmt: skip


def gan_loss(stage: Stage, lang: str) -> str:
    """The two losses of the GAN, and where they would stand if neither could tell or win."""
    log = stage.journal("gan")
    step = [e["step"] for e in log]
    lines = [
        Line(_say(lang, "discriminator", "判别器"), step, [e["discriminator"] for e in log], 0),
        Line(_say(lang, "generator", "生成器"), step, [e["generator"] for e in log], 1),
    ]
    marks = [
        Mark(_say(lang, "discriminator cannot tell: 2 ln 2", "判别器分不出：2 ln 2"), 2 * LN2),
        Mark(_say(lang, "neither ahead: ln 2", "势均力敌：ln 2"), LN2),
    ]
    return chart(
        lines, _say(lang, "Losses of the GAN", "GAN 的两条损失曲线"), _say(lang, "step", "训练步数"),
        _say(lang, "loss", "损失"), marks,
    )  # fmt: skip


def lesson(stage: Stage, lang: str) -> str:
    """Overfitting: loss on pictures trained on (dashed) and on persons never met, for each variant."""
    runs = stage.result("lesson")["runs"]
    lines = []
    for style, entry in enumerate(runs.values()):
        about = _say(
            lang, f"{entry['persons']} persons, {entry['pictures']} pictures",
            f"{entry['persons']} 人、{entry['pictures']} 张",
        )  # fmt: skip
        curves = entry["curves"]
        x = curves["step"][1:]
        lines.append(
            Line(f"{about}: " + _say(lang, "trained on", "学过的图"), x, curves["trained"][1:], style, dash=1)
        )
        lines.append(
            Line(_say(lang, "persons never met", "没见过的人"), x, curves["unseen"][1:], style, dash=0)
        )
    most = max(v for line in lines for v in line.y)
    return chart(
        lines, _say(lang, "Overfitting, measured", "过拟合：实测曲线"), _say(lang, "step", "训练步数"),
        _say(lang, "loss", "损失"), [Mark(_say(lang, "guessing: ln 2", "瞎猜：ln 2"), LN2)],
        y_range=(0, 1.3 * most),
    )  # fmt: skip


def calibration(stage: Stage, lang: str) -> str:
    """What the verdict said against what was the case."""
    block = stage.result(CALIBRATED)["rungs"]["clean"].get("calibration", {}).get("verdict")
    if not block:
        raise UsageError(f"{CALIBRATED}.json has no calibration: renew it with haechi bench again")
    bins = [b for b in block["bins"] if b["was"]["value"] is not None]
    curve = Line(
        _say(lang, "measured, with 95% interval", "实测，带 95% 区间"),
        [b["said"] for b in bins], [b["was"]["value"] for b in bins], 0, dots=True,
        bars=[(b["was"]["low"], b["was"]["high"]) for b in bins],
    )  # fmt: skip
    ideal = Line(_say(lang, "as it should be", "理想情形"), [0, 1], [0, 1], 4, dash=2)
    return chart(
        [curve, ideal], _say(lang, "Calibration of the verdict", "判断结果的校准"),
        _say(lang, "probability that was given", "给出的概率"),
        _say(lang, "share that was forged", "其中实为伪造的比例"),
        x_range=(0, 1), y_range=(0, 1), percent=True,
    )  # fmt: skip


def scores(stage: Stage) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that the verdict gave genuine and forged pictures of the CALIBRATED result."""
    file = stage.results / f"{CALIBRATED}.scores.csv.gz"
    if not file.is_file():
        raise UsageError(f"no {file.name} among the results")
    with gzip.open(file, "rt", newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["clean/verdict"] not in ("", "-")]
    by = {
        label: np.array([float(r["clean/verdict"]) for r in rows if r["label"] == label])
        for label in ("real", "fake")
    }
    return by["real"], by["fake"]


def thresholds(stage: Stage, lang: str) -> str:
    """How genuine and forged pictures spread over the scale, and the two marks."""
    real, fake = scores(stage)
    edges = np.linspace(0, 1, BINS + 1)
    middle = ((edges[:-1] + edges[1:]) / 2).tolist()
    names = (_say(lang, "genuine", "真实"), _say(lang, "forged", "伪造"))
    lines = [
        Line(name, middle, (np.histogram(v, edges)[0] / max(len(v), 1)).tolist(), style, fill=True)
        for style, (name, v) in enumerate(zip(names, (real, fake), strict=True))
    ]
    levels = models.load("verdict", stage.settings).card.parameters["thresholds"]
    marks = [Mark(level, float(1 / (1 + np.exp(-levels[level]))), True) for level in ("some", "strong")]
    return chart(
        lines, _say(lang, "Where the two marks stand", "两条界线的位置"),
        _say(lang, "probability that was given", "给出的概率"),
        _say(lang, "share of its kind", "占同类图片的比例"),
        marks, x_range=(0, 1), percent=True,
    )  # fmt: skip


def filmed(stage: Stage, mode: str | None, frames: int = 40) -> list[U8]:
    """The photograph before a moving camera; with ``mode`` forged in each frame as ``clips`` has it."""
    crop, mesh = stage.subject.crop, stage.subject.mesh
    rng = np.random.default_rng(SEED)
    scene = draw_scene(rng, CROP_PX, frames)
    base, forgeries = forge_over_time(
        lambda g: imitate_swap(crop, mesh, g),
        mode or "constant",
        scene.fps,
        np.random.default_rng(SEED),
        frames,
    )
    return film([base] * frames if mode is None else forgeries, base, scene, np.random.default_rng(SEED + 1))


def over_time(stage: Stage, lang: str) -> str:
    """Detail of the face over detail around it, frame by frame: filmed, and forged anew in each frame."""
    lines = []
    names = (_say(lang, "genuine clip", "真实片段"), _say(lang, "face drawn anew", "每帧重新画脸"))
    for style, (name, mode) in enumerate(zip(names, (None, "redraw"), strict=True)):
        frames = filmed(stage, mode)
        ratios = [sharpness_ratio(np.asarray(cv2.resize(f, (CROP_PX, CROP_PX)), np.uint8)) for f in frames]
        lines.append(Line(name, list(range(len(ratios))), ratios, style))
    low, high = _bounds([v for line in lines for v in line.y])
    return chart(
        lines, _say(lang, "Sharpness of the face over that of its surroundings", "人脸与周围清晰度之比"),
        _say(lang, "frame", "帧"), _say(lang, "log ratio", "对数比值"), y_range=(low, high),
    )  # fmt: skip


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    room = 0.15 * (max(values) - min(values)) + 1e-3
    return min(values) - room, max(values) + 2 * room
