# SPDX-License-Identifier: Apache-2.0
"""Attention through the means of parts of the sequence (Xiong et al. 2021)."""

import math

import numpy as np

from ..layers import (attention, heads, join_heads, multi_head_shapes,
                      query_key_value, softmax)


def shapes(model, options, layer):
    shapes = multi_head_shapes(model)
    if options["conv"]:
        shapes["conv.weight"] = (model.heads, options["conv"])
    return shapes


def part_means(x, landmarks):
    """Means of min(landmarks, n) parts; part i begins at row floor(i n / m)."""
    n = x.shape[0]
    m = min(landmarks, n)
    bounds = [i * n // m for i in range(m + 1)]
    averages = np.zeros((m, n))
    for i, (start, end) in enumerate(zip(bounds, bounds[1:])):
        averages[i, start:end] = 1 / (end - start)
    return averages @ x


def inverse(a, iterations):
    """Z ← ¼ Z (13 I − A Z (15 I − A Z (7 I − A Z))), Z₀ = Aᵀ / (‖A‖₁ ‖A‖∞).

    ‖A‖∞, the largest sum of a row, is 1 for a softmax. ‖A‖₁ is the largest
    sum of a column, and takes part in the gradient.
    """
    identity = np.eye(a.shape[0])
    sums = a.sum(0)
    largest = int(sums.value.argmax())
    z = a.T / sums[:, largest:largest + 1]
    for _ in range(iterations):
        az = a @ z
        z = 0.25 * (z @ (13 * identity
                         - az @ (15 * identity - az @ (7 * identity - az))))
    return z


def convolve(v, kernel):
    """y_i = Σ_t kernel_t v_{i + t − (T − 1)/2}, where v is 0 outside."""
    n, taps = v.shape[0], kernel.shape[1]
    return sum(np.eye(n, k=t - taps // 2) @ v * kernel[:, t:t + 1]
               for t in range(taps))


def mix(model, options, p, prefix, x):
    """softmax(q k̃ᵀ) A⁺ (softmax(q̃ kᵀ) v) + conv(v), A = softmax(q̃ k̃ᵀ).

    All three logits are divided by √D; q̃ and k̃ are means of parts.
    """
    def head(h, q, k, v):
        q_means = part_means(q, options["landmarks"])
        k_means = part_means(k, options["landmarks"])
        a = softmax(q_means @ k_means.T / math.sqrt(q.shape[-1]))
        gathered = attention(q_means, k, v)
        y = attention(q, k_means, inverse(a, options["iterations"]) @ gathered)
        if options["conv"]:
            y = y + convolve(v, p[prefix + "conv.weight"][h:h + 1])
        return y

    parts = [heads(model, x) for x in query_key_value(p, prefix, x)]
    return join_heads(p, prefix, [
        head(h, *each) for h, each in enumerate(zip(*parts))])


FIXTURES = {
    "nystromformer-conv": {
        "options": {"landmarks": 8, "iterations": 6, "conv": 5}},
    "nystromformer-plain": {
        "options": {"landmarks": 5, "iterations": 2, "conv": 0},
        "pooling": "cls"},
}
