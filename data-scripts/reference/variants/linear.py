# SPDX-License-Identifier: Apache-2.0
"""Attention with the feature map elu + 1 (Katharopoulos et al. 2020).

The feature map relu + 0.001 is what the Long Range Arena's code runs under
the name Performer.
"""

from ..autodiff import exp, relu
from ..layers import heads, join_heads, multi_head_shapes, query_key_value


def shapes(model, options, layer):
    return multi_head_shapes(model)


def elu_features(x):
    """φ(x) = elu(x) + 1: x + 1 above 0, eˣ below, = max(x,0) + e^min(x,0)."""
    positive = relu(x)
    return positive + exp(x - positive)


def relu_features(x):
    """φ(x) = max(x, 0) + 0.001"""
    return relu(x) + 1e-3


def linear_attention(q, k, v, features, epsilon):
    """Row i is φ(q_i)ᵀ S / (φ(q_i)ᵀ z + ε).

    S = Σ_j φ(k_j) v_jᵀ, z = Σ_j φ(k_j); logits are not scaled.
    """
    q, k = features(q), features(k)
    state, normaliser = k.T @ v, k.T.sum(1)
    return (q @ state) / (q @ normaliser + epsilon)


def mix(model, options, p, prefix, x):
    """Linear attention in every head."""
    q, k, v = query_key_value(p, prefix, x)
    features = elu_features if options["kernel"] == "elu" else relu_features
    return join_heads(p, prefix, [
        linear_attention(*head, features, options["epsilon"])
        for head in zip(heads(model, q), heads(model, k), heads(model, v))])


FIXTURES = {
    "linear-mean": {"options": {"epsilon": 1e-6, "kernel": "elu"}, "seed": 5},
    "linear-relu": {"options": {"epsilon": 1e-6, "kernel": "relu"}},
}
