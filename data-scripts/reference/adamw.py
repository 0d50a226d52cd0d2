# SPDX-License-Identifier: Apache-2.0
"""The optimizer."""

import numpy as np

from .model import loss_and_gradient

ADAMW_STEPS = 10
ADAMW = {"learning-rate": 1e-3, "beta1": 0.9, "beta2": 0.999,
         "epsilon": 1e-6, "weight-decay": 0.01}


def adamw(model, parameters, sequences, labels, settings):
    """Loshchilov and Hutter (2019) as in PyTorch; return losses, parameters.

    p ← p (1 − lr wd)                    matrices only, not 1-D parameters
    m ← β1 m + (1 − β1) g;  v ← β2 v + (1 − β2) g²
    p ← p − lr m̂ / (√v̂ + ε),  m̂ = m / (1 − β1ᵗ),  v̂ = v / (1 − β2ᵗ),  t ≥ 1
    """
    rate, decay = settings["learning-rate"], settings["weight-decay"]
    beta1, beta2 = settings["beta1"], settings["beta2"]
    p = {name: value.copy() for name, value in parameters.items()}
    m = {name: np.zeros_like(value) for name, value in p.items()}
    v = {name: np.zeros_like(value) for name, value in p.items()}
    losses = []
    for t in range(1, ADAMW_STEPS + 1):
        _, loss, gradient = loss_and_gradient(model, p, sequences, labels)
        losses.append(loss)
        for name, g in gradient.items():
            if g.ndim > 1:
                p[name] *= 1 - rate * decay
            m[name] = beta1 * m[name] + (1 - beta1) * g
            v[name] = beta2 * v[name] + (1 - beta2) * g * g
            deviation = np.sqrt(v[name] / (1 - beta2 ** t))
            p[name] -= (rate * m[name] / (1 - beta1 ** t)
                        / (deviation + settings["epsilon"]))
    return np.array(losses), p
