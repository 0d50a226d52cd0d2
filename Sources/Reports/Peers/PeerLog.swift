import Base

/// The rounds of `peers.jsonl` files.
public struct PeerLog: Sendable {
  /// All rounds, in the order in which they were measured.
  public private(set) var rounds: [PeerRound] = []
  /// Lines that are no round, each with the file and the line's number.
  public private(set) var problems: [String] = []

  /// Reads the `peers.jsonl` of folders; one without has no rounds.
  public init(_ folders: [String]) {
    for folder in folders {
      let lines = JSONLines<PeerRound>("\(folder)/peers.jsonl", of: "round of make bench-peers")
      rounds += lines.values
      problems += lines.problems
    }
  }
}
