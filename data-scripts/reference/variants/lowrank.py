# SPDX-License-Identifier: Apache-2.0
"""Matrices as products of two narrow ones (Winata et al. 2020)."""

import math

from ..autodiff import concatenate
from ..layers import affine, attention, gelu, heads

MAPS = ("query", "key", "value", "output")


def rank(options, inputs, outputs):
    """r, or None where two factors would have no fewer values than one.

    The limit is ⌊mn / (m + n)⌋; without a rank it is a share of the limit.
    """
    limit = inputs * outputs // (inputs + outputs)
    r = options["rank"] or max(1, math.floor(options["rank-share"] * limit))
    return r if r < limit else None


def factor_shapes(options, name, inputs, outputs):
    """U [r, inputs] and V [outputs, r], or the whole matrix."""
    r = rank(options, inputs, outputs)
    if r is None:
        return {name + ".weight": (outputs, inputs)}
    return {name + ".reduce.weight": (r, inputs),
            name + ".expand.weight": (outputs, r)}


def shapes(model, options, layer):
    result = {}
    for name in MAPS:
        result.update(factor_shapes(options, name, model.width, model.width))
    return result


def feed_forward_shapes(model, options):
    width, inner = model.width, model.feed_forward
    return {**factor_shapes(options, "inner", width, inner),
            "inner.bias": (inner,),
            **factor_shapes(options, "outer", inner, width),
            "outer.bias": (width,)}


def product(p, name, x):
    """V (U x) for the rows of x, or W x."""
    if name + ".weight" in p:
        return affine(x, p[name + ".weight"])
    return affine(affine(x, p[name + ".reduce.weight"]),
                  p[name + ".expand.weight"])


def mix(model, options, p, prefix, x):
    """Softmax attention between narrow maps."""
    q, k, v = (heads(model, product(p, prefix + name, x))
               for name in MAPS[:3])
    mixed = [attention(*head) for head in zip(q, k, v)]
    return product(p, prefix + "output", concatenate(mixed, 1))


def feed_forward(model, options, p, prefix, x):
    """V2 (U2 gelu(V1 (U1 x) + b1)) + b2"""
    inner = gelu(product(p, prefix + "inner", x) + p[prefix + "inner.bias"])
    return product(p, prefix + "outer", inner) + p[prefix + "outer.bias"]


FIXTURES = {
    "lowrank": {"options": {"rank": 0, "rank-share": 0.5, "start": "random"}},
    "lowrank-dense": {
        "options": {"rank": 8, "rank-share": 0.4, "start": "random"},
        "layers": 1},
}
