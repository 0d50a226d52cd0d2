# SPDX-License-Identifier: Apache-2.0
"""The gradient held against differences of the loss."""

import numpy as np

from .model import evaluate

DIFFERENCE_STEP = 1e-5
GRADIENT_TOLERANCE = 1e-6
GRADIENT_FLOOR = 1e-3  # below it the tests compare less and less


def gradient_error(model, parameters, sequences, labels, gradient):
    """Compare every entry with d_i = (f(x_i + s) − f(x_i − s)) / 2s.

    The result is max_i |g_i − d_i| / max_i |g_i| of the worst parameter, and
    the parameter's name.
    """
    def loss():
        return evaluate(model, parameters, sequences, labels)[1].value.item()

    worst = (0.0, "")
    for name, g in gradient.items():
        value = parameters[name]
        difference = np.empty_like(value)
        for i in np.ndindex(value.shape):
            original = value[i]
            value[i] = original + DIFFERENCE_STEP
            above = loss()
            value[i] = original - DIFFERENCE_STEP
            below = loss()
            value[i] = original
            difference[i] = (above - below) / (2 * DIFFERENCE_STEP)
        error = np.abs(g - difference).max() / np.abs(g).max()
        if not error <= worst[0]:  # which a NaN is not either
            worst = (error, name)
    return worst


def too_small(gradient):
    """Say which parameters have so small a gradient that it tells little.

    A variant's `draw` can give them larger values; one that cannot change the
    loss at all is no parameter.
    """
    return [f"{name} has no part in the loss" if g is None else
            f"the gradient by {name} is {np.abs(g).max():.1e} at most"
            for name, g in gradient.items()
            if g is None or not np.abs(g).max() >= GRADIENT_FLOOR]
