// SPDX-License-Identifier: Apache-2.0

import Base
import Training

/// One round of `make bench-peers`: a few of the same training steps, or of inference, here and in
/// PyTorch, one directly after the other; a line of `peers.jsonl`.
package struct PeerRound: Codable, Sendable, Equatable {
  /// What PyTorch took.
  package struct Peer: Codable, Sendable, Equatable {
    /// Seconds of the median step.
    package var stepS: Double
    /// The most main memory of the process, MiB.
    package var peakRssMib: Double
    /// PyTorch's version.
    package var torch: String
  }

  /// Seconds from the command to the end of the first step.
  package struct FirstStep: Codable, Sendable, Equatable {
    /// PyTorch, operation by operation.
    package var peer: Double
    /// PyTorch through `torch.compile`.
    package var compiled: Double?
    /// We.
    package var own: Double
  }

  /// The name of the sizes: `narrow`, `middle`, `wide`, `wider`.
  package var shape: String
  /// The model's name.
  package var model: String
  /// Tokens of a sequence.
  package var length: Int
  /// Examples a step.
  package var batch: Int
  /// Threads of either.
  package var threads: Int
  /// Whether it was inference.
  package var forward: Bool
  /// The machine's processor.
  package var processor: String
  /// What operands of products were rounded to, in PyTorch by its autocast, or for int8 by its
  /// `quantize_dynamic`; nil for fp32.
  package var precision: String?
  /// The processor that we were built for and PyTorch was held to, a value of `-march`; nil for this one.
  package var arch: String?
  /// What we took.
  package var own: BenchmarkResult
  /// PyTorch, operation by operation.
  package var peer: Peer
  /// PyTorch through `torch.compile`, where that was measured.
  package var compiled: Peer?
  /// Of rounds of int8: ours of fp32 and of bf16, and PyTorch's of fp32.
  package var ownFp32: BenchmarkResult?
  package var ownBf16: BenchmarkResult?
  package var peerFp32: Peer?
  /// How long the processes of this round took to their first step.
  package var firstS: FirstStep?
}

extension PeerRound: CheckedValue {
  /// Checks that every number is one that can be measured.
  package func check() throws(FieldFault) {
    try FieldRange.positiveCount.check(["length": length, "batch": batch, "threads": threads])
    try own.check(in: "own")
    try peer.check(in: "peer")
    try compiled?.check(in: "compiled")
    try ownFp32?.check(in: "own_fp32")
    try ownBf16?.check(in: "own_bf16")
    try peerFp32?.check(in: "peer_fp32")
    try FieldRange.amount.check([
      "first_s.peer": firstS?.peer, "first_s.compiled": firstS?.compiled,
      "first_s.own": firstS?.own,
    ])
  }
}

extension PeerRound.Peer: CheckedValue {
  /// Checks time and memory.
  package func check() throws(FieldFault) {
    try FieldRange.positiveAmount.check(["step_s": stepS])
    try FieldRange(0...1e9).check(["peak_rss_mib": peakRssMib])
  }
}
