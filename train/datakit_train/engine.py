"""The training step and what it keeps: network, optimizer, and how both are saved and restored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from datakit.errors import DatakitError, UsageError
from datakit_train.batches import Batch
from datakit_train.framework import import_paddle
from datakit_train.layer_rates import set_layer_rates
from datakit_train.precision import Precision
from datakit_train.ranks import ALONE, Ranks
from datakit_train.weights.pdparams import WeightsError

Array = npt.NDArray[Any]

FREEZABLE = ("none", "backbone")


# Where a checkpoint keeps the state of the loss scale, beside the optimizer's.
_AMP = "amp/"


class DivergedError(DatakitError):
    """The loss is no longer a number."""

    exit_code = 1


class Addition(Protocol):
    """Something that adds to the loss of a step, as :class:`datakit_train.distill.Distiller` does."""

    def loss(self, network: Any, images: Any, logits: Any, number: int, share: float) -> Any:
        """What is added; ``share`` is that of this process's lines in the batch of all."""


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
    ``layer_decay`` is the factor from a layer's rate to that of the one before it, ``amp`` one of
    :data:`datakit_train.precision.PRECISIONS`, ``addition`` what is added to the loss. With several ``ranks``
    every process steps its part of a batch, and all take the same step.
    """

    def __init__(
        self,
        network: Any,
        *,
        weight_decay: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.999),
        freeze: str = "none",
        fixed_batch_norm: bool = True,
        layer_decay: float = 1.0,
        amp: str = "off",
        addition: Addition | None = None,
        ranks: Ranks = ALONE,
        seed: int,
    ) -> None:
        self._paddle = import_paddle()
        self._precision = Precision(amp)
        self._addition = addition
        self._ranks = ranks
        if freeze not in FREEZABLE:
            raise UsageError(f"--freeze {freeze!r} is not one of {', '.join(FREEZABLE)}")
        self.network = network
        self.seed = seed
        self._fixed_batch_norm = fixed_batch_norm
        if freeze == "backbone":
            for parameter in network.backbone.parameters():
                parameter.stop_gradient = True
        set_layer_rates(network, layer_decay)
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
        lines = len(batch.lengths)
        total = self._ranks.sum(lines)
        if not total:
            return 0.0
        # Another process draws its own dropout.
        self._paddle.seed(
            ((self.seed * 1_000_003 + number) * self._ranks.size + self._ranks.rank) % (1 << 31)
        )
        self.train_mode()
        loss = self._loss(batch, number, lines / total) if lines else None
        value = self._ranks.sum(0.0 if loss is None else float(loss))
        if not math.isfinite(value):
            raise DivergedError(f"the loss of step {number} is {value}; use a smaller --learning-rate")
        if loss is not None:
            self._precision.backward(loss)
        self._ranks.add_gradients(self._trained.values())
        self._optimizer.set_lr(rate)
        self._precision.step(self._optimizer)
        self._optimizer.clear_grad()
        return value

    def _loss(self, batch: Batch, number: int, share: float) -> Any:
        """This process's summand of the mean over the lines of all processes."""
        images = self._paddle.to_tensor(batch.images)
        with self._precision.cast():
            logits = self.network(images)
            loss = ctc_loss(logits.astype("float32"), batch) * share
            if self._addition is not None:
                loss = loss + self._addition.loss(self.network, images, logits, number, share)
        return loss

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
        return state | {f"{_AMP}{key}": value for key, value in self._precision.state().items()}

    def set_optimizer_state(self, state: Mapping[str, Array]) -> None:
        """Restore what :meth:`optimizer_state` gave.

        Raises:
            WeightsError: it names a parameter that is not trained here (other --freeze, other network).
        """
        self._precision.set_state(
            {key.removeprefix(_AMP): value for key, value in state.items() if key.startswith(_AMP)}
        )
        moments = {}
        for key, value in state.items():
            if key.startswith(_AMP):
                continue
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
