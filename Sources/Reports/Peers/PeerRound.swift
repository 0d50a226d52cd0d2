import Base
import Foundation
import Training

/// One round of `make bench-peers`: the same training step, or inference, here and in PyTorch, one
/// directly after the other; a line of `peers.jsonl`.
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
}

/// The rounds of `peers.jsonl` files.
public struct PeerLog: Sendable {
  /// All rounds, in the order in which they were measured.
  public private(set) var rounds: [PeerRound] = []
  /// Lines that are no round, each with the file and the line's number.
  public private(set) var problems: [String] = []

  /// Reads the `peers.jsonl` of folders; one without has no rounds.
  public init(_ folders: [String]) {
    for path in folders.map({ "\($0)/peers.jsonl" }) {
      let data = FileManager.default.contents(atPath: path) ?? Data()
      let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      for (number, line) in lines.enumerated() where !line.isEmpty {
        do {
          rounds.append(try SnakeCaseJSON.decoded(PeerRound.self, from: line))
        } catch {
          problems.append("\(path): line \(number + 1) is no round of make bench-peers")
        }
      }
    }
  }
}
