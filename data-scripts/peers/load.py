#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A run's model in PyTorch.

    from load import load
    net = load("runs/text-linear-small-s0")    # an nn.Module with our names
    logits = net([[5, 3, 9], [7, 1]])          # sequences without padding

    load.py RUN                     the names and shapes of its tensors
    load.py RUN --examples FILE     its logits held against those that the run keeps of
                                    its test; FILE as data/listops/test-….safetensors.gz

The module computes what reference/variants states, in PyTorch's operations and
in the type of its parameters: every variant can be trained further, taken apart
or exported. It goes through a batch sequence by sequence and forms L x L masks,
so it is there to be right; attention.py has the fast code of others.

Needs torch and numpy."""

import argparse
import gzip
import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import tensors  # noqa: E402, F401  (before `reference`, whose arrays it replaces)
from reference import layers  # noqa: E402
from reference.model import Model  # noqa: E402
from reference.variants import all_variants  # noqa: E402

TYPES = {"F64": np.float64, "F32": np.float32, "I64": np.int64, "U8": np.uint8,
         "I8": np.int8}


def read_safetensors(path):
    """The arrays of a file, which may be compressed."""
    raw = Path(path).read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    size, = struct.unpack("<Q", raw[:8])
    header, data = json.loads(raw[8:8 + size]), raw[8 + size:]
    header.pop("__metadata__", None)
    return {name: np.frombuffer(
        data[slice(*entry["data_offsets"])], TYPES[entry["dtype"]]
    ).reshape(entry["shape"]) for name, entry in header.items()}


def read_weights(path):
    """The arrays of a model's file as floats: bytes times the scale of their row."""
    arrays = read_safetensors(path)
    scales = {name: arrays.pop(f"{name}.scale") for name in list(arrays)
              if arrays[name].dtype == np.int8}
    return {name: array * scales[name][:, None] if name in scales else array
            for name, array in arrays.items()}


class Classifier(nn.Module):
    """A model whose parameters have our names, as `blocks.0.mixer.query.weight`."""

    def __init__(self, model, arrays, positions=None):
        super().__init__()
        self.model = model
        # The table of positions that are not learned is in no file.
        self.positions = positions
        for name, array in arrays.items():
            folder, _, leaf = name.rpartition(".")
            place = self
            for part in filter(None, folder.split(".")):
                if part not in place._modules:
                    place.add_module(part, nn.Module())
                place = place._modules[part]
            tensor = torch.tensor(np.array(array))
            if name in model.buffers():
                place.register_buffer(leaf, tensor)
            else:
                place.register_parameter(leaf, nn.Parameter(tensor))

    def forward(self, sequences):
        """Logits [B, C] of sequences of tokens; of pairs, two follow each other."""
        p = {name: tensors.Variable(value) for name, value in
             (*self.named_parameters(), *self.named_buffers())}
        if self.positions is not None:
            p["embedding.position"] = tensors.Variable(
                torch.tensor(self.positions).to(next(self.parameters()).dtype))
        towers = self.model.towers
        return tensors.concatenate(
            [layers.logits(self.model, p, sequences[i:i + towers])
             for i in range(0, len(sequences), towers)], 0).tensor


def given_positions(kind, count, width):
    """The rows of positions that are not learned; None where they are."""
    if kind == "learned":
        return None
    table = np.zeros((count, width))
    if kind == "fixed":
        angles = np.arange(count)[:, None] / 10000 ** (np.arange(0, width, 2) / width)
        table[:, 0::2] = np.sin(angles)
        table[:, 1::2] = np.cos(angles)[:, :width // 2]
    return table


def own_options(variant, settings, length):
    """The variant's options, where 0 stands for a value that follows from others."""
    options = {key: settings[key] for key in settings if key not in COMMON}
    if variant == "reformer" and options["buckets"] == 0:
        options["buckets"] = 2 * -(-length // options["chunk"])
    if variant == "performer" and options["epsilon"] == 0:
        options["epsilon"] = 1e-4 if options["kernel"] == "softmax" else 1e-3
    if variant == "performer" and options["features"] == 0:
        width = settings["width"] // settings["heads"]
        options["features"] = max(1, int(width * np.log(width)))
    return options


# Keys of `model` that are fields of the reference's `Model`, or change first weights and
# training alone.
FIELDS = {"pooling": "pooling", "layers": "layers", "width": "width", "heads": "heads",
          "feed-forward": "feed_forward", "norm": "norm", "input": "input"}
COMMON = {*FIELDS, "name", "positions", "dropout", "attention-dropout",
          "embedding-deviation"}


def described(settings, arrays, length):
    """What config.json says of the model, in the words of the reference."""
    variant = next(v for v in all_variants()
                   if v.__name__.rpartition(".")[2].replace("_", "-") == settings["name"])
    features = arrays.get("head.hidden.weight", arrays["head.output.weight"]).shape[1]
    tokens = arrays.get("embedding.token")
    return Model(
        variant=variant, options=own_options(settings["name"], settings, length),
        towers=1 if features == settings["width"] else 2,
        vocabulary=257 if tokens is None else len(tokens),
        classes=len(arrays["head.output.bias"]), lengths=(length,),
        **{field: settings[key] for key, field in FIELDS.items()})


def load(run, weights="model.safetensors"):
    """The model of a run's folder; `weights` is relative to it.

    Raises ValueError for a model that the reference does not state: one with other
    widths of heads or of the classifier, or one that is pruned, narrow or tied. Weights of
    bytes become floats, which products of bytes differ from by their rounding.
    """
    run = Path(run)
    config = json.loads((run / "config.json").read_text())
    settings, length = config["model"], config["task"]["length"]
    arrays = read_weights(run / weights)
    model = described(settings, arrays, length)
    positions = given_positions(
        settings["positions"], model.positions, settings["width"])
    wanted = model.shapes()
    if positions is not None:
        del wanted["embedding.position"]
    found = {name: array.shape for name, array in arrays.items()}
    odd = sorted(name for name, _ in wanted.items() ^ found.items())
    if odd:
        raise ValueError(f"{run}: the reference has no such model: {odd[0]} differs")
    return Classifier(model, arrays, positions).eval()


def difference(net, run, examples):
    """The largest difference from the logits that the run kept, and their count."""
    arrays = read_safetensors(examples)
    ends = arrays["offsets"]
    with (run / "predictions-test-best.jsonl").open() as file:
        kept = np.array([json.loads(line)["logits"] for line in file])
    if len(kept) * net.model.towers != len(ends) - 1:
        raise ValueError(f"{examples}: {len(ends) - 1} sequences, but the run kept the "
                         f"answers to {len(kept)} examples; name the file of its test")
    sequences = [torch.tensor(arrays["tokens"][start:end].astype(np.int64))
                 for start, end in zip(ends, ends[1:])]
    with torch.no_grad():
        return np.abs(net(sequences).numpy() - kept).max(), len(kept)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--examples", type=Path)
    wanted = parser.parse_args()
    try:
        net = load(wanted.run)
        if wanted.examples:
            most, count = difference(net, wanted.run, wanted.examples)
            print(f"{count} answers, whose logits differ by at most {most:.1e}")
            return
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    for name, value in net.state_dict().items():
        print(f"{name:44} {' x '.join(map(str, value.shape))}")


if __name__ == "__main__":
    main()
