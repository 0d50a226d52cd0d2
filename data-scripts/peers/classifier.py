# SPDX-License-Identifier: Apache-2.0
"""Time one training step, or inference, of a PyTorch classifier of the same
shape as `lra bench --turns`, in turns as that does: print an empty line after the
first step, then measure and print an object for every line of the input."""

import argparse
import json
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

from attention import PEERS, LowRank, norm


class Block(nn.Module):
    def __init__(self, shape):
        super().__init__()
        inner = LowRank if shape.model == "lowrank" else nn.Linear
        self.norms = nn.ModuleList(norm(shape.emb) for _ in range(2))
        self.mixer = PEERS[shape.model][0](shape)
        self.feed_forward = nn.Sequential(
            inner(shape.emb, shape.mlp, bias=True), nn.GELU(approximate="tanh"),
            inner(shape.mlp, shape.emb, bias=True))

    def forward(self, x, carried):
        """The rows, and what the mixer leaves for the next block."""
        if hasattr(self.mixer, "first"):
            y, carried = self.mixer(self.norms[0](x), carried)
        else:
            y = self.mixer(self.norms[0](x))
        x = x + (y[0] if isinstance(y, tuple) else y)
        return x + self.feed_forward(self.norms[1](x)), carried


class Classifier(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.tokens = nn.Embedding(shape.vocab, shape.emb)
        self.positions = nn.Parameter(
            0.02 * torch.randn(1, shape.length, shape.emb))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        mixer = self.blocks[0].mixer
        # Luna's short sequence, which the blocks hand on.
        self.first = mixer.first(shape) if hasattr(mixer, "first") else None
        self.norm = norm(shape.emb)
        self.head = nn.Sequential(
            nn.Linear(shape.emb, shape.mlp), nn.ReLU(),
            nn.Linear(shape.mlp, shape.classes))

    def forward(self, tokens):
        h, carried = self.tokens(tokens) + self.positions, self.first
        for block in self.blocks:
            h, carried = block(h, carried)
        return self.head(self.norm(h).mean(1))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, choices=PEERS)
    for name, usual in (
            ("length", 1024), ("batch", 8), ("emb", 64), ("heads", 2),
            ("layers", 2), ("mlp", 128), ("vocab", 256), ("classes", 2),
            ("steps", 5)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--forward", action="store_true")
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16", "int8"))
    return parser.parse_args()


def main():
    shape = arguments()
    torch.manual_seed(0)
    net = Classifier(shape)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4, fused=True)
    run = torch.compile(net) if shape.compile else net
    tokens = torch.randint(1, shape.vocab, (shape.batch, shape.length))
    labels = torch.randint(0, shape.classes, (shape.batch,))

    def autocast():
        return torch.autocast(
            "cpu", dtype=torch.bfloat16, enabled=shape.precision == "bf16")

    def step():
        if shape.forward:
            with torch.no_grad(), autocast():
                run(tokens)
            return
        optimizer.zero_grad(set_to_none=True)
        with autocast():
            loss = F.cross_entropy(run(tokens).float(), labels)
        loss.backward()
        optimizer.step()

    if shape.forward:
        net.eval()
    if shape.precision == "int8":
        run = torch.ao.quantization.quantize_dynamic(
            net, {nn.Linear}, dtype=torch.qint8)
    step()
    print(flush=True)
    memory = None
    for _ in sys.stdin:
        step()
        seconds = [taken(step) for _ in range(shape.steps)]
        memory = memory or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({
            "step_s": statistics.median(seconds), "peak_rss_mib": memory / 1024,
            "params": sum(p.numel() for p in net.parameters()),
            "threads": torch.get_num_threads(), "torch": torch.__version__}),
            flush=True)


def taken(step):
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
