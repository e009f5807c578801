"""Depthwise convolution on the CPU as products with banded matrices, forward and backward.

Paddle's own depthwise kernels run at about 2 multiply-adds a nanosecond and were half of a training step. A
block of columns of one channel, with the columns beside it, times a banded (Toeplitz) matrix of that channel
is the same sum: several times the multiplications, nearly all of them with zeros, at the speed of the matrix
library. The order of the axes makes both the window and the block one run of memory: channel, picture,
column, row ("CNWH").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import paddle
from paddle.autograd import PyLayer

# Matrices of weights that do not change while they are kept; None: nothing is kept.
_KEPT: ContextVar[dict[tuple[int, Plan], Any] | None] = ContextVar("banded_matrices", default=None)


class Plan(NamedTuple):
    """Shape of a depthwise convolution with padding (kernel - 1) / 2: ``height`` is that of its input,
    ``block`` the columns of input a matrix takes, ``down`` and ``across`` the strides."""

    kernel: int
    down: int
    across: int
    height: int
    block: int

    @property
    def side(self) -> int:
        """Columns of input that a block needs on either side."""
        return self.kernel // 2

    @property
    def back_side(self) -> int:
        """Columns of output on either side of a block that its input reaches."""
        return -(-self.side // self.across)

    @property
    def out_height(self) -> int:
        """Rows of the output."""
        return (self.height - 1) // self.down + 1

    @property
    def out_block(self) -> int:
        """Columns of output a block."""
        return self.block // self.across


def _select(plan: Plan, columns: npt.NDArray[np.int64], out_columns: npt.NDArray[np.int64]) -> Any:
    """Taps x columns x rows x output columns x output rows: 1 where that tap joins that pair of pixels."""
    rows, out_rows = np.arange(plan.height), np.arange(plan.out_height)
    across = columns[:, None] - out_columns[None, :] * plan.across + plan.side
    down = rows[:, None] - out_rows[None, :] * plan.down + plan.side
    taps = np.arange(plan.kernel)
    return np.einsum(
        "xwo,yhp->yxwhop",
        (across[None] == taps[:, None, None]).astype(np.float32),
        (down[None] == taps[:, None, None]).astype(np.float32),
    )


@lru_cache(maxsize=64)
def _forward_taps(plan: Plan) -> Any:
    """kernel^2 x (window * block of output): what a tap contributes to the matrix."""
    columns = np.arange(-plan.side, plan.block + plan.side)
    chosen = _select(plan, columns, np.arange(plan.out_block))
    return paddle.to_tensor(chosen.reshape(plan.kernel**2, -1))


@lru_cache(maxsize=64)
def _backward_taps(plan: Plan) -> Any:
    """The same from a window of the output's gradient to a block of the input's."""
    out_columns = np.arange(-plan.back_side, plan.out_block + plan.back_side)
    chosen = _select(plan, np.arange(plan.block), out_columns)
    return paddle.to_tensor(chosen.transpose(0, 1, 4, 5, 2, 3).reshape(plan.kernel**2, -1))


@lru_cache(maxsize=512)
def _window_columns(width: int, block: int, side: int) -> Any:
    starts = np.arange(0, width, block)[:, None]
    columns = starts + np.arange(-side, block + side)[None, :]
    return paddle.to_tensor(np.clip(columns, 0, width - 1).reshape(-1).astype(np.int32))


def _windows(x: Any, block: int, side: int) -> Any:
    """C x N x W x H in, C x (N * W / block) x ((block + 2 side) * H) out, zeros beyond the picture."""
    channels, count, width, height = x.shape
    index = _window_columns(width, block, side)
    windows = paddle.gather(x.reshape([channels * count, width, height]), index, axis=1)
    windows[:, :side] = 0.0
    windows[:, -side:] = 0.0
    return windows.reshape([channels, count * (width // block), (block + 2 * side) * height])


def _matrices(weight: Any, plan: Plan) -> Any:
    """C x window x block of output."""
    taps = _forward_taps(plan)
    flat = weight.reshape([weight.shape[0], plan.kernel**2]).matmul(taps)
    return flat.reshape(
        [weight.shape[0], (plan.block + 2 * plan.side) * plan.height, plan.out_block * plan.out_height]
    )


class _Banded(PyLayer):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, plan: Plan) -> Any:
        channels, count, width, _ = x.shape
        # The windows are twice the map and quickly made: made again rather than kept.
        ctx.save_for_backward(x, weight)
        ctx.plan, ctx.frozen = plan, (x.stop_gradient, weight.stop_gradient)
        out = _windows(x, plan.block, plan.side).matmul(_matrices(weight, plan))
        return out.reshape([channels, count, width // plan.across, plan.out_height])

    @staticmethod
    def backward(ctx: Any, grad: Any) -> tuple[Any, Any]:
        x, weight = ctx.saved_tensor()
        plan, (x_frozen, weight_frozen) = ctx.plan, ctx.frozen
        channels, count, width, _ = grad.shape
        x_grad = weight_grad = None
        if not weight_frozen:
            windows = _windows(x, plan.block, plan.side)
            outputs = grad.reshape([channels, windows.shape[1], plan.out_block * plan.out_height])
            products = paddle.matmul(windows, outputs, transpose_x=True).reshape([channels, -1])
            weight_grad = products.matmul(_forward_taps(plan), transpose_y=True).reshape(weight.shape)
        if not x_frozen:
            size = [channels, -1, plan.block * plan.height]
            flat = weight.reshape([channels, plan.kernel**2]).matmul(_backward_taps(plan))
            back = _windows(grad, plan.out_block, plan.back_side).matmul(flat.reshape(size))
            x_grad = back.reshape([channels, count, width * plan.across, plan.height])
        return x_grad, weight_grad


@contextmanager
def kept_matrices() -> Iterator[None]:
    """Build the matrices of a weight once for as long as this lasts; weights must not change meanwhile."""
    token = _KEPT.set({})
    try:
        yield
    finally:
        _KEPT.reset(token)


def depthwise(x: Any, weight: Any, plan: Plan) -> Any:
    """C x N x W x H in and out; ``weight`` C x 1 x kernel x kernel; W is a multiple of ``plan.block``."""
    if paddle.is_grad_enabled():
        return _Banded.apply(x, weight, plan)
    kept = _KEPT.get()
    key = (id(weight), plan)
    matrices = kept.get(key) if kept is not None else None
    if matrices is None:
        matrices = _matrices(weight, plan)
        if kept is not None:
            kept[key] = matrices
    channels, count, width, _ = x.shape
    out = _windows(x, plan.block, plan.side).matmul(matrices)
    return out.reshape([channels, count, width // plan.across, plan.out_height])
