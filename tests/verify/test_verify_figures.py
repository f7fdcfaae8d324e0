"""The figures of ISO/IEC 30107-3: bounds against published tables and exact arithmetic; what counts as
what."""

from __future__ import annotations

import json
import math
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi.cli import main
from haechi.errors import UsageError
from haechi.verify import binomial
from haechi.verify.attempts import Attempt, read
from haechi.verify.figures import figures
from haechi.verify.laboratories import compare
from haechi.verify.tables import result


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        # By hand: with no or only successes a bound is a root of the level.
        (0, 10, 0.0, 1 - 0.025 ** (1 / 10)),
        (10, 10, 0.025 ** (1 / 10), 1.0),
        # Beta quantiles that are printed in many places (R: binom.test(x, n)$conf.int).
        (1, 10, 0.002528579, 0.445016117),
        (5, 10, 0.187086028, 0.812913972),
        (81, 263, 0.2527359, 0.3676506),  # Newcombe 1998, table I: 0.2527, 0.3676
        (15, 148, 0.0578, 0.1617),  # the same: 0.0578, 0.1617
        (1, 29, 0.0009, 0.1776),  # the same: 0.0009, 0.1776
    ],
)
def test_intervals_are_those_of_published_tables(k: int, n: int, low: float, high: float) -> None:
    digits = 1e-7 if low == 0 or high == 1 or n == 10 else 6e-5
    assert binomial.interval(k, n) == pytest.approx((low, high), abs=digits)


def test_none_of_three_hundred() -> None:
    """The bar of the project: 0 of 300 leaves at most 0.99%."""
    assert binomial.upper(0, 300) == pytest.approx(1 - 0.05 ** (1 / 300), abs=1e-12)
    assert round(binomial.upper(0, 300), 4) == 0.0099
    assert (binomial.lower(0, 0), binomial.upper(0, 0)) == (0.0, 1.0)


@given(st.integers(1, 60), st.data())
def test_tails_are_exact(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    p = Fraction(data.draw(st.integers(1, 99)), 100)
    exact = sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))
    assert binomial.tail(k, n, float(p)) == pytest.approx(float(exact), rel=1e-9, abs=1e-12)


@given(st.integers(1, 2000), st.data())
def test_a_bound_is_where_the_tail_meets_the_level(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    low, high = binomial.interval(k, n)
    assert 0 <= low <= k / n <= high <= 1
    if k < n:
        assert binomial.tail(k, n, high) == pytest.approx(0.025, rel=1e-6)
    if k:
        assert 1 - binomial.tail(k - 1, n, low) == pytest.approx(0.025, rel=1e-6)


def attempts(kind: str, species: str, level: str = "", method: str = "", **results: int) -> list[Attempt]:
    return [
        Attempt(kind, species, name, method, level)  # type: ignore[arg-type]
        for name, count in results.items()
        for _ in range(count)
    ]


def test_what_counts_as_what() -> None:
    test = figures(
        [
            *attempts("genuine", "daylight", accept=95, refuse=2, refer=1, retry=2),
            *attempts("genuine", "darkness", accept=40, retry=10),
            *attempts("presentation", "print", accept=1, refuse=90, refer=4, retry=5),
            *attempts("presentation", "replay", refuse=100),
            *attempts("injection", "loop", method="virtual camera", accept=3, refuse=7),
        ]
    )
    assert test.worst is not None
    assert (test.worst.species, test.worst.classified, test.worst.error_rate) == ("print", 95, 1 / 95)
    assert (test.worst.silent_rate, test.worst.accepted_rate) == (0.05, 0.01)
    assert test.all_genuine is not None
    assert test.all_genuine.error_rate == 3 / 138
    assert test.all_genuine.silent_rate == 12 / 150
    assert test.acer == pytest.approx((3 / 138 + 1 / 95) / 2)
    assert [s.species for s in test.injection] == ["loop"], "an injection is never the worst presentation"


def test_attacks_that_never_get_an_answer_have_no_rate() -> None:
    silent = figures(attempts("presentation", "print", retry=9))
    assert silent.worst is None
    assert silent.acer is None
    assert silent.presentation[0].error_rate is None
    assert silent.presentation[0].error_upper == 1.0


def test_laboratories_ask_for_enough_of_enough_species() -> None:
    genuine = attempts("genuine", "daylight", accept=90, refuse=10)

    def species(count: int) -> list[Attempt]:
        return [a for i in range(count) for a in attempts("presentation", f"species {i}", "1", refuse=150)]

    first = compare(figures([*genuine, *species(6)]))[0]
    assert first.reached
    for spoilt in (
        [*genuine, *species(5)],
        [*genuine, *species(6), *attempts("presentation", "species 5", "1", accept=1)],
        [*genuine, *species(5), *attempts("presentation", "few", "1", refuse=149, retry=9)],
        [*attempts("genuine", "daylight", accept=84, refuse=16), *species(6)],
        species(6),
    ):
        assert not compare(figures(spoilt))[0].reached
    assert not compare(figures([*genuine, *species(6)]))[1].reached, "none of them is of level 2"


def run(monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    monkeypatch.setattr(sys, "argv", ["haechi", "verify", *args])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_command_counts_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "results.csv", tmp_path / "figures.json"
    lines = ["kind,species,result,method", *["genuine,daylight,accept,"] * 99, "genuine,daylight,refuse,"]
    lines += ["presentation,print,refuse,"] * 300 + ["injection,a|b,refuse,virtual camera"] * 2
    file.write_text("\n".join(lines))
    assert run(monkeypatch, "eval", str(file), "--out", str(out)) == 0
    told = capsys.readouterr().out
    assert "| print | 300 | 0 | 0.00% | 0.99% | 0.00% | 0.00% |" in told
    assert "| daylight | 100 | 1 | 1.00% | 0.03% to 5.45% | 0.00% |" in told
    assert "| virtual camera | a\\|b | 2 | 0 | 0.00% | 77.64% |" in told
    assert "no certificate" in told
    stored = json.loads(out.read_text())
    assert stored == {"command": "haechi verify eval results.csv", **result(figures(read(file)))}
    assert stored["acer"] == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no column 'kind'"),
        ("kind,species\n", "no column 'result'"),
        ("kind,species,result\n", "holds no session"),
        ("kind,species,result\nreal,x,accept\n", "line 2: kind is 'real'"),
        ("kind,species,result\ngenuine,x,accept\ngenuine,x,yes\n", "line 3: result is 'yes'"),
        ("kind,species,result\ngenuine,,accept\n", "line 2: the species is missing"),
        ("kind,species,result,level\npresentation,x,refuse,3\n", "level is '3'"),
        ("kind,species,result,level\npresentation,x,refuse,1\npresentation,x,refuse,2\n", "one level"),
    ],
)
def test_a_file_that_makes_no_sense_says_where(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "x.csv"
    file.write_text(text)
    with pytest.raises(UsageError, match=says):
        figures(read(file))


def test_a_missing_file_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "eval", str(tmp_path / "none.csv")) == 2
    assert "name one" in capsys.readouterr().err
