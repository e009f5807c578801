"""Shards: the same results for any number of workers; workers that die or hang are named."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from datakit.errors import InputError, MissingExtraError, WorkerError
from datakit.executor import Shard, ShardResult, Workers, make_shards, run_shards, sign_of_life
from datakit.progress import Progress

SHARDS = [Shard(index, (index, index + 1)) for index in range(12)]


def add(shard: Shard) -> int:
    time.sleep(0.02 * (shard.index % 3))
    return sum(shard.items)


def die_at_three(shard: Shard) -> int:
    for item in shard.items:
        sign_of_life(f"picture-{item}")
        if shard.index == 3:
            os._exit(7)
    return sum(shard.items)


def kill_at_three(shard: Shard) -> int:
    if shard.index == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return sum(shard.items)


def hang_at_three(shard: Shard) -> int:
    sign_of_life(f"picture-{shard.items[0]}")
    if shard.index == 3:
        time.sleep(600)
    return sum(shard.items)


def slow_with_signs(shard: Shard) -> int:
    for item in shard.items:
        sign_of_life(str(item))
        time.sleep(0.4)
    return sum(shard.items)


def refuse_at_three(shard: Shard) -> int:
    if shard.index >= 3:
        raise InputError(f"shard {shard.index}", file="labels.txt", line=shard.index)
    return sum(shard.items)


def lack_an_extra(shard: Shard) -> int:
    raise MissingExtraError("paddle", "train")


def give_a_lambda(shard: Shard) -> Callable[[], int]:
    return lambda: shard.index


def threads_of_cv2(shard: Shard) -> int:
    import cv2

    return int(cv2.getNumThreads())


def sigint_is_ignored(shard: Shard) -> bool:
    os.kill(os.getpid(), signal.SIGINT)
    return signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def sleep_and_name_self(shard: Shard) -> int:
    Path(shard.items[0], f"{os.getpid()}.pid").touch()
    time.sleep(600)
    return 0


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_results_are_in_order_and_the_same_for_any_number_of_workers(workers: int) -> None:
    results = list(run_shards(add, iter(SHARDS), workers=workers))

    assert results == [ShardResult(index, 2 * index + 1) for index in range(12)]


@pytest.mark.parametrize(
    ("function", "timeout", "message"),
    [
        (
            die_at_three,
            60,
            r"worker process \d+ died with exit code 7 at shard 3, item picture-3; .*set aside",
        ),
        (kill_at_three, 60, r"worker process \d+ was killed by SIGKILL at shard 3; .*set aside"),
        (hang_at_three, 1, r"worker process \d+ gave no sign of life for 1 s at shard 3, item picture-3; .*"),
    ],
)
def test_a_lost_worker_is_named_and_the_rest_completes(
    function: Callable[[Shard], int], timeout: float, message: str
) -> None:
    begun = time.monotonic()
    results = list(run_shards(function, SHARDS, workers=2, timeout=timeout))

    assert [result.index for result in results] == list(range(12))
    assert [result.value for result in results] == [None if i == 3 else 2 * i + 1 for i in range(12)]
    assert [result.index for result in results if result.error] == [3]
    assert re.fullmatch(message, str(results[3].error))
    assert time.monotonic() - begun < 30


def test_every_worker_dying_still_ends() -> None:
    shards = [Shard(3, (index,)) for index in range(4)]

    results = list(run_shards(die_at_three, shards, workers=2))

    assert [result.value for result in results] == [None] * 4


def test_signs_of_life_reset_the_watchdog() -> None:
    results = list(run_shards(slow_with_signs, [Shard(0, (1, 2, 3, 4))], workers=2, timeout=1))

    assert results == [ShardResult(0, 10)]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_the_function_raises_is_raised_after_the_shards_before(workers: int) -> None:
    results = run_shards(refuse_at_three, SHARDS, workers=workers)

    assert [next(results).value for _ in range(3)] == [1, 3, 5]
    with pytest.raises(InputError, match=r"^labels.txt:3: shard 3$") as raised:
        next(results)
    assert (raised.value.file, raised.value.line) == ("labels.txt", 3)


def test_an_exception_that_cannot_be_pickled_still_arrives() -> None:
    with pytest.raises(WorkerError, match="MissingExtraError: paddle is not installed"):
        list(run_shards(lack_an_extra, SHARDS, workers=2))


def test_a_value_that_cannot_be_pickled_is_an_error_and_not_a_hang() -> None:
    with pytest.raises(Exception, match=r"lambda|local object"):
        list(run_shards(give_a_lambda, SHARDS, workers=2))


def test_workers_use_one_thread_and_leave_sigint_to_the_parent() -> None:
    assert [r.value for r in run_shards(threads_of_cv2, SHARDS[:2], workers=2)] == [1, 1]
    assert [r.value for r in run_shards(sigint_is_ignored, SHARDS[:2], workers=2)] == [True, True]


def test_progress_counts_items() -> None:
    for workers in (1, 2):
        progress = Progress(24, "shards", enabled=False)
        list(run_shards(add, SHARDS, workers=workers, progress=progress))
        assert progress.done == 24


def test_no_shards_and_fewer_shards_than_workers() -> None:
    assert list(run_shards(add, [], workers=8)) == []
    assert list(run_shards(add, SHARDS[:1], workers=8)) == [ShardResult(0, 1)]


def test_shards_are_taken_no_further_ahead_than_memory_allows() -> None:
    taken = []

    def endless() -> Iterator[Shard]:
        for index in range(10**9):
            taken.append(index)
            yield Shard(index, (index,))

    results = run_shards(add, endless(), workers=2)
    assert next(results).value == 0
    results.close()  # type: ignore[attr-defined]

    assert len(taken) <= 2 * 4 + 1


def test_make_shards_cuts_a_range() -> None:
    assert list(make_shards(range(5), 2)) == [
        Shard(0, range(0, 2)),
        Shard(1, range(2, 4)),
        Shard(2, range(4, 5)),
    ]


SCRIPT = """
import signal, sys
from test_executor import sleep_and_name_self
from datakit.executor import Shard, run_shards

class Stopped(BaseException):
    pass

def stop(*_):
    raise Stopped

if __name__ == "__main__":
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        list(run_shards(sleep_and_name_self, [Shard(0, sys.argv[1:]), Shard(1, sys.argv[1:])], workers=2))
    except Stopped:
        sys.exit(130)
"""


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)]
)
def test_no_worker_outlives_its_parent(tmp_path: Path, number: signal.Signals, code: int) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    pids = lambda: [int(file.stem) for file in tmp_path.glob("*.pid")]  # noqa: E731
    try:
        assert _wait_until(lambda: len(pids()) == 2, 30)
        if number == signal.SIGINT:
            # As Ctrl-C does: to the whole group.
            os.killpg(parent.pid, number)
        else:
            parent.send_signal(number)
        _, errors = parent.communicate(timeout=20)
    finally:
        parent.kill()
        parent.wait()

    assert parent.returncode == code
    assert _wait_until(lambda: not any(_alive(pid) for pid in pids()), 10)
    assert b"Traceback" not in errors


def warmed(shard: Shard) -> tuple[int, bool]:
    return os.getpid(), "DATAKIT_TEST_IS_WARM" in os.environ


def warm_up() -> None:
    os.environ["DATAKIT_TEST_IS_WARM"] = "1"


def test_workers_are_warmed_and_stay_for_several_runs() -> None:
    with Workers(2, warm=warm_up) as workers:
        first = [result.value for result in run_shards(warmed, SHARDS, workers=workers)]
        second = [result.value for result in run_shards(warmed, SHARDS, workers=workers)]
        sums = [result.value for result in run_shards(add, SHARDS, workers=workers)]

    assert all(found and found[1] for found in (*first, *second))
    processes = {found[0] for found in (*first, *second) if found}
    assert len(processes) <= 2
    assert os.getpid() not in processes
    assert sums == [2 * index + 1 for index in range(12)]


def test_a_run_that_is_given_up_leaves_nothing_for_the_next() -> None:
    with Workers(2) as workers:
        given_up = workers.run(slow_with_signs, [Shard(index, (1, 2)) for index in range(4)])
        assert next(given_up).value == 3
        given_up.close()  # type: ignore[attr-defined]
        assert [result.value for result in workers.run(add, SHARDS)] == [2 * i + 1 for i in range(12)]


def test_a_script_without_a_guard_may_use_workers(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(
        "from test_executor import SHARDS, add\n"
        "from datakit.executor import run_shards\n"
        "print(sum(result.value for result in run_shards(add, SHARDS, workers=2)))\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, script],
        check=False,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "144\n"), done.stderr


def test_signs_go_as_messages_where_no_memory_can_be_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datakit.executor._shared_memory", lambda _context: None)
    results = list(run_shards(die_at_three, SHARDS, workers=2))
    assert "item picture-3" in str(results[3].error)
    results = list(run_shards(slow_with_signs, [Shard(0, (1, 2, 3, 4))], workers=2, timeout=1))
    assert results == [ShardResult(0, 10)]
