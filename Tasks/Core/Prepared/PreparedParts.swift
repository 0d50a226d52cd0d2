// SPDX-License-Identifier: Apache-2.0

import Base

/// What is ready of a prepared split that takes long to make: parts in files beside it, so that whoever
/// was ended goes on where it stopped.
///
/// Every part is a prepared file of its own, complete or not there.
struct PreparedParts {
  let split: PreparedSplit

  /// The file of some of the split's examples.
  func part(_ range: Range<Int>) -> PreparedSplit {
    let name = "\(range.lowerBound)-\(range.upperBound)"
    return PreparedSplit(
      path: stem + name + PreparedSplit.ending,
      metadata: split.metadata.merging(["part": name]) { $1 })
  }

  /// The examples of the parts there are, by their begin.
  var ranges: [Range<Int>] {
    FileSystem.names(in: folder).compactMap(range).sorted {
      ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound)
    }
  }

  /// Removes all parts.
  func remove() {
    for range in ranges { FileSystem.remove(part(range).path) }
  }

  private var folder: String { parentFolder(of: split.path) }
  private var stem: String { split.path.dropLast(PreparedSplit.ending.count) + "-part-" }

  private func range(_ name: String) -> Range<Int>? {
    let stem = lastName(of: stem)
    guard name.hasPrefix(stem), name.hasSuffix(PreparedSplit.ending) else { return nil }
    let ends = name.dropFirst(stem.count).dropLast(PreparedSplit.ending.count).split(separator: "-")
    guard ends.count == 2, let first = Int(ends[0]), let end = Int(ends[1]), first < end else {
      return nil
    }
    return first..<end
  }
}
