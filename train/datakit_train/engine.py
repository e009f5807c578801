"""The training step and what it keeps: network, optimizer, and how both are saved and restored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit.errors import DatakitError, UsageError
from datakit_train.batches import Batch
from datakit_train.framework import import_paddle
from datakit_train.weights.pdparams import WeightsError

Array = npt.NDArray[Any]

FREEZABLE = ("none", "backbone")


class DivergedError(DatakitError):
    """The loss is no longer a number."""

    exit_code = 1


def ctc_loss(logits: Any, batch: Batch) -> Any:
    """Mean over the batch of the CTC loss of every sample, as PaddleOCR takes it.

    (``reduction="mean"`` of Paddle would divide by the label lengths first.) ``logits`` N x T x classes.
    """
    paddle = import_paddle()
    count, steps = logits.shape[:2]
    losses = paddle.nn.functional.ctc_loss(
        logits.transpose([1, 0, 2]),
        paddle.to_tensor(batch.labels),
        paddle.full([count], steps, "int64"),
        paddle.to_tensor(batch.lengths),
        blank=0,
        reduction="none",
    )
    return losses.mean()


class Engine:
    """Steps a network with Adam.

    ``fixed_batch_norm`` keeps BatchNorm's running statistics as they are and normalises with them: their
    drift alone, put into the stock weights, takes general words from .638 to .338 (docs/results.md).
    """

    def __init__(
        self,
        network: Any,
        *,
        weight_decay: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.999),
        freeze: str = "none",
        fixed_batch_norm: bool = True,
        seed: int,
    ) -> None:
        self._paddle = import_paddle()
        if freeze not in FREEZABLE:
            raise UsageError(f"--freeze {freeze!r} is not one of {', '.join(FREEZABLE)}")
        self.network = network
        self.seed = seed
        self._fixed_batch_norm = fixed_batch_norm
        if freeze == "backbone":
            for parameter in network.backbone.parameters():
                parameter.stop_gradient = True
        self._trained = {name: p for name, p in network.named_parameters() if not p.stop_gradient}
        self._optimizer = self._paddle.optimizer.Adam(
            learning_rate=0.0,
            beta1=betas[0],
            beta2=betas[1],
            parameters=list(self._trained.values()),
            weight_decay=self._paddle.regularizer.L2Decay(weight_decay) if weight_decay else None,
        )

    def train_mode(self) -> None:
        """Dropout on; BatchNorm in evaluation mode unless its statistics are to move."""
        self.network.train()
        if self._fixed_batch_norm:
            for layer in self.network.sublayers():
                if isinstance(layer, self._paddle.nn.BatchNorm2D):
                    layer.eval()

    def step(self, batch: Batch, number: int, rate: float) -> float:
        """One optimizer step; returns the loss.

        Dropout is seeded with (seed, number), so that a resumed run draws what the undisturbed one draws.

        Raises:
            DivergedError: the loss is not finite; the weights were not touched.
        """
        if not len(batch.lengths):
            return 0.0
        self._paddle.seed((self.seed * 1_000_003 + number) % (1 << 31))
        self.train_mode()
        loss = ctc_loss(self.network(self._paddle.to_tensor(batch.images)), batch)
        value = float(loss)
        if not math.isfinite(value):
            raise DivergedError(f"the loss of step {number} is {value}; use a smaller --learning-rate")
        loss.backward()
        self._optimizer.set_lr(rate)
        self._optimizer.step()
        self._optimizer.clear_grad()
        return value

    def weights(self) -> dict[str, Array]:
        """All parameters and BatchNorm statistics, by PaddleOCR's names."""
        return {name: np.array(value.numpy()) for name, value in self.network.state_dict().items()}

    def set_weights(self, tensors: Mapping[str, Array]) -> None:
        """Put tensors of the same names and shapes into the network."""
        self.network.set_state_dict(dict(tensors))

    def optimizer_state(self) -> dict[str, Array]:
        """Adam's moments by parameter name (``head.fc.weight/moment1_0``)."""
        moments = self._optimizer.state_dict()
        state: dict[str, Array] = {}
        for name, parameter in self._trained.items():
            prefix = f"{parameter.name}_"
            for key, value in moments.items():
                if key.startswith(prefix):
                    state[f"{name}/{key[len(prefix) :]}"] = np.array(value.numpy())
        return state

    def set_optimizer_state(self, state: Mapping[str, Array]) -> None:
        """Restore what :meth:`optimizer_state` gave.

        Raises:
            WeightsError: it names a parameter that is not trained here (other --freeze, other network).
        """
        moments = {}
        for key, value in state.items():
            name, _, suffix = key.rpartition("/")
            if name not in self._trained:
                raise WeightsError(f"the checkpoint trains {name}, this run does not")
            moments[f"{self._trained[name].name}_{suffix}"] = self._paddle.to_tensor(value)
        self._optimizer.set_state_dict(moments)


def average(base: Mapping[str, Array], tuned: Mapping[str, Array], share: float) -> dict[str, Array]:
    """``share`` of the tuned weights and the rest of the base (WiSE-FT, arXiv 2109.01903).

    Names and shapes agree.
    """
    return {
        name: ((1 - share) * base[name] + share * value).astype(value.dtype) for name, value in tuned.items()
    }
