"""Smaller rates for the layers nearest the picture, which hold what is general."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from datakit.errors import UsageError


def layer_of(name: str) -> str:
    """The layer of a parameter: ``neck``, ``head``, or a block of the backbone
    (``backbone.block_list.3``)."""
    parts = name.split(".")
    if parts[0] != "backbone":
        return parts[0]
    return ".".join(parts[:3] if parts[2:3] and parts[2].isdecimal() else parts[:2])


def layer_factors(names: Iterable[str], decay: float) -> dict[str, float]:
    """A factor on the rate for every layer: 1 for the last, for others ``decay`` times that of the next.

    ``names`` of parameters, in the order from the picture to the classifier.

    Raises:
        UsageError: ``decay`` is not in (0, 1].
    """
    if not (math.isfinite(decay) and 0 < decay <= 1):
        raise UsageError(f"--layer-decay {decay:g} is not above 0 and at most 1")
    layers = list(dict.fromkeys(map(layer_of, names)))
    return {layer: decay ** (len(layers) - 1 - index) for index, layer in enumerate(layers)}


def set_layer_rates(network: Any, decay: float) -> None:
    """Give every parameter the factor of its layer; Paddle's optimizers multiply the rate by it."""
    parameters = dict(network.named_parameters())
    factors = layer_factors(parameters, decay)
    for name, parameter in parameters.items():
        parameter.optimize_attr["learning_rate"] = factors[layer_of(name)]
