// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Training

/// Speed and memory as measured, `speed.jsonl`: a line a cell, as `lra bench --json` prints it.
package struct SpeedLog: Sendable {
  /// What was measured; of a cell that was measured again, the latest.
  package private(set) var results: [BenchmarkResult] = []
  /// Lines that are no measurement, each with the file and the line's number.
  package private(set) var problems: [String] = []

  /// Reads a file; a file that does not exist holds nothing.
  package init(_ path: String) { add(path) }

  /// Reads the `speed.jsonl` in folders and in the folders directly in them, as in `runs/leaderboard`.
  package init(_ folders: [String]) {
    for folder in folders {
      for place in [folder] + FileSystem.names(in: folder).map({ "\(folder)/\($0)" }) {
        add("\(place)/speed.jsonl")
      }
    }
  }

  /// Adds the measurements of a file.
  private mutating func add(_ path: String) {
    let lines = JSONLines<BenchmarkResult>(path, of: "measurement of lra bench --json")
    problems += lines.problems
    for result in lines.values {
      results.removeAll { $0.isSameCell(as: result) }
      results.append(result)
    }
  }
}

extension BenchmarkResult {
  /// Whether both measured the same thing on the same processor, however fast it was.
  package func isSameCell(as other: BenchmarkResult) -> Bool {
    (model, length, batch, towers, forward) == (
      other.model, other.length, other.batch, other.towers, other.forward
    )
      && (emb, heads, layers, mlp, threads) == (
        other.emb, other.heads, other.layers, other.mlp, other.threads
      )
      && (params, processor, variation) == (
        other.params, other.processor, other.variation
      )
  }
}
