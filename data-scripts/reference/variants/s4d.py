# SPDX-License-Identifier: Apache-2.0
"""Diagonal state-space models (Gu et al. 2022)."""

import numpy as np

from ..autodiff import cos, exp, sin
from ..layers import gated_unit, gated_unit_shapes


def outputs(options):
    """Names of the coefficients C, one for each direction."""
    return ("output", "output.reversed")[:1 + options["bidirectional"]]


def shapes(model, options, layer):
    """One channel a column; C is [N, width]: real parts, then imaginary."""
    states, width = options["states"], model.width
    poles = (states // 2, 1 if options["shared"] else width)
    shapes = {"log-dt": (width,), "log-re": poles, "im": poles,
              "skip": (width,)}
    for name in outputs(options):
        shapes[name + ".weight"] = (states, width)
    return {**shapes, **gated_unit_shapes(model)}


def kernel(options, p, prefix, name, length):
    """K_l = 2 Re Σ_n C_n (exp(ΔA_n) − 1)/A_n exp(ΔA_n l), [length, width].

    A = −exp(log-re) + i im, Δ = exp(log-dt).
    """
    modes = options["states"] // 2
    step = exp(p[prefix + "log-dt"])
    re, im = -exp(p[prefix + "log-re"]), p[prefix + "im"]
    size = exp(step * re)
    rise_re, rise_im = size * cos(step * im) - 1, size * sin(step * im)
    square = re * re + im * im
    held_re = (rise_re * re + rise_im * im) / square
    held_im = (rise_im * re - rise_re * im) / square
    c = p[f"{prefix}{name}.weight"]
    c_re, c_im = c[:modes], c[modes:]
    gain_re = c_re * held_re - c_im * held_im
    gain_im = c_re * held_im + c_im * held_re
    lags = np.arange(length)[:, None, None]
    terms = exp(step * re * lags) * (gain_re * cos(step * im * lags)
                                     - gain_im * sin(step * im * lags))
    return terms.sum(1).reshape(length, c.shape[1]) * 2


def convolve(k, x, lags):
    """Σ_s k[lag(t, s)] ⊙ x_s over the s with a lag of at least 0."""
    weights = k[np.maximum(lags, 0)] * (lags >= 0)[:, :, None]
    return (weights * x[None]).sum(1).reshape(*x.shape)


def mix(model, options, p, prefix, x):
    """y_t = Σ_{s ≤ t} K_{t−s} x_s + Σ_{s > t} K'_{s−t−1} x_s + d ⊙ x_t."""
    n = x.shape[0]
    lags = np.arange(n)[:, None] - np.arange(n)
    y = x * p[prefix + "skip"]
    for name, lags in zip(outputs(options), (lags, -lags - 1)):
        y = y + convolve(kernel(options, p, prefix, name, n), x, lags)
    return gated_unit(p, prefix, y)


def draw(model, options, name, shape, rng):
    """Time steps from 0.05 to 0.4, decays near ½, frequencies up to 6."""
    if name.endswith(".log-dt"):
        return rng.uniform(-3, -1, shape)
    if name.endswith(".log-re"):
        return rng.normal(-0.7, 0.3, shape)
    if name.endswith(".im"):
        return rng.uniform(0, 6, shape)
    if name.endswith((".skip", ".output.weight", ".reversed.weight")):
        return rng.normal(0, 0.7, shape)
    return None


FIXTURES = {
    "s4d-published": {
        "feed_forward": 0, "norm": "batch", "input": "numbers",
        "options": {"states": 4, "bidirectional": True, "shared": True}},
    "s4d-after": {
        "feed_forward": 0, "norm": "batch-after",
        "options": {"states": 4, "bidirectional": True, "shared": True}},
    "s4d-forward": {
        "feed_forward": 0,
        "options": {"states": 4, "bidirectional": False, "shared": True}},
    "s4d-bidirectional": {
        "feed_forward": 0,
        "options": {"states": 6, "bidirectional": True, "shared": False}},
}
