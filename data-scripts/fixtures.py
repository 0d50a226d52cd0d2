#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write reference values for the sequence classifiers that the tests compare.

Usage: fixtures.py FOLDER [NAME ...]   (needs Python 3.9 and NumPy only)

The package `reference` states the models in float64, straight from the
papers, a file each in reference/variants. This script runs them on random
weights, differentiates the loss, checks every entry of the gradient against
central differences, and writes one safetensors file per fixture: all, or the
named ones. The package can be read as the specification of the models: start
at `logits` in reference/layers.py. To add a variant, add a file; what it
declares is told in reference/variants/__init__.py.

Files NAME.safetensors: metadata describes the model, standard keys first,
then the variant's options; `tokens` I64 [B, L] is padded with 0 at the end,
so a row's real length is its count of non-zero tokens; `labels` I64 [B];
with `towers` 2, two rows follow each other for every label;
`parameter.*`; `logits` [B, C]; `loss` [1]; `gradient.*`, the derivative of
the loss by each parameter. Floats are F32. Parameters are rounded to float32
first and those values are used in float64, so a float32 implementation
differs by its own rounding only. Parameters that are not trained have no
gradient; the metadata lists their names under `buffers`, between commas.

File adamw.safetensors: ten optimizer steps from the parameters in
transformer-mean.safetensors, always on its whole batch; `losses` [10], where
entry s is the loss before update s, and the final `parameter.*`.

Runs are deterministic on one machine, and a fixture depends on no other.
Elsewhere the last bit may differ, since NumPy may sum in another order; the
stored numbers are what counts.
"""

import argparse
import math
import os
import sys
import zlib

import numpy as np

from reference.adamw import ADAMW, ADAMW_STEPS, adamw
from reference.check import GRADIENT_TOLERANCE, gradient_error, too_small
from reference.model import Model, loss_and_gradient
from reference.safetensors import named, write_safetensors
from reference.variants import all_variants

TRAJECTORY = "adamw"  # the file that does not hold a model
TRAJECTORY_START = "transformer-mean"


def all_fixtures():
    """The model and the seed of every fixture, by its name."""
    fixtures = {}
    for variant in all_variants():
        for name, settings in variant.FIXTURES.items():
            if name in fixtures:
                sys.exit(f"two fixtures have the name {name}")
            seed = settings.get("seed", zlib.crc32(name.encode()))
            fields = {key: value for key, value in settings.items()
                      if key != "seed"}
            fixtures[name] = Model(variant, **fields), seed
    return fixtures


def random_parameters(model, rng):
    """Float64 copies of float32 numbers, large enough to matter everywhere."""
    def usual(name, shape):
        if name.startswith("embedding"):
            return rng.normal(0, 1, shape)
        if name.endswith("scale"):
            return rng.normal(1, 0.2, shape)
        if name.endswith(("shift", "bias")):
            return rng.normal(0, 0.2, shape)
        if name.endswith("norm.mean"):
            return rng.normal(0, 1, shape)
        if name.endswith("norm.variance"):
            return rng.uniform(0.5, 2, shape)
        return rng.normal(0, 1 / math.sqrt(shape[-1]), shape)

    def draw(name, shape):
        own = getattr(model.variant, "draw", lambda *_: None)(
            model, model.options, name, shape, rng)
        values = usual(name, shape) if own is None else own
        return values.astype(np.float32).astype(np.float64)

    return {name: draw(name, shape) for name, shape in model.shapes().items()}


def random_batch(model, rng):
    """Sequences (by default full, partial, one token) and their labels.

    The labels differ as long as there are enough classes.
    """
    sequences = [rng.integers(1, model.vocabulary, n) for n in model.lengths]
    return sequences, np.resize(rng.permutation(model.classes),
                                len(sequences) // model.towers)


def random_start(model, seed):
    """Parameters and batch of a fixture."""
    rng = np.random.default_rng(seed)
    parameters = random_parameters(model, rng)
    return parameters, random_batch(model, rng)


def padded(sequences, length):
    """Stack the sequences as rows, filled up with 0 at the end."""
    tokens = np.zeros((len(sequences), length), np.int64)
    for row, sequence in zip(tokens, sequences):
        row[:len(sequence)] = sequence
    return tokens


def write_fixture(folder, name, model, seed):
    """Write one model's file; return what is wrong with it."""
    parameters, batch = random_start(model, seed)
    scores, loss, gradient = loss_and_gradient(model, parameters, *batch)
    problems = too_small(gradient)
    if problems:
        return problems
    error, worst = gradient_error(model, parameters, *batch, gradient)
    print(f"{name}: largest relative gradient error {error:.1e}", flush=True)
    if not error < GRADIENT_TOLERANCE:
        return [f"the gradient by {worst} is wrong"]
    tensors = {"tokens": padded(batch[0], model.length), "labels": batch[1],
               "logits": scores, "loss": np.array([loss]),
               **named("parameter", parameters), **named("gradient", gradient)}
    write_safetensors(os.path.join(folder, name + ".safetensors"),
                      model.metadata(), tensors)
    return []


def write_trajectory(folder, model, seed):
    """Write the optimizer's file; metadata names the file it starts from."""
    parameters, batch = random_start(model, seed)
    losses, final = adamw(model, parameters, *batch, ADAMW)
    metadata = {**model.metadata(), "start": TRAJECTORY_START,
                "steps": str(ADAMW_STEPS),
                **{key: str(value) for key, value in ADAMW.items()}}
    write_safetensors(os.path.join(folder, TRAJECTORY + ".safetensors"),
                      metadata,
                      {"losses": losses, **named("parameter", final)})
    print(f"{TRAJECTORY}: loss {losses[0]:.6f} before the first update, "
          f"{losses[-1]:.6f} before the last")


def main():
    fixtures = all_fixtures()
    known = [*fixtures, TRAJECTORY]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="where to write the files")
    parser.add_argument("names", metavar="NAME", nargs="*",
                        help="fixtures to write; without any, all: "
                        + ", ".join(known))
    arguments = parser.parse_args()
    names = arguments.names or known
    for name in names:
        if name not in known:
            parser.error(f"there is no fixture {name}, only "
                         + ", ".join(known))
    os.makedirs(arguments.folder, exist_ok=True)
    failed = False
    for name in names:
        if name == TRAJECTORY:
            write_trajectory(arguments.folder, *fixtures[TRAJECTORY_START])
            continue
        for problem in write_fixture(arguments.folder, name, *fixtures[name]):
            print(f"{name}: {problem}", file=sys.stderr)
            failed = True
    if failed:
        sys.exit("not all fixtures were written")


if __name__ == "__main__":
    main()
