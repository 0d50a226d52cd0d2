# SPDX-License-Identifier: Apache-2.0
"""Fourier transforms in place of attention (Lee-Thorp et al. 2021)."""

import numpy as np


def shapes(model, options, layer):
    return {}


def fourier_matrix(n):
    """F[j, k] = exp(−2πi jk/n)"""
    return np.exp(-2j * np.pi * np.outer(np.arange(n), np.arange(n)) / n)


def mix(model, options, p, prefix, x):
    """Re(F_L x F_E), where x is followed by zeros up to the length L.

    Orthonormal, divided by √(L E).
    """
    n, width = x.shape
    length = model.positions
    rows = fourier_matrix(length)[:n, :n]
    columns = fourier_matrix(width)
    # Re((a + ib) x (c + id)) = a x c − b x d
    y = rows.real @ x @ columns.real - rows.imag @ x @ columns.imag
    return y / np.sqrt(length * width) if options["orthonormal"] else y


FIXTURES = {
    "fnet-mean": {"options": {"orthonormal": True}},
    "fnet-cls": {"pooling": "cls", "options": {"orthonormal": False}},
}
