# SPDX-License-Identifier: Apache-2.0
"""Attention within blocks (Tay et al. 2020, appendix B.1)."""

import numpy as np

from ..layers import masked_multi_head, multi_head_shapes


def shapes(model, options, layer):
    return multi_head_shapes(model)


def seen(options, n):
    """Token i sees j where |⌊i/b⌋ − ⌊j/b⌋| ≤ r."""
    block = np.arange(n) // options["block"]
    return abs(block[:, None] - block) <= options["neighbours"]


def mix(model, options, p, prefix, x):
    """Softmax attention in every head, to the tokens that are seen."""
    mask = seen(options, x.shape[0])
    return masked_multi_head(model, p, prefix, x, [mask] * model.heads)


FIXTURES = {
    "local-blocks": {"options": {"block": 8, "neighbours": 0}},
    "local-neighbours": {
        "options": {"block": 5, "neighbours": 1}, "pooling": "cls"},
}
