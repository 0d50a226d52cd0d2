// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// From which length on one model has less of something than another.
package enum Crossing: Sendable, Equatable {
  /// From this length on, between two measured ones interpolated on logarithmic scales.
  case from(Int)
  /// At every measured length, of which this is the shortest.
  case always(from: Int)
  /// Not even at the longest measured length, which is this.
  case notUpTo(Int)

  /// Where the first falls below the second for good; nil when fewer than two lengths are common to both.
  package init?(
    _ first: [(length: Int, value: Double)], _ second: [(length: Int, value: Double)]
  ) {
    // What was too little to be measured has no ratio.
    let others = Dictionary(second.map { ($0.length, $0.value) }.filter { $0.1 > 0 }) { $1 }
    let common = first.filter { $0.value > 0 }.compactMap { point in
      others[point.length].map { (point.length, log(point.value / $0)) }
    }.sorted { $0.0 < $1.0 }
    guard common.count > 1, let shortest = common.first, let longest = common.last else {
      return nil
    }
    guard longest.1 < 0 else {
      self = .notUpTo(longest.0)
      return
    }
    guard let last = common.lastIndex(where: { $0.1 >= 0 }) else {
      self = .always(from: shortest.0)
      return
    }
    let (before, after) = (common[last], common[last + 1])
    let share = before.1 / (before.1 - after.1)
    let span = log(Double(after.0) / Double(before.0))
    self = .from(Int((Double(before.0) * exp(share * span)).rounded()))
  }

  /// In words.
  package var text: String {
    switch self {
    case .from(let length): "from about \(formatCount(length))"
    case .always(let length): "from \(formatCount(length)) or less"
    case .notUpTo(let length): "not up to \(formatCount(length))"
    }
  }
}
