// SPDX-License-Identifier: Apache-2.0

import Base

/// The rounds of `peers.jsonl` files.
package struct PeerLog: Sendable {
  /// All rounds, in the order in which they were measured.
  package private(set) var rounds: [PeerRound] = []
  /// Lines that are no round, each with the file and the line's number.
  package private(set) var problems: [String] = []

  /// Reads the `peers.jsonl` of folders; one without has no rounds.
  package init(_ folders: [String]) {
    for folder in folders {
      let lines = JSONLines<PeerRound>("\(folder)/peers.jsonl", of: "round of make bench-peers")
      rounds += lines.values
      problems += lines.problems
    }
  }
}
