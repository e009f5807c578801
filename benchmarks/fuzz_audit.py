"""Mutated label files, audited fast and slow: the two have to agree on every one of them.

    python benchmarks/fuzz_audit.py --files 100000 --seed 1

Prints the files, lines and findings compared; ends with exit code 1 at the first file that differs, which it
leaves in the working folder.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests/audit"


def main() -> int:
    """Compare until a file differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    from slow_audit import random_file
    from test_text_engine import SETTINGS, assert_same

    from datakit.audit import chunks

    rng = random.Random(options.seed)
    begun, lines = time.process_time(), 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "labels.txt")
        for number in range(options.files):
            data = random_file(rng)
            path.write_bytes(data)
            chunks.CHUNK_BYTES = rng.choice((1, 3, 16, 64, 1 << 20))
            lines += data.count(b"\n")
            try:
                assert_same(path, SETTINGS[number % len(SETTINGS)])
            except BaseException:
                Path("differs.txt").write_bytes(data)
                print(f"file {number} differs, kept as differs.txt; settings {number % len(SETTINGS)}")
                raise
            if number % 5000 == 4999:
                print(f"{number + 1:,} files", file=sys.stderr, flush=True)
    spent = time.process_time() - begun
    print(f"{options.files:,} files, {lines:,} newlines, no difference, {spent:.0f} s of CPU")
    return 0


if __name__ == "__main__":
    sys.exit(main())
