# SPDX-License-Identifier: Apache-2.0
"""The operations of reference/autodiff.py on PyTorch's tensors.

Imported before the package `reference`, it takes that module's place there, so
that the statements of the models run, and are differentiated, by PyTorch."""

import sys

import numpy as np
import torch


class Variable:
    """A tensor with the operators of `reference.autodiff.Variable`."""

    __array_ufunc__ = None  # array ∘ variable is left to the variable

    def __init__(self, tensor):
        self.tensor = tensor

    @property
    def value(self):
        """The numbers, to which no gradient flows back."""
        return self.tensor.detach().numpy()

    @property
    def shape(self):
        return tuple(self.tensor.shape)

    def other(self, x):
        """Another operand, in the type of this one."""
        return (x.tensor.to(self.tensor.dtype) if isinstance(x, Variable)
                else constant(x, self.tensor.dtype))

    def __add__(self, other):
        return Variable(self.tensor + self.other(other))

    def __mul__(self, other):
        return Variable(self.tensor * self.other(other))

    def __sub__(self, other):
        return Variable(self.tensor - self.other(other))

    def __rsub__(self, other):
        return Variable(self.other(other) - self.tensor)

    def __truediv__(self, other):
        return Variable(self.tensor / self.other(other))

    def __rtruediv__(self, other):
        return Variable(self.other(other) / self.tensor)

    def __pow__(self, exponent):
        return Variable(self.tensor ** exponent)

    def __matmul__(self, other):
        return Variable(self.tensor @ self.other(other))

    def __rmatmul__(self, other):
        return Variable(self.other(other) @ self.tensor)

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self):
        return Variable(-self.tensor)

    def __getitem__(self, index):
        return Variable(self.tensor[index])

    @property
    def T(self):
        return Variable(self.tensor.transpose(-1, -2))

    def transpose(self, *axes):
        return Variable(self.tensor.permute(axes))

    def reshape(self, *shape):
        return Variable(self.tensor.reshape(shape))

    def sum(self, axis):
        return Variable(self.tensor.sum(axis, keepdim=True))

    def cumsum(self, axis):
        return Variable(self.tensor.cumsum(axis))


def constant(x, dtype):
    """Numbers as a tensor."""
    return torch.as_tensor(np.asarray(x, np.float64), dtype=dtype)


def as_tensors(parts):
    """Variables and constant arrays as tensors of one type."""
    dtype = next((part.tensor.dtype for part in parts
                  if isinstance(part, Variable)), torch.get_default_dtype())
    return [part.tensor if isinstance(part, Variable) else constant(part, dtype)
            for part in parts]


def concatenate(parts, axis):
    return Variable(torch.cat(as_tensors(parts), axis))


def stack(parts, axis):
    return Variable(torch.stack(as_tensors(parts), axis))


def where(condition, x, y):
    return Variable(torch.where(torch.as_tensor(condition), *as_tensors([x, y])))


def elementwise(function):
    return lambda x: Variable(function(x.tensor))


exp, log, sqrt, sin, cos, tanh, sigmoid, relu = map(elementwise, (
    torch.exp, torch.log, torch.sqrt, torch.sin, torch.cos, torch.tanh,
    torch.sigmoid, torch.relu))


def maximum(x, bound):
    return Variable(x.tensor.clamp_min(bound))


def logsumexp(x, axis):
    return Variable(torch.logsumexp(x.tensor, axis, keepdim=True))


sys.modules["reference.autodiff"] = sys.modules[__name__]
