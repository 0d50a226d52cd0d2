"""Attention with the feature map elu + 1 (Katharopoulos et al. 2020)."""

from ..autodiff import exp, relu
from ..layers import heads, join_heads, multi_head_shapes, query_key_value


def shapes(model, options, layer):
    return multi_head_shapes(model)


def feature_map(x):
    """φ(x) = elu(x) + 1: x + 1 above 0, eˣ below, = max(x,0) + e^min(x,0)."""
    positive = relu(x)
    return positive + exp(x - positive)


def linear_attention(q, k, v, epsilon):
    """Row i is φ(q_i)ᵀ S / (φ(q_i)ᵀ z + ε).

    S = Σ_j φ(k_j) v_jᵀ, z = Σ_j φ(k_j); logits are not scaled.
    """
    q, k = feature_map(q), feature_map(k)
    state, normaliser = k.T @ v, k.T.sum(1)
    return (q @ state) / (q @ normaliser + epsilon)


def mix(model, options, p, prefix, x):
    """Linear attention in every head."""
    q, k, v = query_key_value(p, prefix, x)
    return join_heads(p, prefix, [
        linear_attention(*head, options["epsilon"])
        for head in zip(heads(model, q), heads(model, k), heads(model, v))])


FIXTURES = {
    "linear-mean": {"options": {"epsilon": 1e-6}, "seed": 5},
}
