# SPDX-License-Identifier: Apache-2.0
"""Attention to two sets of about √n keys (Child et al. 2019)."""

import numpy as np

from ..layers import masked_multi_head, multi_head_shapes


def shapes(model, options, layer):
    return multi_head_shapes(model)


def sets(model, options, n):
    """Masks of A1 and A2, looking both ways; l is the stride, c the summary.

    strided: A1 = {j: |i − j| < l}; A2 = {j: (i − j) mod l = 0}
    fixed:   A1 = {j: ⌊i/l⌋ = ⌊j/l⌋}
             A2 = {j: j is one of the last c of its block, as long as it is}
    """
    stride = options["stride"] or max(1, round(model.positions ** 0.5))
    place = np.arange(n)
    if options["pattern"] == "strided":
        distance = abs(place[:, None] - place)
        return distance < stride, distance % stride == 0
    block = place // stride
    end = np.minimum((block + 1) * stride, n)
    last = place >= end - options["summary"]
    return block[:, None] == block, np.broadcast_to(last, (n, n))


def mix(model, options, p, prefix, x):
    """Every head sees A1 ∪ A2, or the first half A1, the second A2."""
    first, second = sets(model, options, x.shape[0])
    half = model.heads // 2
    masks = ([first | second] * model.heads
             if options["combine"] == "merged"
             else [first] * half + [second] * (model.heads - half))
    return masked_multi_head(model, p, prefix, x, masks)


def settings(pattern, combine, stride=0):
    return {"options": {"pattern": pattern, "stride": stride, "summary": 2,
                        "combine": combine}}


FIXTURES = {
    "sparse-strided-merged": settings("strided", "merged"),
    "sparse-strided-split": settings("strided", "split", stride=4),
    "sparse-fixed-merged": {**settings("fixed", "merged"), "pooling": "cls"},
    "sparse-fixed-split": settings("fixed", "split", stride=7),
}
