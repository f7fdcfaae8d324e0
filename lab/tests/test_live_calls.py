"""The stand for calls: swaps touch faces alone, long calls keep what short ones say, marks keep their
word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from haechi.live.cusum import Mark
from haechi.types import F64
from haechi_lab.live import bootstrap, measure, series
from haechi_lab.live.bootstrap import Drawn, draw, fit, sums, threshold, times_s
from haechi_lab.live.calls import GENUINE, TALKING, Call
from haechi_lab.live.series import Heard
from haechi_lab.live.swapper import POINTS, SPECIES, LiveSwap
from synthetic import texture

AT = POINTS * 1.5 + 40
"""Five points of a face 190 px wide in a picture of 300 px."""


def heard(values: F64, name: str = "a", species: str = GENUINE, source: str = "dfdc") -> Heard:
    return Heard(Call(Path(f"{name}.mp4"), species, source, name), (values,))


@pytest.mark.parametrize("species", SPECIES)
def test_a_swap_changes_the_face_and_nothing_else(species: str) -> None:
    rgb = texture(300, 300, 3)
    out = LiveSwap(SPECIES[species], np.random.default_rng(1)).frame(rgb, AT)
    changed = np.abs(out.astype(int) - rgb).max(2)
    assert changed[100:170, 100:170].mean() > 3
    outside = changed.copy()
    outside[30:245, 30:245] = 0
    assert outside.max() == 0


def test_the_mouth_is_put_back_and_the_last_frame_mixed_in() -> None:
    rgb = texture(300, 300, 3)

    def forged(species: str) -> np.ndarray:
        swap = LiveSwap(SPECIES[species], np.random.default_rng(1))
        swap.frame(texture(300, 300, 4), AT)
        return swap.frame(rgb, AT).astype(int)

    mouth = tuple(slice(int(v) - 6, int(v) + 6) for v in AT[3:].mean(0)[::-1])
    eyes = tuple(slice(int(v) - 6, int(v) + 6) for v in AT[:2].mean(0)[::-1])
    whole, own_mouth, mixed = (
        np.abs(forged(s) - rgb) for s in ("feathered ellipse", "mouth put back", "mixed with the last frame")
    )
    assert own_mouth[mouth].mean() < 0.3 * whole[mouth].mean()
    assert own_mouth[eyes].mean() > 0.7 * whole[eyes].mean()
    assert mixed[eyes].mean() > whole[eyes].mean()


def test_the_sums_are_those_of_the_test_that_ships() -> None:
    mark = Mark(0.5, 2.0, 200.0)
    values = np.random.default_rng(2).normal(0.4, 2, 60)
    total, totals = 0.0, []
    for value in values:
        total = mark.step(total, float(value))
        totals.append(total)
    assert np.allclose(sums(values[None], mark)[0], totals)


def test_a_long_call_is_made_of_blocks_of_one_person() -> None:
    people = [heard(np.arange(10.0), "a"), heard(100 + np.arange(10.0), "b")]
    long_calls = draw(people, 10, 100, 5)
    assert long_calls.log_odds.shape == (10, 100)
    for row, number in zip(long_calls.log_odds, long_calls.heard, strict=True):
        assert set(row // 100) == {number}
        follows = np.diff(row) == 1
        assert follows.mean() > 0.7
    assert np.bincount(long_calls.heard).tolist() == [5, 5]


def test_a_mark_is_reached_by_no_more_calls_than_allowed() -> None:
    highest = np.random.default_rng(1).gamma(2, 3, 1000)
    highest += 2 * bootstrap.LEAST_THRESHOLD
    for allowed in (3, 30):
        mark = threshold(highest, allowed)
        assert (highest >= mark).sum() <= allowed
        assert (highest >= mark - 0.002).sum() >= allowed


def test_the_fit_tells_forged_calls_and_lets_genuine_ones_pass() -> None:
    rng = np.random.default_rng(3)
    means = rng.normal(-0.5, 0.4, 400)
    genuine = Drawn(rng.normal(0, 0.5, (400, 600)) + means[:, None], np.arange(400))
    forged = rng.normal(3.0, 0.7, (60, 120))
    asks, alarms = (fit(genuine, means, forged, n) for n in (bootstrap.ASKS, bootstrap.ALARMS))
    for mark, allowed in ((asks, 12), (alarms, 1)):
        assert (sums(genuine.log_odds, mark).max(1) >= mark.threshold).sum() <= allowed
        assert np.median(times_s(forged, mark)) < 10
    assert asks.drift <= alarms.drift


def test_the_drift_is_no_lower_than_the_tail_of_people_leaves() -> None:
    """Of 100 people none shows what one in 300 does: the tail says where that lies."""
    means = np.random.default_rng(5).exponential(0.5, 2000)
    assert bootstrap.tail(means, 0.003) == pytest.approx(np.quantile(means, 0.997), rel=0.2)
    few = means[:100]
    assert fit(Drawn(np.full((10, 20), -1.0), np.arange(10)), few, np.full((3, 60), 4.0), 3).drift >= round(
        bootstrap.tail(few, 0.003), 2
    )


def test_calls_that_were_looked_at_are_not_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []

    def people(call: Call, _: object) -> tuple[F64, ...]:
        looked_at.append(call.file.name)
        return () if call.group == "b" else (np.array([0.5, 1.5]),)

    monkeypatch.setattr(series, "_people", people)
    calls = [Call(tmp_path / f"{name}.mp4", GENUINE, "dfdc", name) for name in "abc"]
    file = tmp_path / "series.jsonl"
    first = series.listen(file, calls[:2], None, print)  # type: ignore[arg-type]
    second = series.listen(file, calls, None, print)  # type: ignore[arg-type]
    assert looked_at == ["a.mp4", "b.mp4", "c.mp4"]
    assert [h.call.group for h in first] == ["a"]
    assert [(h.call.group, h.people[0].tolist()) for h in second] == [("a", [0.5, 1.5]), ("c", [0.5, 1.5])]


def test_the_result_says_how_often_and_how_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "CALLS", 40)
    monkeypatch.setattr(bootstrap, "CALL_S", 300)
    rng = np.random.default_rng(4)
    genuine = [
        heard(rng.normal(-1, 0.3, 8), f"g{k}", GENUINE, TALKING if k % 4 == 0 else "dfdc") for k in range(40)
    ]
    forged = [heard(rng.normal(3, 0.3, 8), f"g{k}", "plain") for k in range(1, 16) if k % 4]
    fields = measure._figures([*genuine, *forged])
    assert fields["genuine"]["all"]["alarms_per_1000"]["value"] == 0
    assert fields["genuine"]["all"]["people"] == 40
    assert set(fields["genuine"]) == {"all", "dfdc", TALKING}
    first, *_ = measure._genuine_table(fields["genuine"])["rows"]
    assert first[:2] == ["all", "40"]
    assert first[4].startswith("0 (0 to ")
    (plain,) = fields["forged"]
    assert (plain["species"], plain["people"], plain["auc_a_call"]) == ("plain", len(forged), 1.0)
    assert plain["ask"]["median_s"] <= plain["alarm"]["median_s"] <= plain["alarm"]["p95_s"] <= 12
    assert fields["table"]["rows"][0][:2] == ["plain", str(len(forged))]
