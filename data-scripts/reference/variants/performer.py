# SPDX-License-Identifier: Apache-2.0
"""Attention with random features (FAVOR+, Choromanski et al. 2021).

The shifts that keep the exponential small cancel but for ε, and gradients
take them for constants, which differences of the loss do not. So ε is tiny
in the fixture of the softmax kernel.
"""

import math

from ..autodiff import exp, relu
from ..layers import heads, join_heads, multi_head_shapes, query_key_value

BUFFERS = ("features",)


def shapes(model, options, layer):
    """The maps, and the random rows of all heads below each other."""
    rows = (model.heads * options["features"], model.width // model.heads)
    return {**multi_head_shapes(model), "features": rows}


def draw(model, options, name, shape, rng):
    """Gaussian rows; orthogonal ones would be no other test."""
    return rng.normal(0, 1, shape) if name.endswith(".features") else None


def softmax_features(x, rows, epsilon, axis):
    """m^-½ (exp(ω_r·x̃ − ‖x̃‖²/2 − shift) + ε) with x̃ = x / D^¼.

    The shift is the largest ω_r·x̃ of each row (axis 1) or of all (None).
    """
    x = x / x.shape[1] ** 0.25
    u = x @ rows.T
    shift = u.value.max(axis, keepdims=True)
    square = (x * x).sum(1) / 2
    return (exp(u - square - shift) + epsilon) / math.sqrt(rows.shape[0])


def relu_features(x, rows, epsilon, axis):
    """m^-½ (max(ω_r·x̃, 0) + ε) with x̃ = x / D^¼."""
    u = (x / x.shape[1] ** 0.25) @ rows.T
    return (relu(u) + epsilon) / math.sqrt(rows.shape[0])


def random_feature_attention(q, k, v, rows, options):
    """Row i is φ(q_i)ᵀ Σ_j φ(k_j) v_jᵀ / φ(q_i)ᵀ Σ_j φ(k_j)."""
    features = (softmax_features if options["kernel"] == "softmax"
                else relu_features)
    q = features(q, rows, options["epsilon"], 1)
    k = features(k, rows, options["epsilon"], None)
    return (q @ (k.T @ v)) / (q @ k.T.sum(1))


def mix(model, options, p, prefix, x):
    """Attention in every head, with random rows of its own."""
    q, k, v = query_key_value(p, prefix, x)
    count = options["features"]
    rows = [p[prefix + "features"][h * count:(h + 1) * count]
            for h in range(model.heads)]
    return join_heads(p, prefix, [
        random_feature_attention(*head, options)
        for head in zip(heads(model, q), heads(model, k), heads(model, v),
                        rows)])


FIXTURES = {
    "performer-softmax": {
        "options": {"features": 12, "kernel": "softmax", "epsilon": 1e-9}},
    "performer-relu": {
        "options": {"features": 20, "kernel": "relu", "epsilon": 1e-3},
        "pooling": "cls"},
}
