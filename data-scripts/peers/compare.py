# SPDX-License-Identifier: Apache-2.0
"""Compare `lra bench` with PyTorch: a process of each, which take turns of a few
steps, and only turns that follow each other are compared.

Prints a table in Markdown. --log FILE gets a line of JSON for each round as soon
as it is measured; rounds that are there already are not measured again, so a
comparison that was broken off goes on."""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import weights
from attention import PEERS

HERE = Path(__file__).parent
SHAPES = {
    "narrow": {"emb": 64, "heads": 2, "layers": 2, "mlp": 128},
    "middle": {"emb": 128, "heads": 4, "layers": 4, "mlp": 512},
    "wide": {"emb": 256, "heads": 4, "layers": 4, "mlp": 1024},
    "wider": {"emb": 512, "heads": 8, "layers": 4, "mlp": 1024},
}
# What is measured beside bytes, for comparison: PyTorch's floats and ours.
FLOATS = {"peer_fp32": "PyTorch fp32", "own_fp32": "our fp32", "own_bf16": "our bf16"}


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lra", default=".build/release/lra")
    parser.add_argument("--shape", default="narrow", choices=SHAPES)
    parser.add_argument("--length", default="1024", help="1024,4096")
    parser.add_argument("--model", default=",".join(PEERS))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument(
        "--rounds", type=int, default=9, help="turns of each program")
    parser.add_argument(
        "--steps", type=int, default=3,
        help="steps timed in a turn, after one that is not")
    parser.add_argument("--forward", action="store_true", help="inference")
    parser.add_argument(
        "--compile", action="store_true",
        help="try torch.compile too, and compare with the faster one")
    parser.add_argument(
        "--precision", default="fp32", choices=("fp32", "bf16", "int8"),
        help="bf16: PyTorch under autocast, lra with --precision bf16;\n"
        "int8: inference, PyTorch's quantize_dynamic, and ours of fp32 and bf16 too")
    parser.add_argument("--log", type=Path, help="file for the measurements")
    wanted = parser.parse_args()
    if wanted.precision == "int8" and (not wanted.forward or wanted.compile):
        parser.error("--precision int8 is for --forward, without --compile")
    unknown = set(wanted.model.split(",")) - set(PEERS)
    if unknown:
        parser.error(f"no peer for {', '.join(sorted(unknown))}; "
                     f"there are {', '.join(PEERS)}")
    return wanted


def held():
    """What holds PyTorch to the vectors that ours is built for."""
    if os.environ.get("LRA_ARCH") != "x86-64-v3":
        return {}
    return {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
            "DNNL_MAX_CPU_ISA": "AVX2"}


class Program:
    """A process that has taken its first step, and measures when it is told to."""

    def __init__(self, command, threads):
        self.command = command
        self.errors = tempfile.TemporaryFile("w+")
        start = time.perf_counter()
        self.process = subprocess.Popen(
            command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.errors,
            env=os.environ | {"OMP_NUM_THREADS": str(threads)} | held())
        self.line()
        self.first_s = time.perf_counter() - start

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            sys.exit(f"error: {' '.join(map(str, self.command))}\n{self.errors.read()}")
        return line

    def turn(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.line())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Comparison:
    """One model at one length."""

    def __init__(self, wanted, model, length):
        sizes = SHAPES[wanted.shape] | {
            "length": length, "batch": wanted.batch, "steps": wanted.steps}
        common = ["--model", model]
        common += ["--forward"] if wanted.forward else []
        for name, value in sizes.items():
            common += [f"--{name}", str(value)]
        rounded = ["--precision", wanted.precision]
        peer = [sys.executable, "-B", HERE / "classifier.py"] + common + rounded
        self.commands = {"peer": peer}
        if wanted.compile:
            self.commands["compiled"] = peer + ["--compile"]
        own = [wanted.lra, "bench", "--turns", "--threads", str(wanted.threads)]
        for key, value in PEERS[model][1].items():
            own += ["--set", f"model.{key}={value}"]
        self.commands["own"] = own + common + rounded
        if wanted.precision == "int8":
            for name in FLOATS:
                program = own if name.startswith("own") else peer[:3]
                self.commands[name] = program + common + [
                    "--precision", name.rpartition("_")[2]]
        self.cell = {
            "shape": wanted.shape, "model": model, "length": length,
            "batch": wanted.batch, "threads": wanted.threads,
            "forward": wanted.forward, "processor": processor()}
        # Lines of before these were noted are of fp32 and of the processor's own vectors.
        if wanted.precision != "fp32":
            self.cell["precision"] = wanted.precision
        if os.environ.get("LRA_ARCH"):
            self.cell["arch"] = os.environ["LRA_ARCH"]
        self.rounds = []

    def take(self, lines):
        """Take over the rounds of a log that measured all of this."""
        self.rounds += [
            line for line in lines
            if self.cell.items() <= line.items() and self.commands.keys() <= line.keys()
            and all(line.get(key) == self.cell.get(key) for key in ("precision", "arch"))]

    def measure(self, rounds, log):
        """Add rounds until there are so many."""
        if len(self.rounds) >= rounds:
            return
        programs = {name: Program(command, self.cell["threads"])
                    for name, command in self.commands.items()}
        first_s = {name: program.first_s for name, program in programs.items()}
        while len(self.rounds) < rounds:
            self.rounds.append(self.cell | {"first_s": first_s} | {
                name: program.turn() for name, program in programs.items()})
            if log:
                with log.open("a") as file:
                    file.write(json.dumps(self.rounds[-1]) + "\n")
        for program in programs.values():
            program.end()

    def ratios(self):
        """How many times as long PyTorch takes, where it does best."""
        peers = [name for name in ("peer", "compiled") if name in self.commands]
        return min(
            ([line[name]["step_s"] / line["own"]["step_s"]
              for line in self.rounds] for name in peers),
            key=statistics.median)

    def median(self, name, key):
        return statistics.median(line[name][key] for line in self.rounds)

    def others(self):
        """The time of floats over ours of bytes, where that was measured."""
        return [statistics.median(line[name]["step_s"] / line["own"]["step_s"]
                                  for line in self.rounds)
                for name in FLOATS if name in self.commands]

    def row(self):
        ratios = sorted(self.ratios())
        outer = len(ratios) // 4
        return (f"| {self.cell['length']} | {self.cell['model']} "
                f"| {statistics.median(ratios):.2f}x "
                f"({ratios[outer]:.2f}–{ratios[-1 - outer]:.2f}) "
                f"| {self.median('own', 'mfu'):.0%} "
                f"| {self.median('own', 'peak_rss_mib'):.0f} / "
                f"{self.median('peer', 'peak_rss_mib'):.0f} MiB |"
                + "".join(f" {ratio:.2f}x |" for ratio in self.others()))


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def remark(lra, model):
    """How a peer's function differs from ours; ends where it should not, and does."""
    try:
        return weights.check(lra, model)
    except RuntimeError as error:
        sys.exit(f"error: {error}")


def main():
    wanted = arguments()
    shape = SHAPES[wanted.shape]
    print(f"{processor()}, {wanted.threads} thread(s), B {wanted.batch}, "
          f"E {shape['emb']}, H {shape['heads']}, {shape['layers']} layers, "
          f"F {shape['mlp']}, {'inference' if wanted.forward else 'training'}, "
          f"{wanted.precision}{', both held to AVX2' if held() else ''}, "
          f"median of {wanted.rounds} (middle half)\n")
    more = list(FLOATS.values()) if wanted.precision == "int8" else []
    print("| L | model | PyTorch's time / ours | share of the peak "
          "| peak memory, ours / PyTorch |" + "".join(f" {name} |" for name in more))
    print("|---|---|---|---|---|" + "---|" * len(more), flush=True)
    remarks = {}
    lines = []
    if wanted.log and wanted.log.exists():
        lines = [json.loads(line) for line in wanted.log.open()]
    cells = []
    for length in map(int, wanted.length.split(",")):
        for model in wanted.model.split(","):
            cell = Comparison(wanted, model, length)
            cell.take(lines)
            if model not in remarks:
                remarks[model] = remark(wanted.lra, model)
            cell.measure(wanted.rounds, wanted.log)
            print(cell.row(), flush=True)
            cells.append(cell)
    mean = math.exp(statistics.mean(
        math.log(statistics.median(c.ratios())) for c in cells))
    print(f"\nPyTorch {cells[0].rounds[0]['peer']['torch']}; "
          f"geometric mean of the ratios {mean:.2f}x")
    same = [model for model, text in remarks.items() if text is None]
    if same:
        print(f"With the same weights as ours, these give our logits: {', '.join(same)}.")
    for model, text in remarks.items():
        if text:
            print(f"{model}: the package {text}.")


main()
