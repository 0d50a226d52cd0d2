# SPDX-License-Identifier: Apache-2.0
"""The encoder and its classifier; what stands in for `mix` is a variant's.

Start at `logits`.
"""

import math

import numpy as np

from .autodiff import (concatenate, exp, logsumexp, relu, sigmoid, sqrt,
                       tanh)

NORM_EPSILON = 1e-6  # added to the variance in layer normalisation


def affine(x, weight, bias=None):
    """y = x Wᵀ + b for rows x; W is [out, in]."""
    y = x @ weight.T
    return y if bias is None else y + bias


def layer_norm(x, scale, shift):
    """scale ⊙ (x − μ) / √(σ² + ε) + shift, over each row.

    μ = mean(x), σ² = mean((x − μ)²), the biased variance; ε = 1e-6.
    """
    width = x.shape[-1]
    centred = x - x.sum(-1) / width
    variance = (centred * centred).sum(-1) / width
    return centred / sqrt(variance + NORM_EPSILON) * scale + shift


def batch_norm(x, scale, shift, mean, variance):
    """scale ⊙ (x − mean) / √(variance + 1e-5) + shift, with given numbers."""
    return (x - mean) / sqrt(variance + 1e-5) * scale + shift


def gelu(x):
    """½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))"""
    inner = (x + x * x * x * 0.044715) * math.sqrt(2 / math.pi)
    return x * (tanh(inner) + 1.0) * 0.5


def softmax(x):
    """exp(x_j) / Σ_j exp(x_j) in each row, unchanged by a shift of x."""
    e = exp(x - x.value.max(-1, keepdims=True))
    return e / e.sum(-1)


def attention(q, k, v):
    """softmax(q kᵀ / √D) v, where D is the width of a head."""
    return softmax(q @ k.T / math.sqrt(q.shape[-1])) @ v


def masked_attention(q, k, v, mask):
    """As attention, but row i sees the columns where mask[i] is true."""
    scores = q @ k.T / math.sqrt(q.shape[-1])
    return softmax(scores + np.where(mask, 0, -np.inf)) @ v


# The four maps around most kinds of attention, without biases ---------------

def multi_head_shapes(model):
    """Shapes of the maps that the next three functions use."""
    return {f"{name}.weight": (model.width, model.width)
            for name in ("query", "key", "value", "output")}


def query_key_value(p, prefix, x):
    """Wq x, Wk x and Wv x for the rows of x, all heads side by side."""
    return [affine(x, p[f"{prefix}{name}.weight"])
            for name in ("query", "key", "value")]


def heads(model, x):
    """The part of every head: head h owns columns hD ..< (h + 1)D."""
    size = x.shape[1] // model.heads
    return [x[:, h * size:(h + 1) * size] for h in range(model.heads)]


def join_heads(p, prefix, parts):
    """The heads' results side by side, times Wo."""
    return affine(concatenate(parts, 1), p[prefix + "output.weight"])


def masked_multi_head(model, p, prefix, x, masks):
    """Masked attention in all heads, a mask for each."""
    q, k, v = (heads(model, part) for part in query_key_value(p, prefix, x))
    return join_heads(p, prefix, [
        masked_attention(*head) for head in zip(q, k, v, masks)])


# The end of a block of a state-space model ----------------------------------

def gated_unit_shapes(model):
    """Shapes of the map that the next function uses."""
    return {"gate.weight": (2 * model.width, model.width),
            "gate.bias": (2 * model.width,)}


def gated_unit(p, prefix, y):
    """a ⊙ σ(b), where a and b are the halves of W gelu(y) + w."""
    both = affine(gelu(y), p[prefix + "gate.weight"],
                  p[prefix + "gate.bias"])
    width = y.shape[1]
    return both[:, :width] * sigmoid(both[:, width:])


# The second half of a block, unless a variant brings its own ----------------

def feed_forward_shapes(model, options):
    """Matrices to the inner width and back, with biases."""
    width, inner = model.width, model.feed_forward
    return {"inner.weight": (inner, width), "inner.bias": (inner,),
            "outer.weight": (width, inner), "outer.bias": (width,)}


def feed_forward(model, options, p, prefix, x):
    """W2 gelu(W1 x + b1) + b2"""
    inner = affine(x, p[prefix + "inner.weight"], p[prefix + "inner.bias"])
    return affine(gelu(inner), p[prefix + "outer.weight"],
                  p[prefix + "outer.bias"])


# The whole ------------------------------------------------------------------

def logits(model, p, sequences):
    """Class scores [1, classes] of one sequence, or of two together.

    y  = Wo max(Wh f + bh, 0) + bo

    f is what `encode` makes of one sequence. Of two, a and b, it is all of
    a, b, a ⊙ b and a − b, side by side (Tay et al. 2020, section 2.2.3).

    Where the inner width is 0, y = Wo f + bo.
    """
    rows = [encode(model, p, tokens) for tokens in sequences]
    if model.towers == 2:
        a, b = rows
        rows = [concatenate([a, b, a * b, a - b], 1)]
    features, = rows
    if model.feed_forward:
        features = relu(affine(features, p["head.hidden.weight"],
                               p["head.hidden.bias"]))
    return affine(features, p["head.output.weight"], p["head.output.bias"])


def encode(model, p, tokens):
    """The row [1, width] of one sequence, its real tokens only.

    h  = token_embedding[token] + position_embedding[place]
         or, for numbers, w (2 (token − 1) / (vocabulary − 2) − 1) + b in
         place of the token's row
    h  = h + Mix(LN(h));  h = h + FeedForward(LN(h))      in every block
    h  = LN(h)

    The row is the mean over the rows of h, or with CLS pooling row 0: then
    the vector embedding.cls stands before the tokens, at place 0 of the table.

    Where the inner width is 0, blocks have no FeedForward.

    Reversible blocks have a second stream g, in the beginning h as well:
    (h, g) = (g + Mix(LN(h)), h), and the same with FeedForward; in the end
    h = h + g.
    """
    variant, options = model.variant, model.options
    if model.input == "numbers":
        values = 2 * (np.asarray(tokens)[:, None] - 1) / (model.vocabulary - 2)
        h = affine(values - 1.0, p["embedding.number.weight"],
                   p["embedding.number.bias"])
    else:
        h = p["embedding.token"][tokens]
    if model.pooling == "cls":
        h = concatenate([p["embedding.cls"][None, :], h], 0)
    n = h.shape[0]
    h = h + p["embedding.position"][:n]

    def norm(prefix):
        if model.norm != "layer":
            return batch_norm(h, *(p[prefix + name] for name in (
                "scale", "shift", "mean", "variance")))
        return layer_norm(h, p[prefix + "scale"], p[prefix + "shift"])

    carries = hasattr(variant, "start")
    state = variant.start(model, options, p) if carries else None
    reversible = getattr(variant, "reversible", lambda options: False)(options)
    second = h
    after = model.norm == "batch-after"
    own_feed_forward = getattr(variant, "feed_forward", feed_forward)
    for i in range(model.layers):
        prefix = f"blocks.{i}.mixer."
        x = h if after else norm(prefix + "norm.")
        if carries:
            branch, state = variant.mix(model, options, p, prefix, x, state)
        else:
            branch = variant.mix(model, options, p, prefix, x)
        h, second = (second if reversible else h) + branch, h
        if after:
            h = norm(prefix + "norm.")
        if model.feed_forward:
            prefix = f"blocks.{i}.feed-forward."
            x = norm(prefix + "norm.")
            branch = own_feed_forward(model, options, p, prefix, x)
            h, second = (second if reversible else h) + branch, h
    if reversible:
        h = h + second
    if not after:
        h = norm("norm.")
    return h[:1] if model.pooling == "cls" else h.sum(0) / n


def cross_entropy(scores, labels):
    """Mean over the batch of log Σ_c exp(y_c) − y_label."""
    batch = len(labels)
    picked = scores[np.arange(batch), labels][:, None]
    return (logsumexp(scores, 1) - picked).sum(0) / batch
