# SPDX-License-Identifier: Apache-2.0
"""Global, neighbouring and random blocks (Zaheer et al. 2020)."""

import numpy as np

from ..layers import masked_multi_head, multi_head_shapes
from ..philox import integer, words


def shapes(model, options, layer):
    return multi_head_shapes(model)


def seen_blocks(options, count, name):
    """Block i sees j where i or j is global or |i − j| ≤ (w − 1)/2.

    It also sees r other blocks, drawn from the numbers that belong to the
    name until they are r different ones; all others, if there are no more.
    """
    numbers = words(options["random-seed"], name)
    place = np.arange(count)
    ends = options["global"]
    is_global = (place < ends) | (place >= count - ends)
    mask = abs(place[:, None] - place) <= options["window"] // 2
    mask = mask | is_global | is_global[:, None]
    for row in mask:
        wanted = row.sum() + options["random"]
        if wanted >= count:
            row[:] = True
        while row.sum() < wanted and not row.all():
            row[integer(numbers, count)] = True
    return mask


def mix(model, options, p, prefix, x):
    """Softmax attention between blocks, which differ from head to head."""
    n = x.shape[0]
    block = np.arange(n) // options["block"]
    count = int(block[-1]) + 1
    path = prefix.rstrip(".")
    masks = [seen_blocks(options, count, f"{path}.random.{h}.{count}")
             for h in range(model.heads)]
    return masked_multi_head(model, p, prefix, x,
                             [mask[np.ix_(block, block)] for mask in masks])


def settings(block, random, window=3, ends=1, seed=0):
    return {"options": {"block": block, "random": random, "global": ends,
                        "window": window, "random-seed": seed}}


FIXTURES = {
    "bigbird-random": settings(block=3, random=2),
    "bigbird-cls": {**settings(block=4, random=1, seed=7), "pooling": "cls"},
    "bigbird-window": settings(block=2, random=0, window=5, ends=2),
}
