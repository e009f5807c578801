"""Imports Paddle once, with the number of threads the user asked for.

Paddle sets OMP_NUM_THREADS=1 at import unless it is set before, and the value cannot be changed afterwards: a
trainer that does not say otherwise uses one core.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from types import ModuleType

from datakit.errors import MissingExtraError
from datakit_train.host import prepare_host

_TRAIN_EXTRA = {"paddle": "paddlepaddle", "safetensors": "safetensors", "onnx": "onnx"}
# Paddle 2.6 brings a zlib of its own whose names take the place of the system's: who decodes pictures and is
# loaded behind it calls that one, and cv2.imread answers None or dies. Loaded before, they keep their own.
_BEFORE = ("zlib", "PIL._imaging", "cv2")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def available_cores() -> int:
    """Cores that this process may run on, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def _our_sigterm() -> Iterator[None]:
    """Paddle's import puts a handler of its own in the place of Python's, which ends without cleaning up."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def require_train_extra() -> None:
    """Fail before work is done rather than after it.

    Raises:
        MissingExtraError: something of the ``[train]`` extra is not installed.
    """
    for module, distribution in _TRAIN_EXTRA.items():
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(distribution, "train")


def import_paddle(threads: int | None = None) -> ModuleType:
    """Return the ``paddle`` module, importing it with ``threads`` CPU threads (default: every core).

    The count only takes effect where Paddle is not imported yet and the variable is not set by the user.

    Raises:
        MissingExtraError: Paddle is not installed.
    """
    if "paddle" in sys.modules:
        return sys.modules["paddle"]
    for variable in _THREAD_VARIABLES:
        os.environ.setdefault(variable, str(threads or available_cores()))
    os.environ.setdefault("GLOG_minloglevel", "2")
    for name in _BEFORE:
        importlib.import_module(name)
    prepare_host()
    # Said at every step of --batch-norm moving, and no news to who asked for it.
    warnings.filterwarnings("ignore", message="When training, we now always track global mean")
    try:
        with warnings.catch_warnings():
            # Paddle warns about a missing ccache at every import, and prints that two threads are unwise.
            warnings.filterwarnings("ignore", message="No ccache found")
            with contextlib.redirect_stderr(io.StringIO()), _our_sigterm():
                import paddle
    except ImportError as error:
        raise MissingExtraError("paddlepaddle", "train") from error
    module: ModuleType = paddle
    return module
