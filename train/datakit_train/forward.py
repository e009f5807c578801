"""What reads a batch of pictures: the network itself, or the same one written as ONNX.

onnxruntime reads faster on a CPU and answers the same to rounding; it needs the ``[export]`` extra and the
graph that ``datakit models pull`` kept.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit.errors import MissingExtraError
from datakit_train.framework import available_cores, import_paddle
from datakit_train.recognizer import Recognizer

Pixels = npt.NDArray[np.float32]
# Pixels N x 3 x H x W -> probabilities N x T x classes.
Run = Callable[[Pixels], Pixels]
# Pixels N x 3 x H x W -> the best class of every time step, N x T, and its probability, N x T.
Forward = Callable[[Pixels], tuple[npt.NDArray[Any], npt.NDArray[np.float32]]]


def paddle_forward(recognizer: Recognizer, _threads: int | None = None) -> Forward:
    """The network, whose weights may change between two calls. Blanks, class 0, have the probability 1."""
    paddle = import_paddle()

    def forward(pixels: Pixels) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
        with paddle.no_grad():
            logits = recognizer.network(paddle.to_tensor(pixels))
            best = logits.argmax(axis=-1).numpy()
            # Nearly all steps are blanks, whose probability nobody asks for.
            said = np.flatnonzero(best)
            scores = np.ones(best.shape, np.float32)
            if len(said):
                rows = paddle.gather(logits.reshape([-1, logits.shape[-1]]), paddle.to_tensor(said))
                scores.reshape(-1)[said] = (rows.max(axis=-1) - paddle.logsumexp(rows, axis=-1)).exp().numpy()
        return best, scores

    return forward


def onnx_runner(model: bytes | Path, threads: int | None = None) -> Run:
    """An ONNX model (its bytes or its file) in onnxruntime, on ``threads`` CPU threads (default: every core).

    Raises:
        MissingExtraError: onnxruntime is not installed.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        raise MissingExtraError("onnxruntime", "export")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or available_cores()
    given = model if isinstance(model, bytes) else str(model)
    session = onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda pixels: np.asarray(session.run(None, {name: pixels})[0], np.float32)


def onnx_forward(recognizer: Recognizer, threads: int | None = None) -> Forward:
    """The network as it is now in onnxruntime, on ``threads`` CPU threads (default: every core).

    Raises:
        MissingExtraError: onnxruntime is not installed.
        WeightsError: no ONNX graph of this architecture is here.
    """
    from datakit_train.export.onnx_graph import find_template, make_onnx

    run = onnx_runner(make_onnx(recognizer, find_template(recognizer)), threads)

    def forward(pixels: Pixels) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
        probabilities = run(pixels)
        best = probabilities.argmax(axis=-1)
        return best, np.take_along_axis(probabilities, best[..., None], axis=-1)[..., 0]

    return forward


FORWARDS: Mapping[str, Callable[[Recognizer, int | None], Forward]] = {
    "paddle": paddle_forward,
    "onnxruntime": onnx_forward,
}
# Lines read at once: a GPU wants many, onnxruntime on a CPU is fastest with one or two (measured 1 to 32).
BATCH_SIZES: Mapping[str, int] = {"paddle": 32, "onnxruntime": 2}
