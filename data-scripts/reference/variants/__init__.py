# SPDX-License-Identifier: Apache-2.0
"""The variants, a file each, found by looking into this folder.

A file's name is the variant's, with _ for -. It declares

shapes(model, options, layer)
    {name: shape} of the parameters of one layer. They are stored, and found
    in p, under "blocks.N.mixer." + name.

mix(model, options, p, prefix, x)
    The branch's output [n, width] from normalised rows x [n, width] of one
    sequence, where n counts real rows only. `options` are the fixture's, p
    holds all parameters as variables, and prefix is "blocks.N.mixer.".

FIXTURES
    {file name: settings}. Settings are the fields of `Model` that differ from
    its defaults, above all `options`, which become metadata as they are
    named here: the keys after `model.` on the command line. `seed` is the
    CRC-32 of the file name unless it is given.

and, only where it departs from the encoder in `layers.py`,

feed_forward_shapes(model, options)
feed_forward(model, options, p, prefix, x)
    A feed-forward layer of its own, under "blocks.N.feed-forward.". To have
    none, a fixture sets `feed_forward` to 0.

shared_shapes(model, options)
    {full name: shape} of parameters that all layers use.

start(model, options, p)
    What is carried from layer to layer, before the first. Then mix takes the
    state as a further argument, and returns the pair (output, new state).

reversible(options)
    Whether blocks have two streams; see `logits` in `layers.py`.

draw(model, options, name, shape, rng)
    Random values of the parameter with this full name, or None to draw it as
    `random_parameters` does: for example, a rate that must lie in a range.

BUFFERS
    Names, as in shapes or shared_shapes, of what is stored but not trained.
"""

import importlib
import pkgutil


def all_variants():
    """The modules of this folder."""
    return [importlib.import_module(f"{__name__}.{entry.name}")
            for entry in pkgutil.iter_modules(__path__)]
