// SPDX-License-Identifier: Apache-2.0

/// Where each sequence of a packed batch begins and ends.
///
/// Sequence s occupies rows `offsets[s] ..< offsets[s + 1]`. Rows of padding do not exist.
package struct PackedSequences: Sendable, Equatable {
  /// One more entry than there are sequences; the first is 0, the last the number of rows.
  package let offsets: [Int]
  /// The longest sequence the batch could hold; buffers are sized by it.
  package let capacity: Int

  /// Describes sequences packed back to back.
  ///
  /// - Precondition: offsets start at 0 and do not decrease; no sequence is longer than `capacity`.
  package init(offsets: [Int], capacity: Int? = nil) {
    let lengths = zip(offsets.dropFirst(), offsets).map { $0 - $1 }
    let longest = lengths.max() ?? 0
    self.offsets = offsets
    self.capacity = capacity ?? longest
    precondition(offsets.first == 0, "sequences: offsets start with \(offsets.first ?? -1), not 0")
    precondition(lengths.allSatisfy { $0 >= 0 }, "sequences: offsets decrease")
    precondition(longest <= self.capacity, "sequences: \(longest) rows exceed \(self.capacity)")
  }

  /// `count` sequences of `length` rows each.
  package init(count: Int, length: Int) {
    self.init(offsets: (0...count).map { $0 * length }, capacity: length)
  }

  /// The number of sequences.
  package var count: Int { offsets.count - 1 }
  /// The number of rows.
  package var rows: Int { offsets[count] }
  /// Rows of the batch if every sequence had the full length.
  package var rowCapacity: Int { count * capacity }
  /// The rows of one sequence.
  package func range(_ sequence: Int) -> Range<Int> { offsets[sequence]..<offsets[sequence + 1] }
  /// The number of rows of one sequence.
  package func length(_ sequence: Int) -> Int { offsets[sequence + 1] - offsets[sequence] }
  /// The sequence that a row belongs to.
  func index(of row: Int) -> Int {
    var (low, high) = (0, count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if offsets[middle] <= row { low = middle } else { high = middle - 1 }
    }
    return low
  }
  /// The rows of one sequence, at most `size` at a time.
  func tiles(_ sequence: Int, of size: Int = tileRows) -> some Sequence<Range<Int>> {
    let rows = range(sequence)
    return stride(from: rows.lowerBound, to: rows.upperBound, by: size).lazy.map {
      $0..<min(rows.upperBound, $0 + size)
    }
  }
  /// The length of the longest sequence.
  package var longest: Int { (0..<count).map(length).max() ?? 0 }

  /// The sequences, longest first: handed out in this order, cores finish together.
  var longestFirst: [Int] { (0..<count).sorted { (-length($0), $0) < (-length($1), $1) } }

  /// Runs `body(sequence, head, workspace)` for all sequences that have rows and all heads, the longest
  /// first.
  func forEachHead(of heads: Int, _ body: (Int, Int, Workspace) -> Void) {
    let order = longestFirst.filter { length($0) > 0 }
    parallel(order.count * heads) { index, workspace in
      body(order[index / heads], index % heads, workspace)
    }
  }
}
