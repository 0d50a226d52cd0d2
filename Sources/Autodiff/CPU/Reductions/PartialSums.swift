// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One partial sum a piece, added up in a fixed tree.
struct PartialSums {
  let pieces: Int
  private let storage: Storage
  /// Floats from one piece's sums to the next's.
  private let step: Int

  init(pieces: Int, size: Int) {
    step = Self.padded(size)
    storage = Storage(count: max(1, pieces) * step)
    self.pieces = pieces
  }

  subscript(piece: Int) -> UnsafeMutablePointer<Float> { storage.pointer + piece * step }

  /// Room for some sums, in whole vectors.
  static func padded(_ size: Int) -> Int { wholeVectors(size) }

  /// How many of some pieces are added up before the others.
  static func half(_ count: Int) -> Int { (count + 1) / 2 }

  /// Adds all pieces, pairwise, and stores or adds the sums.
  ///
  /// - Parameters:
  ///   - offset: first element of the part of the sums that `target` is for.
  ///   - count: elements of that part.
  func reduce(_ offset: Int, _ count: Int, into target: GradientTarget) {
    guard pieces > 0 else {
      if !target.accumulate { target.pointer.update(repeating: 0, count: count) }
      return
    }
    parallel(count, by: 4096) { range, _ in
      for start in stride(from: range.lowerBound, to: range.upperBound, by: laneCount) {
        let width = min(laneCount, range.upperBound - start)
        var sum = treeSum(offset + start, width, 0, pieces)
        let to = target.pointer + start
        if target.accumulate { sum += load(to, count: width) }
        store(sum, to, count: width)
      }
    }
  }

  private func treeSum(_ at: Int, _ width: Int, _ first: Int, _ count: Int) -> Lanes {
    if count == 1 { return load(storage.pointer + first * step + at, count: width) }
    let half = Self.half(count)
    return treeSum(at, width, first, half) + treeSum(at, width, first + half, count - half)
  }
}
