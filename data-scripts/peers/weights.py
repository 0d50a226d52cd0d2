# SPDX-License-Identifier: Apache-2.0
"""Our weights in the peers, to hold their logits against ours.

A run of `lra train` on sequences of one length is loaded into the classifier that
is timed, and both answer the run's test."""

import json
import subprocess
import tempfile
from argparse import Namespace
from pathlib import Path

import numpy as np
import torch

from attention import PEERS
from classifier import Classifier
from load import read_safetensors

# Packages that define their model otherwise, so that no weights make them equal.
DIFFERENT = {
    "bigbird": "draws other random blocks, and the same ones for all sequences",
    "performer": "has the same features in all heads, and other stabilisers",
    "reformer": "looks into the chunk before of the previous round, and divides by √D",
    "sinkhorn": "sorts blocks by a network of its own",
}
# Differences of logits up to here are rounding; nystrom-attention's inverse begins elsewhere.
TOLERANCE = {"nystromformer": 1e-2}
USUAL_TOLERANCE = 1e-4


def maps(own, *names):
    """The weights of several maps, one below the other."""
    return torch.cat([own(f"{name}.weight") for name in names])


def projected(mixer, own):
    yield mixer.qkv.weight, maps(own, "query", "key", "value")
    yield mixer.output.weight, own("output.weight")


def cosformer(mixer, own):
    yield from projected(mixer, own)
    yield mixer.qkv.bias, torch.cat(
        [own(f"{name}.bias") for name in ("query", "key", "value")])
    yield mixer.output.bias, own("output.bias")


def lowrank(mixer, own):
    for map, name in zip(mixer.maps, ("query", "key", "value", "output")):
        yield map.inner.weight, own(f"{name}.reduce.weight")
        yield map.outer.weight, own(f"{name}.expand.weight")


def synthesizer(mixer, own):
    count, width, length = mixer.table.shape
    yield mixer.value.weight, own("value.weight")
    yield mixer.output.weight, own("output.weight")
    yield mixer.hidden.weight, own("hidden.weight")
    yield mixer.hidden.bias, own("hidden.bias")
    yield mixer.table, own("table.weight").view(length, count, width).permute(1, 2, 0)
    yield mixer.bias, own("table.bias").T[:, None]


def luna(mixer, own):
    yield mixer.norm.weight, own("pack.norm.scale")
    yield mixer.norm.bias, own("pack.norm.shift")
    for map, name in zip(mixer.maps, (
            "pack.query", "pack.context", "query", "context", "output")):
        yield map.weight, own(f"{name}.weight")


def gate(unit, own):
    yield unit.map.weight, own("gate.weight")
    yield unit.map.bias, own("gate.bias")


def s4d(mixer, own):
    yield mixer.log_step, own("log-dt")
    yield mixer.log_decay, own("log-re").T
    yield mixer.frequency, own("im").T
    yield mixer.output, torch.stack([
        own(f"{name}.weight").unflatten(0, (2, -1)).permute(2, 1, 0)
        for name in ("output", "output.reversed")])
    yield mixer.skip, own("skip")
    yield from gate(mixer.gate, own)


def lru(mixer, own):
    for name in ("nu", "theta", "skip"):
        yield getattr(mixer, name), own(name)
    yield mixer.gamma, own("gamma-log")
    yield mixer.input.weight, own("input.weight")
    yield mixer.output.weight, own("output.weight")
    yield from gate(mixer.gate, own)


def longformer(mixer, own):
    for name in ("query", "key", "value"):
        for theirs, ours in ((name, name), (f"{name}_global", f"global-{name}")):
            map = getattr(mixer.attention, theirs)
            yield map.weight, own(f"{ours}.weight")
            yield map.bias, torch.zeros_like(map.bias)
    yield mixer.output.weight, own("output.weight")


def linformer(mixer, own):
    for theirs, ours in ((mixer.to_q, "query"), (mixer.to_k, "key"),
                         (mixer.to_v, "value"), (mixer.to_out, "output")):
        yield theirs.weight, own(f"{ours}.weight")
    yield mixer.to_out.bias, torch.zeros_like(mixer.to_out.bias)
    yield mixer.proj_k, own("projection.key").T
    yield mixer.proj_v, own("projection.value").T


def nystromformer(mixer, own):
    yield mixer.to_qkv.weight, maps(own, "query", "key", "value")
    yield mixer.to_out[0].weight, own("output.weight")
    yield mixer.to_out[0].bias, torch.zeros_like(mixer.to_out[0].bias)


MIXERS = {
    "transformer": projected, "sparse": projected, "local": projected,
    "linear": projected, "cosformer": cosformer, "lowrank": lowrank,
    "synthesizer": synthesizer, "luna": luna, "fnet": lambda mixer, own: (),
    "s4d": s4d, "lru": lru, "longformer": longformer, "linformer": linformer,
    "nystromformer": nystromformer,
}


def norm(theirs, own, name):
    yield theirs.weight, own(f"{name}.scale")
    yield theirs.bias, own(f"{name}.shift")


def linear(theirs, own, name):
    if hasattr(theirs, "outer"):
        yield theirs.inner.weight, own(f"{name}.reduce.weight")
        yield theirs.outer.weight, own(f"{name}.expand.weight")
        theirs = theirs.outer
    else:
        yield theirs.weight, own(f"{name}.weight")
    yield theirs.bias, own(f"{name}.bias")


def pairs(net, model, own):
    """Every parameter of a peer with its value."""
    yield net.tokens.weight, own("embedding.token")
    yield net.positions, own("embedding.position")[None]
    if net.first is not None:
        yield net.first, own("luna.packed")[None]
    for i, block in enumerate(net.blocks):
        yield from norm(block.norms[0], own, f"blocks.{i}.mixer.norm")
        yield from MIXERS[model](
            block.mixer, lambda name: own(f"blocks.{i}.mixer.{name}"))
        yield from norm(block.norms[1], own, f"blocks.{i}.feed-forward.norm")
        for map, name in ((block.feed_forward[0], "inner"),
                          (block.feed_forward[2], "outer")):
            yield from linear(map, own, f"blocks.{i}.feed-forward.{name}")
    yield from norm(net.norm, own, "norm")
    yield from linear(net.head[0], own, "head.hidden")
    yield from linear(net.head[2], own, "head.output")


def trained(lra, model, shape, folder):
    """The folder of a run of two steps on random sequences of full length."""
    random = np.random.default_rng(0)
    for split, count in (("train", 16), ("val", 8), ("test", shape.batch)):
        lines = [f"{i % shape.classes}\t" + " ".join(map(str, random.integers(
            1, shape.vocab, shape.length))) for i in range(count)]
        # All classes and tokens are there, so that both sides count as many.
        lines[0] = f"0\t{shape.vocab - 1} " + lines[0].partition(" ")[2]
        (folder / f"{split}.tsv").write_text("\n".join(["label\ttokens", *lines]) + "\n")
    settings = {
        "model.width": shape.emb, "model.heads": shape.heads, "model.layers": shape.layers,
        "model.feed-forward": shape.mlp, "model.positions": "learned", "model.norm": "layer",
        "model.pooling": "mean", "model.dropout": 0,
        **{f"model.{key}": value for key, value in PEERS[model][1].items()}}
    command = [lra, "train", "--task", "sequences", "--model", model, "--data", folder,
               "--steps", "2", "--batch", "8", "--output", folder / "run"]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{model}: {done.stderr}")
    return folder / "run"


def difference(lra, model, length=1024):
    """The largest difference of a peer's logits from ours, with the same weights."""
    shape = Namespace(
        model=model, length=length, batch=4, emb=64, heads=2, layers=2, mlp=128, vocab=256,
        classes=2)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        run = trained(lra, model, shape, folder)
        arrays = read_safetensors(run / "model.safetensors")
        used = set()

        def own(name):
            used.add(name)
            return torch.tensor(np.array(arrays[name]))

        net = Classifier(shape).eval()
        left = {id(parameter) for parameter in net.parameters()}
        with torch.no_grad():
            for theirs, ours in pairs(net, model, own):
                theirs.copy_(ours)
                left.discard(id(theirs))
        if left or used != arrays.keys():
            raise RuntimeError(f"{model}: not all weights have a place: "
                               f"{len(left)} of the peer's, {arrays.keys() - used} of ours")
        lines = (folder / "test.tsv").read_text().splitlines()[1:]
        tokens = torch.tensor([list(map(int, line.split("\t")[1].split())) for line in lines])
        with (run / "predictions-test-best.jsonl").open() as file:
            kept = np.array([json.loads(line)["logits"] for line in file])
        with torch.no_grad():
            return float(np.abs(net(tokens).numpy() - kept).max())


def check(lra, model):
    """What is to be told of a peer that computes another function; None where it is ours.

    Raises RuntimeError where it should be the same and is not."""
    if model in DIFFERENT:
        return DIFFERENT[model]
    most = difference(lra, model)
    if not most <= TOLERANCE.get(model, USUAL_TOLERANCE):
        raise RuntimeError(f"{model}: the peer's logits differ from ours by {most:.1e}")
    return None
