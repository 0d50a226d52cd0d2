# SPDX-License-Identifier: Apache-2.0
"""Softmax attention (Vaswani et al. 2017)."""

from ..layers import (attention, heads, join_heads, multi_head_shapes,
                      query_key_value)


def shapes(model, options, layer):
    return multi_head_shapes(model)


def mix(model, options, p, prefix, x):
    """Row i of a head is Σ_j softmax_j(q_i · k_j / √D) v_j."""
    q, k, v = query_key_value(p, prefix, x)
    return join_heads(p, prefix, [
        attention(*head)
        for head in zip(heads(model, q), heads(model, k), heads(model, v))])


FIXTURES = {
    "transformer-mean": {"seed": 1},
    "transformer-cls": {"pooling": "cls", "seed": 2},
    "transformer-towers": {"towers": 2, "lengths": (37, 20, 1, 18)},
}
