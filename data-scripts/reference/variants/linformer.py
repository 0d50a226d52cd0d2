# SPDX-License-Identifier: Apache-2.0
"""Keys and values projected to K rows (Wang et al. 2020)."""

from ..layers import (attention, heads, join_heads, multi_head_shapes,
                      query_key_value)


def projections(options):
    """Names of the projections, E and F, or E alone."""
    if options["sharing"] == "key-value":
        return ("key",)
    return ("key", "value")


def shapes(model, options, layer):
    shapes = multi_head_shapes(model)
    for name in projections(options):
        shapes["projection." + name] = (options["projected"], model.positions)
    return shapes


def mix(model, options, p, prefix, x):
    """Softmax attention to K̄ = E k and V̄ = F v instead of k and v.

    The heads share E and F, which are [projected, positions]; only their
    first n columns take part. With key-value sharing F = E.
    """
    q, k, v = query_key_value(p, prefix, x)
    n = x.shape[0]
    names = projections(options)
    k = p[f"{prefix}projection.{names[0]}"][:, :n] @ k
    v = p[f"{prefix}projection.{names[-1]}"][:, :n] @ v
    return join_heads(p, prefix, [
        attention(*head)
        for head in zip(heads(model, q), heads(model, k), heads(model, v))])


FIXTURES = {
    "linformer-headwise": {
        "options": {"projected": 6, "sharing": "headwise"}, "seed": 3},
    "linformer-key-value": {
        "options": {"projected": 6, "sharing": "key-value"}, "seed": 4},
}
