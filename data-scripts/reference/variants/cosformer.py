# SPDX-License-Identifier: Apache-2.0
"""Rectified queries and keys, and a cosine of the distance (Qin et al. 2022).
"""

import numpy as np

from ..autodiff import concatenate, maximum, relu
from ..layers import affine, heads, multi_head_shapes

FLOOR = 1e-6  # of the denominator


def shapes(model, options, layer):
    """The maps have biases."""
    biases = {f"{name}.bias": (model.width,)
              for name in ("query", "key", "value", "output")}
    return {**multi_head_shapes(model), **biases}


def features(x):
    """[max(x_i, 0) sin θ_i, max(x_i, 0) cos θ_i], θ_i = π i / 2n, i = 1…n.

    Their product is max(q_i, 0)·max(k_j, 0) cos(π (i − j) / 2n).
    """
    n = x.shape[0]
    angles = np.pi / 2 * np.arange(1, n + 1)[:, None] / n
    return concatenate([relu(x) * np.sin(angles), relu(x) * np.cos(angles)],
                       1)


def cosine_attention(q, k, v):
    """Row i is φ(q_i)ᵀ Σ_j φ(k_j) v_jᵀ / max(φ(q_i)ᵀ Σ_j φ(k_j), 1e-6)."""
    q, k = features(q), features(k)
    return (q @ (k.T @ v)) / maximum(q @ k.T.sum(1), FLOOR)


def mix(model, options, p, prefix, x):
    """Attention in every head, between maps with biases."""
    def project(name, rows):
        return affine(rows, p[f"{prefix}{name}.weight"],
                      p[f"{prefix}{name}.bias"])

    q, k, v = (heads(model, project(name, x))
               for name in ("query", "key", "value"))
    parts = [cosine_attention(*head) for head in zip(q, k, v)]
    return project("output", concatenate(parts, 1))


FIXTURES = {
    "cosformer": {},
}
