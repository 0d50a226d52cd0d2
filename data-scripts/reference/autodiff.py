# SPDX-License-Identifier: Apache-2.0
"""Reverse-mode differentiation of NumPy arrays.

A formula in terms of `Variable`s computes its value at once and remembers how
the gradient flows back; `backward` then walks it once in reverse. Arrays and
numbers may stand beside variables, on either side of an operator and among
the parts to be joined, and count as constants.

Formulas with complex numbers are written out for two variables, the real and
the imaginary part.
"""

import numpy as np


class Variable:
    """An array, and how its gradient flows back to what it was made from.

    `parents` holds pairs (variable, pullback); the pullback turns the
    gradient by this array into the share of the gradient by that parent.
    """

    __array_ufunc__ = None  # array ∘ variable is left to the variable

    def __init__(self, value, parents=()):
        self.value = value
        self.parents = parents
        self.gradient = None

    @property
    def shape(self):
        return self.value.shape

    def __add__(self, other):
        other = as_variable(other)
        return Variable(self.value + other.value, (
            (self, lambda g: reduce_to(g, self.shape)),
            (other, lambda g: reduce_to(g, other.shape))))

    def __mul__(self, other):
        other = as_variable(other)
        return Variable(self.value * other.value, (
            (self, lambda g: reduce_to(g * other.value, self.shape)),
            (other, lambda g: reduce_to(g * self.value, other.shape))))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -as_variable(other)

    def __truediv__(self, other):
        reciprocal = as_variable(other).map(lambda x: 1 / x,
                                            lambda x, y: -y * y)
        return self * reciprocal

    def __matmul__(self, other):
        """Products of the matrices in the last two axes; no vectors."""
        other = as_variable(other)
        return Variable(self.value @ other.value, (
            (self, lambda g: reduce_to(g @ other.value.swapaxes(-1, -2),
                                       self.shape)),
            (other, lambda g: reduce_to(self.value.swapaxes(-1, -2) @ g,
                                        other.shape))))

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        return as_variable(other) - self

    def __rtruediv__(self, other):
        return as_variable(other) / self

    def __rmatmul__(self, other):
        return as_variable(other) @ self

    def __getitem__(self, index):
        """Any index of NumPy: slices, new axes, permutations, gathers."""
        def pullback(g):
            result = np.zeros_like(self.value)
            np.add.at(result, index, g)  # an index may occur more than once
            return result
        return Variable(self.value[index], ((self, pullback),))

    @property
    def T(self):
        """The matrices in the last two axes, transposed."""
        return Variable(self.value.swapaxes(-1, -2), (
            (self, lambda g: g.swapaxes(-1, -2)),))

    def transpose(self, *axes):
        """Axis i of the result is axis axes[i] of this array."""
        inverse = np.argsort(np.arange(self.value.ndim)[list(axes)])
        return Variable(self.value.transpose(axes), (
            (self, lambda g: g.transpose(inverse)),))

    def reshape(self, *shape):
        """The same elements, row by row, in another shape."""
        return Variable(self.value.reshape(shape), (
            (self, lambda g: g.reshape(self.shape)),))

    def sum(self, axis):
        """Sum over one axis or several, which are kept with size 1."""
        return Variable(self.value.sum(axis, keepdims=True), (
            (self, lambda g: np.broadcast_to(g, self.shape)),))

    def cumsum(self, axis):
        """y_i = Σ_{j ≤ i} x_j along an axis, so dx_j = Σ_{i ≥ j} dy_i."""
        def pullback(g):
            return np.flip(np.cumsum(np.flip(g, axis), axis), axis)
        return Variable(np.cumsum(self.value, axis), ((self, pullback),))

    def map(self, function, derivative):
        """Elementwise y = function(x), where dy/dx = derivative(x, y)."""
        y = function(self.value)
        return Variable(y, ((self, lambda g: g * derivative(self.value, y)),))

    def backward(self):
        """Set `gradient` to d self / d v for every v that self depends on."""
        self.gradient = np.ones_like(self.value)
        for node in reversed(self.ancestry()):
            for parent, pullback in node.parents:
                share = pullback(node.gradient)
                parent.gradient = (share if parent.gradient is None
                                   else parent.gradient + share)

    def ancestry(self):
        """This and all it depends on, each after its own parents.

        Depth first, with a stack of its own: a recurrence over a sequence
        goes deeper than Python's calls may.
        """
        order, seen = [], {self}
        path = [(self, iter(self.parents))]
        while path:
            node, rest = path[-1]
            parent = next((v for v, _ in rest if v not in seen), None)
            if parent is None:
                order.append(node)
                path.pop()
            else:
                seen.add(parent)
                path.append((parent, iter(parent.parents)))
        return order


def as_variable(x):
    """Take a plain array or number as a constant."""
    return (x if isinstance(x, Variable)
            else Variable(np.asarray(x, np.float64)))


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
    parts = [as_variable(part) for part in parts]
    bounds = np.cumsum([0] + [part.shape[axis] for part in parts])

    def pullback(i):
        return lambda g: np.take(g, range(bounds[i], bounds[i + 1]), axis)

    return Variable(np.concatenate([part.value for part in parts], axis),
                    tuple((part, pullback(i)) for i, part in enumerate(parts)))


def stack(parts, axis):
    """Join variables of one shape along a new axis."""
    parts = [as_variable(part) for part in parts]

    def pullback(i):
        return lambda g: np.take(g, i, axis)

    return Variable(np.stack([part.value for part in parts], axis),
                    tuple((part, pullback(i)) for i, part in enumerate(parts)))


def where(condition, x, y):
    """x where a constant condition holds, y elsewhere."""
    x, y = as_variable(x), as_variable(y)
    return Variable(np.where(condition, x.value, y.value), (
        (x, lambda g: reduce_to(np.where(condition, g, 0), x.shape)),
        (y, lambda g: reduce_to(np.where(condition, 0, g), y.shape))))


def exp(x):
    """eˣ"""
    return x.map(np.exp, lambda x, y: y)


def log(x):
    """ln x"""
    return x.map(np.log, lambda x, y: 1 / x)


def sqrt(x):
    """√x"""
    return x.map(np.sqrt, lambda x, y: 0.5 / y)


def sin(x):
    """sin x"""
    return x.map(np.sin, lambda x, y: np.cos(x))


def cos(x):
    """cos x"""
    return x.map(np.cos, lambda x, y: -np.sin(x))


def tanh(x):
    """tanh x, whose derivative is 1 − tanh² x"""
    return x.map(np.tanh, lambda x, y: 1 - y * y)


def sigmoid(x):
    """1 / (1 + e⁻ˣ) = ½ (1 + tanh ½x), which cannot overflow"""
    return x.map(lambda x: 0.5 * (1 + np.tanh(0.5 * x)),
                 lambda x, y: y * (1 - y))


def maximum(x, bound):
    """max(x, bound) for a constant bound"""
    return x.map(lambda x: np.maximum(x, bound), lambda x, y: x > bound)


def relu(x):
    """max(x, 0)"""
    return maximum(x, 0)


def logsumexp(x, axis):
    """log Σ eˣ over an axis, which is kept with size 1.

    The maximum is taken out, so that nothing overflows: log Σ eˣ⁻ᵐ + m.
    """
    shift = x.value.max(axis, keepdims=True)
    return log(exp(x - shift).sum(axis)) + shift
