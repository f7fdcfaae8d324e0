"""The stand for calls: swaps touch faces alone, long calls keep what short ones say, marks keep their
word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from haechi.live.cusum import Mark
from haechi.live.fusion import Fusion
from haechi.types import F64
from haechi_lab.live import bootstrap, left_out, measure, series, weights
from haechi_lab.live.bootstrap import Drawn, draw, fit, sums, threshold, times_s
from haechi_lab.live.calls import GENUINE, TALKING, Call
from haechi_lab.live.series import Heard, Moment, Seen
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
    assert threshold(highest * 0, 3, second=2.5) > 2.5


def test_the_fit_tells_forged_calls_and_lets_genuine_ones_pass() -> None:
    rng = np.random.default_rng(3)
    means = rng.normal(-0.5, 0.4, 400)
    genuine = Drawn(rng.normal(0, 0.5, (400, 600)) + means[:, None], np.arange(400))
    forged = rng.normal(3.0, 0.7, (60, 120))
    asks, alarms = (
        fit(genuine, bootstrap.tail(means, n / 1000), forged, n) for n in (bootstrap.ASKS, bootstrap.ALARMS)
    )
    for mark, allowed in ((asks, 12), (alarms, 0)):
        assert (sums(genuine.log_odds, mark).max(1) >= mark.threshold).sum() <= allowed
        assert np.median(times_s(forged, mark)) < 10
    assert asks.drift <= alarms.drift


def test_the_drift_is_no_lower_than_the_tail_of_people_leaves() -> None:
    """Of 100 people none shows what one in 300 does: the tail says where that lies."""
    means = np.random.default_rng(5).exponential(0.5, 2000)
    assert bootstrap.tail(means, 0.003) == pytest.approx(np.quantile(means, 0.997), rel=0.2)
    least = bootstrap.tail(means[:100], 0.003)
    genuine = Drawn(np.full((10, 20), -1.0), np.arange(10))
    assert fit(genuine, least, np.full((3, 60), 4.0), 3).drift >= round(least, 2)


def test_an_alarm_asks_for_more_than_the_people_show_that_it_is_set_on() -> None:
    """Others may show more: of half of them as much is found as of all."""
    means = np.random.default_rng(6).exponential(0.5, 400)
    some = [means[k : k + 4] for k in range(0, 200, 4)]
    sure = bootstrap.sure_tail(some, 0.003, 1)
    assert bootstrap.tail(np.concatenate(some), 0.003) < sure
    assert bootstrap.tail(means[200:], 0.003) < sure < 2 * bootstrap.tail(means, 0.003)


def moments(values: F64) -> tuple[Moment, ...]:
    """Seconds in which the network says so much, and the sharpness of the face twice as much."""
    return tuple(Moment({"swap": float(v)}, {"sharpness": np.array([2.0 * v, 0, 0])}) for v in values)


def seen(values: F64, name: str = "a", species: str = GENUINE, source: str = "dfdc") -> Seen:
    return Seen(Call(Path(f"{name}.mp4"), species, source, name), (moments(values),))


def people(seed: int, of: float) -> list[Seen]:
    """Of forty people calls of both kinds, genuine ones about -1."""
    rng = np.random.default_rng(seed)
    genuine = [
        seen(rng.normal(-1, 0.3, 8), f"g{k}", GENUINE, TALKING if k % 4 == 0 else "dfdc") for k in range(40)
    ]
    odd = [seen(rng.normal(-1, 0.3, 8), f"g{k}", "low light", TALKING) for k in range(0, 40, 4)]
    return [*genuine, *odd, *(seen(rng.normal(of, 0.3, 8), f"g{k}", "plain") for k in range(1, 16) if k % 4)]


def test_seconds_that_speak_for_a_genuine_face_never_add_up() -> None:
    means = np.random.default_rng(5).normal(-4, 0.3, 60)
    genuine = Drawn(np.repeat(means[:, None], 50, 1), np.arange(60))
    mark = fit(genuine, bootstrap.tail(means, 0.003), np.full((3, 60), 4.0), 3)
    assert mark.drift >= 0
    assert sums(np.full((1, 1800), -0.1), mark).max() == 0


def test_calls_that_were_looked_at_are_not_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []

    def persons(call: Call, _: object) -> tuple[tuple[Moment, ...], ...]:
        looked_at.append(call.file.name)
        return () if call.group == "b" else (moments(np.array([0.5, 1.5])),)

    monkeypatch.setattr(series, "_people", persons)
    calls = [Call(tmp_path / f"{name}.mp4", GENUINE, "dfdc", name) for name in "abc"]
    file = tmp_path / "series.jsonl"
    first = series.look(file, calls[:2], None, print)  # type: ignore[arg-type]
    second = series.look(file, calls, None, print)  # type: ignore[arg-type]
    assert looked_at == ["a.mp4", "b.mp4", "c.mp4"]
    assert [s.call.group for s in first] == ["a"]
    assert [s.call.group for s in second] == ["a", "c"]
    assert [m.networks["swap"] for m in second[0].people[0]] == [0.5, 1.5]
    assert second[1].people[0][1].measures["sharpness"].tolist() == [3.0, 0, 0]


def test_a_sign_that_tells_counts_and_a_network_that_is_noise_hardly_does() -> None:
    rng = np.random.default_rng(8)
    calls = [
        Seen(s.call, (tuple(Moment({"swap": rng.normal()}, m.measures) for m in s.people[0]),))
        for s in people(3, 1.0)
    ]
    fused = weights.fit(calls, ["sharpness"], ["swap"])
    counts = fused["fusion"]["weights"]
    assert counts["sharpness"] > 0.5
    assert counts.get("swap", 0) < 0.3
    told = [float(Heard.of(s, Fusion.of(fused)).people[0].mean()) for s in calls]
    assert min(t for t, s in zip(told, calls, strict=True) if s.call.forged) > 0
    assert max(t for t, s in zip(told, calls, strict=True) if not s.call.forged) < 0


def test_what_speaks_against_itself_gets_no_weight() -> None:
    against = [
        Seen(s.call, (tuple(Moment({"swap": -m.networks["swap"]}, m.measures) for m in s.people[0]),))
        for s in people(3, 1.0)
    ]
    assert set(weights.fit(against, ["sharpness"], ["swap"])["fusion"]["weights"]) == {"sharpness"}


def test_left_out_figures_name_each_set_of_evidence() -> None:
    callers = people(4, 1.0)
    others = [seen(np.full(8, 1.5), s.call.group, "polished") for s in callers if s.call.forged]
    fields = left_out.measure([*callers, *others], lambda _: None)
    by_name = {row["evidence"]: row for row in fields["evidence"]}
    assert by_name["sharpness alone"]["species"]["plain"]["auc"] == 1.0
    assert by_name["the network alone"]["mean"]["found"] == 1.0
    assert fields["table"]["columns"][:4] == ["evidence", "mean AUC", "mean found", "plain"]


def test_the_result_says_how_often_and_how_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "CALLS", 40)
    monkeypatch.setattr(bootstrap, "CALL_S", 300)
    fields = measure._figures(people(4, 3.0))
    assert fields["genuine"]["all"]["alarms_per_1000"]["value"] == 0
    assert fields["genuine"]["all"]["people"] == 40
    assert set(fields["genuine"]) == {"all", "dfdc", TALKING, "low light"}
    first, *_ = measure._genuine_table(fields["genuine"])["rows"]
    assert first[:2] == ["all", "40"]
    assert first[4].startswith("0 (0 to ")
    (plain,) = fields["forged"]
    assert (plain["species"], plain["people"], plain["auc_a_call"]) == ("plain", 12, 1.0)
    assert plain["ask"]["median_s"] <= plain["alarm"]["median_s"] <= plain["alarm"]["p95_s"] <= 12
    assert fields["table"]["rows"][0][:2] == ["plain", "12"]
