# SPDX-License-Identifier: Apache-2.0
"""Attention into a short sequence and back (Ma et al. 2021)."""

from ..autodiff import concatenate
from ..layers import affine, attention, heads, join_heads, layer_norm


def shapes(model, options, layer):
    square = (model.width, model.width)
    sides = ("context",) if options["tie-kv"] else ("key", "value")
    shapes = {"pack.norm.scale": (model.width,),
              "pack.norm.shift": (model.width,), "output.weight": square}
    for prefix in ("pack.", ""):
        for name in ("query", *sides):
            shapes[f"{prefix}{name}.weight"] = square
    return shapes


def shared_shapes(model, options):
    """P before the first layer."""
    return {"luna.packed": (options["packed"], model.width)}


def start(model, options, p):
    return p["luna.packed"]


def attend(model, options, p, prefix, x, context):
    """The heads of softmax attention of the rows of x to those of context."""
    sides = ("context",) * 2 if options["tie-kv"] else ("key", "value")
    q = affine(x, p[prefix + "query.weight"])
    k, v = (affine(context, p[f"{prefix}{side}.weight"]) for side in sides)
    return [attention(*head)
            for head in zip(heads(model, q), heads(model, k), heads(model, v))]


def mix(model, options, p, prefix, x, state):
    """P̂ = LN(P);  Y = Attention(P̂, x);  result Wo Attention(x, Y).

    The next layer's P is P̂ + Y, and its norm is that layer's: LN(P̂ + Y), as
    in the paper. There is no map between the heads' results and Y.
    """
    packed = layer_norm(state, p[prefix + "pack.norm.scale"],
                        p[prefix + "pack.norm.shift"])
    gathered = concatenate(
        attend(model, options, p, prefix + "pack.", packed, x), 1)
    result = attend(model, options, p, prefix, x, gathered)
    return join_heads(p, prefix, result), packed + gathered


FIXTURES = {
    "luna-tied": {"options": {"packed": 6, "tie-kv": True}},
    "luna-untied": {
        "options": {"packed": 3, "tie-kv": False}, "feed_forward": 16},
}
