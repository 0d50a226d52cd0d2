# SPDX-License-Identifier: Apache-2.0
"""Blocks that attend to themselves and to sorted blocks (Tay et al. 2020)."""

import math

import numpy as np

from ..autodiff import concatenate, exp, log, logsumexp
from ..layers import (affine, heads, join_heads, multi_head_shapes,
                      query_key_value, softmax)

VALIDITY_EPSILON = 1e-9  # inside the logarithm of a sorted row's validity


def block_limit(model, options):
    """The number of blocks of the longest sequence."""
    return math.ceil(model.positions / options["block"])


def shapes(model, options, layer):
    rows = model.heads * block_limit(model, options)
    return {**multi_head_shapes(model), "sort.weight": (rows, model.width)}


def sinkhorn(scores, options):
    """Rows, then columns made to sum to 1, in the logarithm; then exp."""
    s = scores / options["temperature"]
    for _ in range(options["iterations"]):
        s = s - logsumexp(s, 1)
        s = s - logsumexp(s, 0)
    return exp(s)


def block_attention(options, bounds, sorting, q, k, v):
    """softmax(q [k̂_i ‖ k_i]ᵀ / √D + [log(w_i + ε) ‖ 0]) [v̂_i ‖ v_i].

    i is the query's block, k̂_i = Σ_l P_il k_l with a short last block filled
    up with zeros, and w_i = Σ_l P_il m_l, where m is 1 for real rows. With
    sortcut s, k̂_0 … k̂_{s−1} stand for k̂_i.
    """
    n, size = len(bounds), bounds[0][1]
    rows, width = q.shape

    def mixed(x):
        missing = np.zeros((n * size - rows, x.shape[1]))
        blocks = concatenate([x, missing], 0).reshape(n, size * x.shape[1])
        return (sorting @ blocks).reshape(n, size, x.shape[1])

    sorted_k, sorted_v = mixed(k), mixed(v)
    validity = log(mixed(np.ones((rows, 1))) + VALIDITY_EPSILON)
    results = []
    for i, (start, end) in enumerate(bounds):
        cut = options["sortcut"]
        which = range(min(cut, n)) if cut else [i]
        keys = concatenate([sorted_k[l] for l in which] + [k[start:end]], 0)
        values = concatenate([sorted_v[l] for l in which] + [v[start:end]], 0)
        bias = concatenate([validity[l] for l in which]
                           + [np.zeros((end - start, 1))], 0)
        logits = q[start:end] @ keys.T / math.sqrt(width) + bias.T
        results.append(softmax(logits) @ values)
    return concatenate(results, 0)


def mix(model, options, p, prefix, x):
    """R = (sums of the rows of each block) W, per head; P = sinkhorn(R)."""
    n = x.shape[0]
    bounds = [(start, min(start + options["block"], n))
              for start in range(0, n, options["block"])]
    sums = concatenate([x[start:end].sum(0) for start, end in bounds], 0)
    scores = affine(sums, p[prefix + "sort.weight"])
    limit = block_limit(model, options)
    sortings = [
        sinkhorn(scores[:, h * limit:h * limit + len(bounds)], options)
        for h in range(model.heads)]
    q, k, v = query_key_value(p, prefix, x)
    return join_heads(p, prefix, [
        block_attention(options, bounds, *head)
        for head in zip(sortings, heads(model, q), heads(model, k),
                        heads(model, v))])


FIXTURES = {
    "sinkhorn-sorted": {
        "options": {"block": 8, "iterations": 8, "temperature": 0.75,
                    "sortcut": 0}},
    "sinkhorn-sortcut": {
        "options": {"block": 6, "iterations": 3, "temperature": 2.0,
                    "sortcut": 2}, "pooling": "cls"},
}
