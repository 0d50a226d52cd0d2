# SPDX-License-Identifier: Apache-2.0
"""A sliding window, and tokens that see and are seen by all.

Beltagy et al. 2020, without dilation.
"""

import numpy as np

from ..autodiff import concatenate
from ..layers import (affine, attention, heads, join_heads,
                      masked_attention, multi_head_shapes, query_key_value)


def shapes(model, options, layer):
    shapes = multi_head_shapes(model)
    if options["global"]:
        for name in ("query", "key", "value"):
            shapes[f"global-{name}.weight"] = shapes[f"{name}.weight"]
    return shapes


def seen(options, n):
    """Token i sees j where |i − j| ≤ w/2 or j is among the first g."""
    place = np.arange(n)
    near = abs(place[:, None] - place) <= options["window"] // 2
    return near | (place < options["global"])


def mix(model, options, p, prefix, x):
    """The first g rows see all, by projections of their own."""
    n, count = x.shape[0], min(options["global"], x.shape[0])
    mask = seen(options, n)[count:]
    q, k, v = (heads(model, part) for part in query_key_value(p, prefix, x))
    parts = [masked_attention(q[h][count:], k[h], v[h], mask)
             for h in range(model.heads)]
    if count:
        q, k, v = (heads(model, affine(x, p[f"{prefix}global-{name}.weight"]))
                   for name in ("query", "key", "value"))
        parts = [concatenate([attention(q[h][:count], k[h], v[h]), rest], 0)
                 for h, rest in enumerate(parts)]
    return join_heads(p, prefix, parts)


FIXTURES = {
    "longformer-global": {"options": {"window": 8, "global": 1}},
    "longformer-two-global": {"options": {"window": 6, "global": 2}},
    "longformer-window": {
        "options": {"window": 10, "global": 0}, "pooling": "cls"},
}
