# SPDX-License-Identifier: Apache-2.0
"""The linear recurrent unit (Orvieto et al. 2023)."""

import numpy as np

from ..autodiff import concatenate, cos, exp, sin
from ..layers import affine, gated_unit, gated_unit_shapes


def outputs(options):
    """Names of the maps C, one for each direction."""
    return ("output", "output.reversed")[:1 + options["bidirectional"]]


def shapes(model, options, layer):
    """B is [2 S, width]: real parts, then imaginary parts.

    C is [width, 2 S]: Re C, then −Im C, so that C [Re h; Im h] = Re(C h).
    """
    states, width = options["states"], model.width
    shapes = {"nu": (states,), "theta": (states,), "gamma-log": (states,),
              "input.weight": (2 * states, width), "skip": (width,)}
    for name in outputs(options):
        shapes[name + ".weight"] = (width, 2 * states)
    return {**shapes, **gated_unit_shapes(model)}


def powers(p, prefix, lags):
    """λ^lag, real and imaginary part [n, n, S], and 0 where lag < 0.

    λ = exp(−exp(ν) + i exp(θ)).
    """
    lags = lags[:, :, None]
    size = exp(-exp(p[prefix + "nu"]) * np.maximum(lags, 0)) * (lags >= 0)
    angle = exp(p[prefix + "theta"]) * lags
    return size * cos(angle), size * sin(angle)


def mix(model, options, p, prefix, x):
    """h_t = Σ_{s ≤ t} λ^(t − s) e^γ (B x_s), y_t = Re(C h_t) + d ⊙ x_t.

    With a second direction, also s ≥ t and λ^(s − t), with a C of its own.
    """
    n, states = x.shape[0], options["states"]
    gain = exp(concatenate([p[prefix + "gamma-log"]] * 2, 0))
    driven = affine(x, p[prefix + "input.weight"]) * gain
    re, im = driven[None, :, :states], driven[None, :, states:]
    lags = np.arange(n)[:, None] - np.arange(n)
    y = x * p[prefix + "skip"]
    for name, direction in zip(outputs(options), (1, -1)):
        a, b = powers(p, prefix, direction * lags)
        h = concatenate([(a * re - b * im).sum(1).reshape(n, states),
                         (a * im + b * re).sum(1).reshape(n, states)], 1)
        y = y + affine(h, p[f"{prefix}{name}.weight"])
    return gated_unit(p, prefix, y)


def draw(model, options, name, shape, rng):
    """Poles between 0.5 and 0.9 or so, at angles up to 3 or so."""
    if name.endswith(".nu"):
        return rng.normal(-1.2, 0.4, shape)
    if name.endswith((".theta", ".gamma-log", ".skip")):
        return rng.normal(0, 0.5, shape)
    return None


FIXTURES = {
    "lru-forward": {
        "feed_forward": 0, "options": {"states": 5, "bidirectional": False}},
    "lru-bidirectional": {
        "feed_forward": 0, "options": {"states": 5, "bidirectional": True}},
}
