#!/usr/bin/env python3
"""Write reference values for the sequence classifiers that the tests compare.

Usage: fixtures.py FOLDER        (needs Python 3.9 and NumPy, nothing else)

The script states three models in float64, straight from the papers:

* transformer: softmax attention (Vaswani et al. 2017),
* linformer: keys and values projected to K rows (Wang et al. 2020),
* linear: attention with the feature map elu + 1 (Katharopoulos et al. 2020),

runs them on random weights, differentiates the loss, checks every entry of
the gradient against central differences, and writes one safetensors file per
model. It can be read as the specification of the models: start at `logits`.

Files NAME.safetensors: metadata describes the model; `tokens` I64 [B, L] is
padded with 0 at the end, so a row's real length is its count of non-zero
tokens; `labels` I64 [B]; `parameter.*`; `logits` [B, C]; `loss` [1];
`gradient.*`, the derivative of the loss by each parameter. Floats are F32.
Parameters are rounded to float32 first and those values are used in float64,
so a float32 implementation differs by its own rounding only.

File adamw.safetensors: ten optimizer steps from the parameters in
transformer-mean.safetensors, always on its whole batch; `losses` [10], where
entry s is the loss before update s, and the final `parameter.*`.

Runs are deterministic on one machine. Elsewhere the last bit may differ,
since NumPy may sum in another order; the stored numbers are what counts.
"""

import argparse
import json
import math
import os
import struct
import sys
from dataclasses import dataclass

import numpy as np

NORM_EPSILON = 1e-6  # added to the variance in layer normalisation
LINEAR_EPSILON = 1e-6  # added to the denominator of linear attention
DIFFERENCE_STEP = 1e-5
GRADIENT_TOLERANCE = 1e-6
ADAMW_STEPS = 10


# Reverse-mode differentiation ----------------------------------------------

class Variable:
    """An array, and how its gradient flows back to what it was made from.

    `parents` holds pairs (variable, pullback); the pullback turns the
    gradient by this array into the share of the gradient by that parent.
    """

    def __init__(self, value, parents=()):
        self.value = value
        self.parents = parents
        self.gradient = None

    def __add__(self, other):
        other = as_variable(other)
        return Variable(self.value + other.value, (
            (self, lambda g: reduce_to(g, self.value.shape)),
            (other, lambda g: reduce_to(g, other.value.shape))))

    def __mul__(self, other):
        other = as_variable(other)
        return Variable(self.value * other.value, (
            (self, lambda g: reduce_to(g * other.value, self.value.shape)),
            (other, lambda g: reduce_to(g * self.value, other.value.shape))))

    def __sub__(self, other):
        return self + as_variable(other) * -1.0

    def __truediv__(self, other):
        reciprocal = as_variable(other).map(lambda x: 1 / x,
                                            lambda x, y: -y * y)
        return self * reciprocal

    def __matmul__(self, other):
        return Variable(self.value @ other.value, (
            (self, lambda g: g @ other.value.T),
            (other, lambda g: self.value.T @ g)))

    def __getitem__(self, index):
        def pullback(g):
            result = np.zeros_like(self.value)
            np.add.at(result, index, g)  # an index may occur more than once
            return result
        return Variable(self.value[index], ((self, pullback),))

    @property
    def T(self):
        return Variable(self.value.T, ((self, lambda g: g.T),))

    def sum(self, axis):
        """Sum over one axis, which is kept with size 1."""
        return Variable(self.value.sum(axis, keepdims=True), (
            (self, lambda g: np.broadcast_to(g, self.value.shape)),))

    def map(self, function, derivative):
        """Elementwise y = function(x), where dy/dx = derivative(x, y)."""
        y = function(self.value)
        return Variable(y, ((self, lambda g: g * derivative(self.value, y)),))

    def backward(self):
        """Set `gradient` to d self / d v for every v that self depends on."""
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.gradient = np.ones_like(self.value)
        for node in reversed(order):
            for parent, pullback in node.parents:
                share = pullback(node.gradient)
                parent.gradient = (share if parent.gradient is None
                                   else parent.gradient + share)


def as_variable(x):
    """Take a plain array or number as a constant."""
    return x if isinstance(x, Variable) else Variable(np.asarray(x))


def reduce_to(gradient, shape):
    """Undo broadcasting: sum over the axes along which x was repeated."""
    while gradient.ndim > len(shape):
        gradient = gradient.sum(0)
    for axis, size in enumerate(shape):
        if size == 1:
            gradient = gradient.sum(axis, keepdims=True)
    return gradient


def concatenate(parts, axis):
    """Join variables along an axis; each takes back its own slice of g."""
    bounds = np.cumsum([0] + [part.value.shape[axis] for part in parts])

    def pullback(i):
        return lambda g: np.take(g, range(bounds[i], bounds[i + 1]), axis)

    return Variable(np.concatenate([part.value for part in parts], axis),
                    tuple((part, pullback(i)) for i, part in enumerate(parts)))


def exp(x):
    """eˣ"""
    return x.map(np.exp, lambda x, y: y)


def relu(x):
    """max(x, 0)"""
    return x.map(lambda x: np.maximum(x, 0), lambda x, y: x > 0)


def tanh(x):
    """tanh x, whose derivative is 1 − tanh² x"""
    return x.map(np.tanh, lambda x, y: 1 - y * y)


# The models -----------------------------------------------------------------

@dataclass(frozen=True)
class Model:
    """What is computed, and the sizes: `length` counts real tokens only."""

    mixer: str  # transformer, linformer or linear
    pooling: str = "mean"  # mean or cls
    sharing: str = ""  # linformer: headwise or key-value
    projected: int = 6  # linformer: rows K of the projections
    layers: int = 2
    width: int = 16
    heads: int = 2
    feed_forward: int = 24
    length: int = 37
    vocabulary: int = 11
    classes: int = 5

    @property
    def positions(self):
        """Rows of the position table; the CLS vector takes row 0."""
        return self.length + (self.pooling == "cls")

    def shapes(self):
        """Shape of every parameter; matrices are [out, in], row-major."""
        width, inner = self.width, self.feed_forward
        shapes = {"embedding.token": (self.vocabulary, width),
                  "embedding.position": (self.positions, width)}
        if self.pooling == "cls":
            shapes["embedding.cls"] = (width,)
        for i in range(self.layers):
            block = f"blocks.{i}."
            shapes[block + "mixer.norm.scale"] = (width,)
            shapes[block + "mixer.norm.shift"] = (width,)
            for name in ("query", "key", "value", "output"):
                shapes[f"{block}mixer.{name}.weight"] = (width, width)
            for name in self.projections():
                shapes[f"{block}mixer.projection.{name}"] = (
                    self.projected, self.positions)
            shapes[block + "feed-forward.norm.scale"] = (width,)
            shapes[block + "feed-forward.norm.shift"] = (width,)
            shapes[block + "feed-forward.inner.weight"] = (inner, width)
            shapes[block + "feed-forward.inner.bias"] = (inner,)
            shapes[block + "feed-forward.outer.weight"] = (width, inner)
            shapes[block + "feed-forward.outer.bias"] = (width,)
        shapes["norm.scale"] = (width,)
        shapes["norm.shift"] = (width,)
        shapes["head.hidden.weight"] = (inner, width)
        shapes["head.hidden.bias"] = (inner,)
        shapes["head.output.weight"] = (self.classes, inner)
        shapes["head.output.bias"] = (self.classes,)
        return shapes

    def projections(self):
        """Names of the Linformer's projections, E and F, or E alone."""
        if self.mixer != "linformer":
            return ()
        return ("key",) if self.sharing == "key-value" else ("key", "value")

    def metadata(self):
        """The string map at the head of the file."""
        entries = {"model": self.mixer, "layers": self.layers,
                   "width": self.width, "heads": self.heads,
                   "feed-forward": self.feed_forward, "length": self.length,
                   "vocabulary": self.vocabulary, "classes": self.classes,
                   "pooling": self.pooling}
        if self.mixer == "linformer":
            entries.update(projected=self.projected, sharing=self.sharing)
        if self.mixer == "linear":
            entries.update(epsilon=LINEAR_EPSILON)
        return {key: str(value) for key, value in entries.items()}


def affine(x, weight, bias=None):
    """y = x Wᵀ + b for rows x; W is [out, in]."""
    y = x @ weight.T
    return y if bias is None else y + bias


def layer_norm(x, scale, shift):
    """scale ⊙ (x − μ) / √(σ² + ε) + shift, over each row.

    μ = mean(x), σ² = mean((x − μ)²), the biased variance; ε = 1e-6.
    """
    width = x.value.shape[1]
    centred = x - x.sum(1) / width
    variance = (centred * centred).sum(1) / width
    deviation = (variance + NORM_EPSILON).map(np.sqrt, lambda x, y: 0.5 / y)
    return centred / deviation * scale + shift


def gelu(x):
    """½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))"""
    inner = (x + x * x * x * 0.044715) * math.sqrt(2 / math.pi)
    return x * (tanh(inner) + 1.0) * 0.5


def softmax(x):
    """exp(x_j) / Σ_j exp(x_j) in each row, unchanged by a shift of x."""
    e = exp(x - x.value.max(1, keepdims=True))
    return e / e.sum(1)


def feature_map(x):
    """φ(x) = elu(x) + 1: x + 1 above 0, eˣ below, = max(x,0) + e^min(x,0)."""
    positive = relu(x)
    return positive + exp(x - positive)


def attention(q, k, v):
    """softmax(q kᵀ / √D) v, where D is the width of a head."""
    return softmax(q @ k.T / math.sqrt(q.value.shape[1])) @ v


def linear_attention(q, k, v):
    """Row i is φ(q_i)ᵀ S / (φ(q_i)ᵀ z + ε).

    S = Σ_j φ(k_j) v_jᵀ, z = Σ_j φ(k_j), ε = 1e-6; logits are not scaled.
    """
    q, k = feature_map(q), feature_map(k)
    state, normaliser = k.T @ v, k.T.sum(1)
    return (q @ state) / (q @ normaliser + LINEAR_EPSILON)


def mix(model, p, prefix, x):
    """Mix the rows of x [n, width]: heads side by side, times Wo, no biases.

    Head h owns columns hD ..< (h + 1)D of the queries, keys and values.
    Linformer: the heads share K̄ = E k and V̄ = F v, where E and F are
    [projected, positions] and only their first n columns take part;
    with key-value sharing F = E.
    """
    q, k, v = (affine(x, p[f"{prefix}{name}.weight"])
               for name in ("query", "key", "value"))
    if model.mixer == "linformer":
        n = x.value.shape[0]
        names = model.projections()
        k = p[f"{prefix}projection.{names[0]}"][:, :n] @ k
        v = p[f"{prefix}projection.{names[-1]}"][:, :n] @ v
    attend = linear_attention if model.mixer == "linear" else attention
    size = model.width // model.heads
    columns = [slice(h * size, (h + 1) * size) for h in range(model.heads)]
    heads = [attend(q[:, c], k[:, c], v[:, c]) for c in columns]
    return affine(concatenate(heads, 1), p[prefix + "output.weight"])


def feed_forward(p, prefix, x):
    """W2 gelu(W1 x + b1) + b2"""
    inner = affine(x, p[prefix + "inner.weight"], p[prefix + "inner.bias"])
    return affine(gelu(inner), p[prefix + "outer.weight"],
                  p[prefix + "outer.bias"])


def logits(model, p, tokens):
    """Class scores [1, classes] of one sequence, its real tokens only.

    h  = token_embedding[token] + position_embedding[place]
    h  = h + Mix(LN(h));  h = h + FeedForward(LN(h))      in every block
    h  = LN(h)
    y  = Wo max(Wh pool(h) + bh, 0) + bo

    pool is the mean over the rows of h, or with CLS pooling row 0: then the
    vector embedding.cls stands before the tokens, at place 0 of the table.
    """
    h = p["embedding.token"][tokens]
    if model.pooling == "cls":
        h = concatenate([p["embedding.cls"][None, :], h], 0)
    n = h.value.shape[0]
    h = h + p["embedding.position"][:n]

    def norm(prefix):
        return layer_norm(h, p[prefix + "scale"], p[prefix + "shift"])

    for i in range(model.layers):
        prefix = f"blocks.{i}.mixer."
        h = h + mix(model, p, prefix, norm(prefix + "norm."))
        prefix = f"blocks.{i}.feed-forward."
        h = h + feed_forward(p, prefix, norm(prefix + "norm."))
    h = norm("norm.")
    pooled = h[:1] if model.pooling == "cls" else h.sum(0) / n
    hidden = affine(pooled, p["head.hidden.weight"], p["head.hidden.bias"])
    return affine(relu(hidden), p["head.output.weight"],
                  p["head.output.bias"])


def cross_entropy(scores, labels):
    """Mean over the batch of log Σ_c exp(y_c) − y_label."""
    batch = len(labels)
    shift = scores.value.max(1, keepdims=True)
    total = exp(scores - shift).sum(1)
    log_total = total.map(np.log, lambda x, y: 1 / x) + shift
    picked = scores[np.arange(batch), labels][:, None]
    return (log_total - picked).sum(0) / batch


def evaluate(model, parameters, sequences, labels):
    """Return the batch's logits and loss, and the parameters as variables."""
    p = {name: Variable(value) for name, value in parameters.items()}
    scores = concatenate([logits(model, p, s) for s in sequences], 0)
    return scores, cross_entropy(scores, labels), p


def loss_and_gradient(model, parameters, sequences, labels):
    """Return the logits [B, C], the loss, and its gradient by name."""
    scores, loss, p = evaluate(model, parameters, sequences, labels)
    loss.backward()
    gradient = {name: variable.gradient for name, variable in p.items()}
    return scores.value, loss.value.item(), gradient


# Checks and the optimizer ---------------------------------------------------

def gradient_error(model, parameters, sequences, labels, gradient):
    """Compare every entry with d_i = (f(x_i + s) − f(x_i − s)) / 2s.

    The result is the worst parameter's max_i |g_i − d_i| / max_i |g_i|.
    """
    def loss():
        return evaluate(model, parameters, sequences, labels)[1].value.item()

    worst = 0.0
    for name, value in parameters.items():
        difference = np.empty_like(value)
        for i in np.ndindex(value.shape):
            original = value[i]
            value[i] = original + DIFFERENCE_STEP
            above = loss()
            value[i] = original - DIFFERENCE_STEP
            below = loss()
            value[i] = original
            difference[i] = (above - below) / (2 * DIFFERENCE_STEP)
        error = np.abs(gradient[name] - difference).max()
        worst = max(worst, error / np.abs(gradient[name]).max())
    return worst


def adamw(model, parameters, sequences, labels, settings):
    """Loshchilov and Hutter (2019) as in PyTorch; return losses, parameters.

    p ← p (1 − lr wd)                    matrices only, not 1-D parameters
    m ← β1 m + (1 − β1) g;  v ← β2 v + (1 − β2) g²
    p ← p − lr m̂ / (√v̂ + ε),  m̂ = m / (1 − β1ᵗ),  v̂ = v / (1 − β2ᵗ),  t ≥ 1
    """
    rate, decay = settings["learning-rate"], settings["weight-decay"]
    beta1, beta2 = settings["beta1"], settings["beta2"]
    p = {name: value.copy() for name, value in parameters.items()}
    m = {name: np.zeros_like(value) for name, value in p.items()}
    v = {name: np.zeros_like(value) for name, value in p.items()}
    losses = []
    for t in range(1, ADAMW_STEPS + 1):
        _, loss, gradient = loss_and_gradient(model, p, sequences, labels)
        losses.append(loss)
        for name, g in gradient.items():
            if g.ndim > 1:
                p[name] *= 1 - rate * decay
            m[name] = beta1 * m[name] + (1 - beta1) * g
            v[name] = beta2 * v[name] + (1 - beta2) * g * g
            deviation = np.sqrt(v[name] / (1 - beta2 ** t))
            p[name] -= (rate * m[name] / (1 - beta1 ** t)
                        / (deviation + settings["epsilon"]))
    return np.array(losses), p


# Data and files -------------------------------------------------------------

def random_parameters(model, rng):
    """Float64 copies of float32 numbers, large enough to matter everywhere."""
    def draw(name, shape):
        if name.startswith("embedding"):
            return rng.normal(0, 1, shape)
        if name.endswith("scale"):
            return rng.normal(1, 0.2, shape)
        if name.endswith(("shift", "bias")):
            return rng.normal(0, 0.2, shape)
        return rng.normal(0, 1 / math.sqrt(shape[1]), shape)

    return {name: draw(name, shape).astype(np.float32).astype(np.float64)
            for name, shape in model.shapes().items()}


def random_batch(model, rng):
    """Three sequences (full, partial, one token) and different labels."""
    sequences = [rng.integers(1, model.vocabulary, n)
                 for n in (model.length, 20, 1)]
    return sequences, rng.permutation(model.classes)[:len(sequences)]


def padded(sequences, length):
    """Stack the sequences as rows, filled up with 0 at the end."""
    tokens = np.zeros((len(sequences), length), np.int64)
    for row, sequence in zip(tokens, sequences):
        row[:len(sequence)] = sequence
    return tokens


def write_safetensors(path, metadata, tensors):
    """Integers become I64, the rest F32; header padded to 8 bytes.

    Layout: u64 header size, JSON header, data; the largest type comes first,
    then by name, as the format's reference writer does.
    """
    header, data = {"__metadata__": metadata}, b""
    items = sorted(tensors.items(), key=lambda t: (t[1].dtype.kind != "i",
                                                   t[0]))
    for name, array in items:
        integers = array.dtype.kind == "i"
        raw = array.astype("<i8" if integers else "<f4").tobytes()
        header[name] = {"dtype": "I64" if integers else "F32",
                        "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def named(group, tensors):
    """Put `group.` in front of every name."""
    return {f"{group}.{name}": value for name, value in tensors.items()}


FIXTURES = {
    "transformer-mean": Model("transformer"),
    "transformer-cls": Model("transformer", pooling="cls"),
    "linformer-headwise": Model("linformer", sharing="headwise"),
    "linformer-key-value": Model("linformer", sharing="key-value"),
    "linear-mean": Model("linear"),
}

ADAMW = {"learning-rate": 1e-3, "beta1": 0.9, "beta2": 0.999,
         "epsilon": 1e-6, "weight-decay": 0.01}


def write_fixture(folder, name, model, seed):
    """Write one model's file; return its gradient error, start and batch."""
    rng = np.random.default_rng(seed)
    parameters = random_parameters(model, rng)
    batch = random_batch(model, rng)
    scores, loss, gradient = loss_and_gradient(model, parameters, *batch)
    error = gradient_error(model, parameters, *batch, gradient)
    tensors = {"tokens": padded(batch[0], model.length), "labels": batch[1],
               "logits": scores, "loss": np.array([loss]),
               **named("parameter", parameters), **named("gradient", gradient)}
    write_safetensors(os.path.join(folder, name + ".safetensors"),
                      model.metadata(), tensors)
    return error, parameters, batch


def write_trajectory(folder, start, model, parameters, batch):
    """Write adamw.safetensors; its metadata names the file it starts from."""
    losses, final = adamw(model, parameters, *batch, ADAMW)
    metadata = {**model.metadata(), "start": start, "steps": str(ADAMW_STEPS),
                **{key: str(value) for key, value in ADAMW.items()}}
    write_safetensors(os.path.join(folder, "adamw.safetensors"), metadata,
                      {"losses": losses, **named("parameter", final)})
    print(f"adamw: loss {losses[0]:.6f} before the first update, "
          f"{losses[-1]:.6f} before the last")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="where to write the files")
    folder = parser.parse_args().folder
    os.makedirs(folder, exist_ok=True)
    failed = False
    for seed, (name, model) in enumerate(FIXTURES.items(), start=1):
        error, parameters, batch = write_fixture(folder, name, model, seed)
        print(f"{name}: largest relative gradient error {error:.1e}",
              flush=True)
        failed |= not error < GRADIENT_TOLERANCE
        if name == "transformer-mean":
            write_trajectory(folder, name, model, parameters, batch)
    if failed:
        sys.exit(f"gradient error is not below {GRADIENT_TOLERANCE:.0e}")


if __name__ == "__main__":
    main()
