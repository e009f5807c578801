"""Mixed precision: 16 bits where that is safe, and a scale on the loss so that no gradient vanishes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit.errors import UsageError
from datakit_train.framework import import_paddle

PRECISIONS = ("off", "float16", "bfloat16")


class Precision:
    """``name`` is one of :data:`PRECISIONS`; "off" changes nothing, bit for bit.

    Only float16 scales the loss: bfloat16 has the exponents of float32.

    Raises:
        UsageError: an unknown name, or no GPU: Paddle has neither the cast nor the scale on a CPU.
    """

    def __init__(self, name: str = "off") -> None:
        if name not in PRECISIONS:
            raise UsageError(f"--amp {name!r} is not one of {', '.join(PRECISIONS)}")
        device = import_paddle().device.get_device()
        if name != "off" and not device.startswith("gpu"):
            raise UsageError(f"--amp {name} needs a GPU; this run computes on {device}")
        self.name = name
        self._scaler = import_paddle().amp.GradScaler() if name == "float16" else None

    def cast(self) -> AbstractContextManager[Any]:
        """In it the network computes in 16 bits where that is safe."""
        if self.name == "off":
            return nullcontext()
        context: AbstractContextManager[Any] = import_paddle().amp.auto_cast(dtype=self.name, level="O1")
        return context

    def backward(self, loss: Any) -> None:
        """Gradients of ``loss``, scaled."""
        (loss if self._scaler is None else self._scaler.scale(loss)).backward()

    def step(self, optimizer: Any) -> None:
        """Take back the scale and step; a step whose gradients overflow is left out and the scale halved."""
        if self._scaler is None:
            optimizer.step()
            return
        self._scaler.step(optimizer)
        self._scaler.update()

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """What resuming needs."""
        found = {} if self._scaler is None else self._scaler.state_dict()
        return {key: np.atleast_1d(np.asarray(value)) for key, value in found.items()}

    def set_state(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Restore what :meth:`state` gave."""
        if self._scaler is None or not state:
            return
        known = self._scaler.state_dict()
        restored = {
            key: np.asarray(state[key], np.float32) if key == "scale" else type(value)(state[key][0])
            for key, value in known.items()
        }
        self._scaler.load_state_dict(restored)
