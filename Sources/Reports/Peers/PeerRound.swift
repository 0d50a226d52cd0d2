import Base
import Training

/// One round of `make bench-peers`: a few of the same training steps, or of inference, here and in
/// PyTorch, one directly after the other; a line of `peers.jsonl`.
public struct PeerRound: Codable, Sendable, Equatable {
  /// What PyTorch took.
  public struct Peer: Codable, Sendable, Equatable {
    /// Seconds of the median step.
    public var stepS: Double
    /// The most main memory of the process, MiB.
    public var peakRssMib: Double
    /// PyTorch's version.
    public var torch: String
  }

  /// Seconds from the command to the end of the first step.
  public struct FirstStep: Codable, Sendable, Equatable {
    /// PyTorch, operation by operation.
    public var peer: Double
    /// PyTorch through `torch.compile`.
    public var compiled: Double?
    /// We.
    public var own: Double
  }

  /// The name of the sizes: `narrow`, `middle`, `wide`, `wider`.
  public var shape: String
  /// The model's name.
  public var model: String
  /// Tokens of a sequence.
  public var length: Int
  /// Examples a step.
  public var batch: Int
  /// Threads of either.
  public var threads: Int
  /// Whether it was inference.
  public var forward: Bool
  /// The machine's processor.
  public var processor: String
  /// What we took.
  public var own: BenchmarkResult
  /// PyTorch, operation by operation.
  public var peer: Peer
  /// PyTorch through `torch.compile`, where that was measured.
  public var compiled: Peer?
  /// How long the processes of this round took to their first step.
  public var firstS: FirstStep?
}

extension PeerRound: CheckedValue {
  /// Checks that every number is one that can be measured.
  public func check() throws(FieldFault) {
    try FieldRange.positiveCount.check(["length": length, "batch": batch, "threads": threads])
    try own.check(in: "own")
    try peer.check(in: "peer")
    try compiled?.check(in: "compiled")
    try FieldRange.amount.check([
      "first_s.peer": firstS?.peer, "first_s.compiled": firstS?.compiled,
      "first_s.own": firstS?.own,
    ])
  }
}

extension PeerRound.Peer: CheckedValue {
  /// Checks time and memory.
  public func check() throws(FieldFault) {
    try FieldRange.positiveAmount.check(["step_s": stepS])
    try FieldRange(0...1e9).check(["peak_rss_mib": peakRssMib])
  }
}
