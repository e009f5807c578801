"""The benchmark at small size: far slower than the reference, or memory that grows with the lines, fails."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks/bench_badcases.py"


@pytest.fixture
def bench():
    spec = importlib.util.spec_from_file_location("bench_badcases", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_time_and_memory_stay_in_bounds(bench, tmp_path):
    small, large = tmp_path / "small.jsonl", tmp_path / "large.jsonl"
    bench.generate(small, 10_000)
    bench.generate(large, 40_000)
    _, less = bench.run("analyse", small)
    seconds, more = bench.run("analyse", large)
    base, _ = bench.run("bare", large)
    # At a million lines the ratio is about 3; here imports, n-grams and the bootstrap weigh more.
    assert seconds < 9 * base
    # 30,000 lines more: 13 bytes each by design, and tables that had room to grow.
    assert more - less < 40
