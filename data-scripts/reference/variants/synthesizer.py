# SPDX-License-Identifier: Apache-2.0
"""Attention with synthesised logits (Tay et al. 2020).

One head's logits A, where x_i is row i and h_i = max(W1 x_i + b1, 0):

dense              A_ij = w2_j · h_i + b2_j
factorised-dense   A_ij = a_i[j mod s] c_i[j div s]
                   a_i = Wa h_i + ba, c_i = Wc h_i + bc
random             A_ij = R_ij
factorised-random  A_ij = r1_i · r2_j

A mixture of it with the products of queries and keys is
α1 A_ij + α2 q_i · k_j / √D, where α = softmax(two parameters).
"""

import math

import numpy as np

from ..autodiff import relu
from ..layers import affine, heads, join_heads, softmax


def block(model):
    """s: the least multiple of 16 with s² at least the positions."""
    return 16 * math.ceil(math.ceil(math.sqrt(model.positions)) / 16)


def shapes(model, options, layer):
    width, count, positions = model.width, model.heads, model.positions
    size = width // count
    result = {"value.weight": (width, width), "output.weight": (width, width)}
    if "dense" in options["kind"]:
        result.update({"hidden.weight": (width, width),
                       "hidden.bias": (width,)})
    if options["kind"] == "dense":
        result.update({"table.weight": (positions, width),
                       "table.bias": (positions, count)})
    elif options["kind"] == "factorised-dense":
        fine = block(model)
        coarse = math.ceil(positions / fine)
        result.update({"fine.weight": (count * fine, size),
                       "fine.bias": (count * fine,),
                       "coarse.weight": (count * coarse, size),
                       "coarse.bias": (count * coarse,)})
    elif options["kind"] == "random":
        result["table"] = (count * positions, positions)
    else:
        for name in "query", "key":
            result["table." + name] = (positions, count * options["rank"])
    if options["mixture"]:
        result.update({"query.weight": (width, width),
                       "key.weight": (width, width), "mixture": (2,)})
    return result


def part(x, count, index):
    """Block number `index` of `count` equal blocks of rows."""
    size = x.shape[0] // count
    return x[index * size:(index + 1) * size]


def synthesised(model, options, p, prefix, x, head):
    """The logits A [n, n] of one head."""
    n, count, kind = x.shape[0], model.heads, options["kind"]

    def weight(name):
        return p[prefix + name]

    if kind == "random":
        return part(weight("table"), count, head)[:n, :n]
    if kind == "factorised-random":
        r1, r2 = (heads(model, weight("table." + name))[head][:n]
                  for name in ("query", "key"))
        return r1 @ r2.T
    hidden = relu(affine(x, weight("hidden.weight"), weight("hidden.bias")))
    h = heads(model, hidden)[head]
    if kind == "dense":
        w2, b2 = (heads(model, weight("table." + name))[head][:n]
                  for name in ("weight", "bias"))
        return affine(h, w2) + b2.T
    a, c = (affine(h, part(weight(name + ".weight"), count, head),
                   part(weight(name + ".bias"), count, head))
            for name in ("fine", "coarse"))
    j = np.arange(n)
    return a[:, j % block(model)] * c[:, j // block(model)]


def mix(model, options, p, prefix, x):
    """softmax(A) v in every head."""
    values = heads(model, affine(x, p[prefix + "value.weight"]))
    logits = [synthesised(model, options, p, prefix, x, head)
              for head in range(model.heads)]
    if options["mixture"]:
        alpha = softmax(p[prefix + "mixture"])
        queries, keys = (
            heads(model, affine(x, p[f"{prefix}{name}.weight"]))
            for name in ("query", "key"))
        logits = [alpha[0:1] * a
                  + alpha[1:2] * (q @ k.T / math.sqrt(q.shape[1]))
                  for a, q, k in zip(logits, queries, keys)]
    return join_heads(p, prefix, [softmax(a) @ v
                                  for a, v in zip(logits, values)])


def draw(model, options, name, shape, rng):
    """Logits that differ enough to matter."""
    if ".mixer.table" in name:
        return rng.normal(0, 1, shape)
    if name.endswith("mixture"):
        return rng.normal(0, 0.5, shape)
    return None


def fixture(kind, mixture, **settings):
    """One kind, with few layers where the table is large."""
    options = {"kind": kind, "mixture": mixture}
    if kind == "factorised-random":
        options["rank"] = 3
    return {"options": options, **settings}


FIXTURES = {
    "synthesizer-dense": fixture("dense", False),
    "synthesizer-dense-mixture": fixture(
        "dense", True, pooling="cls", seed=1),
    "synthesizer-factorised-dense": fixture("factorised-dense", False),
    "synthesizer-random": fixture("random", False, lengths=(20, 13, 1)),
    "synthesizer-random-mixture": fixture(
        "random", True, lengths=(20, 13, 1), layers=1),
    "synthesizer-factorised-random": fixture("factorised-random", False),
}
