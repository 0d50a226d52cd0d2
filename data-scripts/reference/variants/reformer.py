# SPDX-License-Identifier: Apache-2.0
"""Attention in chunks of hashed positions (Reformer, Kitaev et al. 2020)."""

import math

import numpy as np

from ..autodiff import exp, sqrt
from ..layers import affine, heads, join_heads

BUFFERS = ("rotations",)


def factors(model, options):
    """Buckets of a round, as the product of two hashes beyond 128."""
    wanted = options["buckets"]
    if wanted <= 128:
        return [wanted]
    root = math.isqrt(wanted) // 2 * 2
    return [root, math.ceil(wanted / (2 * root)) * 2]


def shapes(model, options, layer):
    """Maps of queries, values and the result, and the rotations."""
    square = (model.width, model.width)
    rows = options["hashes"] * sum(factors(model, options)) // 2
    return {
        **{f"{name}.weight": square for name in ("query", "value", "output")},
        "rotations": (model.heads * rows, model.width // model.heads)}


def draw(model, options, name, shape, rng):
    """Gaussian rotations."""
    return rng.normal(0, 1, shape) if name.endswith(".rotations") else None


def buckets(q, rotations, parts):
    """The bucket of every row: argmax [R q; −R q] for each part."""
    bucket = np.zeros(len(q), int)
    for n in parts:
        rows, rotations = rotations[:n // 2], rotations[n // 2:]
        products = q @ rows.T
        bucket = bucket * n + np.concatenate(
            [products, -products], 1).argmax(1)
    return bucket


def visible(q, rotations, options, parts):
    """How often each position sees each other one, over all rounds."""
    n, chunk = len(q), options["chunk"]
    chunks = math.ceil(n / chunk)
    count = np.zeros((n, n))
    for rows in np.split(rotations, options["hashes"]):
        order = np.argsort(buckets(q, rows, parts), kind="stable")
        own = np.empty(n, int)
        own[order] = np.arange(n) // chunk
        back = (own[:, None] - own[None, :]) % chunks
        count += back <= 1
    return count


def mix(model, options, p, prefix, x):
    """Softmax over all that is seen, a token itself only if it is alone.

    A pair that meets in several rounds counts once, or else as often.
    """
    q = affine(x, p[prefix + "query.weight"])
    v = affine(x, p[prefix + "value.weight"])
    parts = factors(model, options)
    rotations = np.split(p[prefix + "rotations"].value, model.heads)
    results = []
    for q, v, rows in zip(heads(model, q), heads(model, v), rotations):
        n, width = q.shape
        k = q / sqrt((q * q).sum(1) + width * 1e-6)
        count = visible(q.value, rows, options, parts)
        if options["count-once"]:
            count = np.minimum(count, 1)
        scores = q @ k.T * options["scale"] - 5e4 * np.eye(n)
        seen = count > 0
        high = np.where(seen, scores.value, -np.inf).max(1, keepdims=True)
        e = exp(scores - high + np.where(seen, 0, -np.inf)) * count
        results.append(e / e.sum(1) @ v)
    return join_heads(p, prefix, results)


def reversible(options):
    """Whether blocks have two streams."""
    return options["reversible"]


def settings(**changed):
    """All options, those that differ from the defaults given."""
    return {"chunk": 4, "hashes": 2, "buckets": 4, "scale": 1.0,
            "count-once": True, "reversible": False, **changed}


FIXTURES = {
    "reformer-once": {"options": settings(hashes=3)},
    "reformer-each": {
        "options": settings(**{"count-once": False}), "pooling": "cls"},
    "reformer-reversible": {
        "options": settings(reversible=True, scale=0.5, chunk=5)},
    "reformer-factors": {
        "options": settings(buckets=140, chunk=3), "pooling": "cls"},
}
