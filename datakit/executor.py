"""Shards of work, in process or in worker processes, with the same results whatever the number of workers.

Workers are spawned, not forked (Paddle and OpenCV hold threads and locks), and hold one shard at a time. One
that dies or gives no sign of life for ``timeout`` seconds is named and its shard set aside; the rest goes on.
What a function raises is raised here, for one worker and for eight alike. Workers leave SIGINT to the parent,
and end when it ends, however that is. They take half a second and more to start: :class:`Workers` start while
their work is still being planned, and stay for several runs of shards.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import struct
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection, resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, Generic, TypeVar

from datakit.errors import WorkerError
from datakit.progress import Progress

Value = TypeVar("Value")

# Importing Paddle can take this long on a busy machine.
START_SECONDS = 120.0
END_SECONDS = 2.0
# Finished shards wait in memory for the ones before them; that many a worker and no more.
AHEAD = 4


@dataclass(frozen=True, slots=True)
class Shard:
    """A piece of work: its place in the run and what it holds (both are pickled to the worker)."""

    index: int
    items: Sequence[Any]


@dataclass(frozen=True, slots=True)
class ShardResult(Generic[Value]):
    """What became of a shard: the function's value, or the sentence that says why there is none."""

    index: int
    value: Value | None
    error: str | None = None


def make_shards(items: Sequence[Any], size: int) -> Iterator[Shard]:
    """Cut ``items`` into shards of ``size``, the last one shorter."""
    for index, start in enumerate(range(0, len(items), size)):
        yield Shard(index, items[start : start + size])


class Workers:
    """``count`` worker processes, there from the start of a ``with`` block to its end; none for one.

    ``warm`` is called in each of them as soon as it runs, for imports and tables that its work will need; it
    must be picklable. ``timeout`` counts seconds since a shard began or its function last called
    :func:`sign_of_life`. Without a ``with`` block they start with their first shards.
    """

    def __init__(
        self, count: int, *, warm: Callable[[], object] | None = None, timeout: float = 60.0
    ) -> None:
        self.count = max(1, count)
        self._pool = _Pool(self.count, timeout, warm)

    def __enter__(self) -> Workers:
        if self.count > 1:
            self._pool.start(self.count)
        return self

    def __exit__(self, *_raised: object) -> None:
        self.end()

    def end(self) -> None:
        """Stop them; what they work on is lost."""
        self._pool.end()

    def run(
        self,
        function: Callable[[Shard], Value],
        shards: Iterable[Shard],
        progress: Progress | None = None,
    ) -> Iterator[ShardResult[Value]]:
        """The results of ``shards``, as :func:`run_shards` gives them; one run at a time, to its end."""
        if self.count == 1:
            yield from (ShardResult(shard.index, function(shard)) for shard in _counted(shards, progress))
            return
        yield from self._pool.run(function, iter(shards), progress)


def run_shards(
    function: Callable[[Shard], Value],
    shards: Iterable[Shard],
    *,
    workers: int | Workers,
    progress: Progress | None = None,
    timeout: float = 60.0,
) -> Iterator[ShardResult[Value]]:
    """Yield the result of every shard, in the order of ``shards``.

    With one of ``workers`` the function runs in this process, else it must be picklable, and a module-level
    function. ``timeout`` is that of :class:`Workers`, where they are started here. ``progress`` is advanced
    by the number of items of every shard.

    Raises:
        WorkerError: a worker cannot be started.
        Exception: whatever ``function`` raised, once the results of the shards before are out.
    """
    if isinstance(workers, Workers):
        yield from workers.run(function, shards, progress)
        return
    started = Workers(workers, timeout=timeout)
    try:
        yield from started.run(function, shards, progress)
    finally:
        started.end()


def values_of(
    function: Callable[[Shard], Value], shards: Iterable[Shard], *, workers: int | Workers
) -> Iterator[Value]:
    """What ``function`` gives for every shard, in order; one whose worker was killed is worked on here."""
    waiting: deque[Shard] = deque()

    def noted() -> Iterator[Shard]:
        for shard in shards:
            waiting.append(shard)
            yield shard

    for result in run_shards(function, noted(), workers=workers):
        shard = waiting.popleft()
        yield function(shard) if result.value is None else result.value


def sign_of_life(item: str) -> None:
    """For a shard's function: it works on ``item`` now, which is named should the worker die or hang."""
    _SIGNS.give(item)


def _counted(shards: Iterable[Shard], progress: Progress | None) -> Iterator[Shard]:
    for shard in shards:
        yield shard
        if progress is not None:
            progress.advance(len(shard.items))


# How many signs, how long the text of the last one is, and that text in UTF-8.
_SIGN = struct.Struct("=QI")
_SIGN_TEXT = 500


class _Signs:
    """A worker's way to its parent: shared memory, where a sign takes a microsecond and wakes nobody.

    Where there is none, a message. In the parent itself signs go nowhere.
    """

    def __init__(self) -> None:
        self.memory: memoryview | None = None
        self.pipe: connection.Connection[Any, Any] | None = None
        self._given = 0

    def give(self, item: str) -> None:
        if self.memory is not None:
            self._given += 1
            text = item.encode("utf-8", "backslashreplace")[:_SIGN_TEXT]
            self.memory[: _SIGN.size + len(text)] = _SIGN.pack(self._given, len(text)) + text
        elif self.pipe is not None:
            self.pipe.send(("sign", item))


_SIGNS = _Signs()


@dataclass(slots=True)
class _Task:
    number: int
    shard: Shard


@dataclass(slots=True)
class _Worker:
    """The parent's side of a worker: ``ready`` once it has imported everything, ``task`` while it is busy.

    ``function`` is the one that it was told last, ``signs`` where it gives signs of life. Of these ``seen``
    have counted, and ``seen_before`` were given before its task. ``told`` came as messages, the last on
    ``item``.
    """

    process: SpawnProcess
    pipe: connection.Connection[Any, Any]
    signs: Any
    deadline: float
    function: Callable[[Shard], Any] | None = None
    ready: bool = False
    task: _Task | None = None
    seen: int = 0
    seen_before: int = 0
    told: int = 0
    item: str = ""

    def last_sign(self) -> tuple[int, str]:
        """How many signs it has given, and what the last one named."""
        if self.signs is None:
            return self.told, self.item
        count, size = _SIGN.unpack_from(self.signs)
        text = bytes(self.signs[_SIGN.size : _SIGN.size + min(size, _SIGN_TEXT)])
        return count, text.decode("utf-8", "replace")

    def describe_task(self) -> str:
        if self.task is None:
            return ""
        count, item = self.last_sign()
        # A sign from before this shard names an item of another one.
        return f"shard {self.task.shard.index}" + (f", item {item}" if count > self.seen_before else "")

    def describe_end(self) -> str:
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"died with exit code {code}"


@dataclass(slots=True)
class _Outcome:
    """A value, or what the function raised with its traceback, or the sentence on a lost worker."""

    value: Any = None
    raised: Exception | None = None
    trace: str = ""
    error: str | None = None


class _RemoteTraceback(Exception):
    """The cause of an exception that a worker raised: shows where."""


@dataclass(slots=True)
class _Pool:
    size: int
    timeout: float
    warm: Callable[[], object] | None = None
    workers: list[_Worker] = field(default_factory=list)
    waiting: deque[_Task] = field(default_factory=deque)
    outcomes: dict[int, _Outcome] = field(default_factory=dict)
    # Goes on over the runs: what is left of one that was given up is not taken for a result of the next.
    number: int = 0

    def run(
        self, function: Callable[[Shard], Any], shards: Iterator[Shard], progress: Progress | None
    ) -> Iterator[ShardResult[Any]]:
        order: deque[_Task] = deque()
        self.waiting.clear()
        self.outcomes.clear()
        while True:
            while len(order) < self.size * AHEAD and (shard := next(shards, None)) is not None:
                order.append(_Task(self.number, shard))
                self.waiting.append(order[-1])
                self.number += 1
            if not order:
                return
            free = sum(worker.task is None for worker in self.workers)
            self.start(min(self.size - len(self.workers), len(self.waiting) - free))
            self._deal(function)
            self._listen()
            while order and order[0].number in self.outcomes:
                task = order.popleft()
                if progress is not None:
                    progress.advance(len(task.shard.items))
                yield _result(task.shard, self.outcomes.pop(task.number))

    def start(self, count: int) -> None:
        """Start ``count`` more workers."""
        self.workers += [_start(self.warm) for _ in range(count)]

    def end(self) -> None:
        for worker in self.workers:
            worker.process.terminate()
        deadline = time.monotonic() + END_SECONDS
        for worker in self.workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            _bury(worker)
        self.workers.clear()

    def _deal(self, function: Callable[[Shard], Any]) -> None:
        for worker in self.workers:
            if self.waiting and worker.ready and worker.task is None:
                worker.task = self.waiting.popleft()
                worker.seen_before = worker.seen = worker.last_sign()[0]
                worker.deadline = time.monotonic() + self.timeout
                # A worker that died meanwhile is found when it is listened to.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    if worker.function is not function:
                        worker.pipe.send(function)
                        worker.function = function
                    worker.pipe.send(worker.task.shard)

    def _listen(self) -> None:
        """Wait until something happens or a deadline passes, then look at every worker."""
        watched = [worker for worker in self.workers if worker.task is not None or not worker.ready]
        handles: list[Any] = [worker.pipe for worker in self.workers]
        handles += [worker.process.sentinel for worker in self.workers]
        nearest = min(worker.deadline for worker in watched)
        connection.wait(handles, max(0.0, nearest - time.monotonic()))
        for worker in list(self.workers):
            # Asked before the pipe is emptied: what a worker sent before its end counts.
            alive = worker.process.is_alive()
            if not self._receive(worker) or not alive:
                self._lose(worker)
            elif (worker.task or not worker.ready) and time.monotonic() > worker.deadline:
                self._wait_longer(worker)

    def _receive(self, worker: _Worker) -> bool:
        """Take what the worker sent; False when its pipe is closed."""
        try:
            while worker.pipe.poll():
                kind, content = worker.pipe.recv()
                worker.deadline = time.monotonic() + self.timeout
                if kind == "sign":
                    worker.told += 1
                    worker.item = content
                elif kind == "ready":
                    worker.ready = True
                elif worker.task is not None:
                    self.outcomes[worker.task.number] = content
                    worker.task = None
        except (EOFError, OSError):
            return False
        return True

    def _wait_longer(self, worker: _Worker) -> None:
        """At its deadline: as long again where there was a sign of life, else it is lost."""
        count, _ = worker.last_sign()
        if count == worker.seen:
            self._lose(worker, hung=True)
            return
        worker.seen = count
        worker.deadline = time.monotonic() + self.timeout

    def _lose(self, worker: _Worker, hung: bool = False) -> None:
        self.workers.remove(worker)
        pid = worker.process.pid
        if not hung:
            worker.process.join(END_SECONDS)
        end = f"gave no sign of life for {self.timeout:g} s" if hung else worker.describe_end()
        where = worker.describe_task()
        _bury(worker)
        if not worker.ready:
            end = f"was not ready after {START_SECONDS:g} s" if hung else end
            raise WorkerError(f"worker process {pid} {end} while it started")
        if worker.task is not None:
            error = f"worker process {pid} {end} at {where}; the shard is set aside"
            self.outcomes[worker.task.number] = _Outcome(error=error)


def _result(shard: Shard, outcome: _Outcome) -> ShardResult[Any]:
    if outcome.raised is not None:
        raise outcome.raised from _RemoteTraceback(outcome.trace)
    return ShardResult(shard.index, outcome.value, outcome.error)


def _start(warm: Callable[[], object] | None) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    signs = _shared_memory(context)
    process = context.Process(target=_serve, args=(warm, theirs, signs), daemon=True)
    with _sigint_blocked(), _nameless_main():
        process.start()
    theirs.close()
    return _Worker(process, ours, signs, time.monotonic() + START_SECONDS)


def _shared_memory(context: SpawnContext) -> Any:
    """Room for a sign; None where there is none, be it for a full disk or a limit on the size of files."""
    try:
        return context.RawArray("B", _SIGN.size + _SIGN_TEXT)
    except OSError:
        return None


@contextlib.contextmanager
def _sigint_blocked() -> Iterator[None]:
    """A child starts with the mask of its parent: Ctrl-C while it imports would print its traceback."""
    # Starting the tracker, which the first process does, would unblock the signal again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _nameless_main() -> Iterator[None]:
    """A child would run the main script again: a while lost, and endless where it starts workers unguarded.

    What workers run is in modules that they import by name.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _bury(worker: _Worker) -> None:
    if worker.process.is_alive():
        worker.process.kill()
    worker.process.join()
    worker.process.close()
    worker.pipe.close()


def _serve(warm: Callable[[], object] | None, pipe: connection.Connection[Any, Any], signs: Any) -> None:
    """What a worker process runs: shards in, outcomes out, until the parent closes the pipe or is gone.

    A function that comes instead of a shard is the one that the shards behind it are for.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _use_one_thread()
    if warm is not None:
        warm()
    _SIGNS.memory = None if signs is None else memoryview(signs).cast("B")
    _SIGNS.pipe = pipe
    function: Callable[[Shard], Any] | None = None
    # The parent has closed the pipe or is gone: nobody wants the rest.
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        pipe.send(("ready", None))
        while True:
            received = pipe.recv()
            if isinstance(received, Shard) and function is not None:
                _answer(function, received, pipe)
            else:
                function = received


def _answer(function: Callable[[Shard], Any], shard: Shard, pipe: connection.Connection[Any, Any]) -> None:
    try:
        pipe.send(("outcome", _Outcome(function(shard))))
    except Exception as error:  # noqa: BLE001 - goes to the parent, which raises it
        pipe.send(("outcome", _Outcome(raised=_portable(error), trace=traceback.format_exc())))


def _portable(error: Exception) -> Exception:
    """``error``, or what stands for it where it does not survive pickling."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes of a moment ago
    except Exception:  # noqa: BLE001 - classes of others may raise anything here
        return WorkerError(f"{type(error).__name__}: {error}")
    return error


def _use_one_thread() -> None:
    import cv2

    cv2.setNumThreads(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
