// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Makes pictures of bytes smaller as Pillow does it, to the bit.
///
///     w(x) = sinc(x)·sinc(x / 3), |x| < 3
///
/// Columns come first, then rows, each rounded to bytes; weights have 22 binary places.
///
/// Source: python-pillow/Pillow, src/libImaging/Resample.c.
struct Lanczos: Sendable {
  /// The input pixels that make one output pixel.
  private struct Taps {
    let first: Int
    let weights: [Int]
  }

  private static let places = 22
  private let taps: [Taps]

  /// - Parameters:
  ///   - input: pixels of a side.
  ///   - output: fewer pixels of a side.
  init(from input: Int, to output: Int) {
    let scale = Double(input) / Double(output)
    taps = (0..<output).map { place in
      let center = (Double(place) + 0.5) * scale
      let first = max(0, Int(center - 3 * scale + 0.5))
      let end = min(input, Int(center + 3 * scale + 0.5))
      let weights = (first..<end).map { Self.kernel((Double($0) - center + 0.5) / scale) }
      let sum = weights.reduce(0, +)
      return Taps(
        first: first,
        weights: weights.map {
          Int(($0 / sum * Double(1 << Self.places)).rounded(.toNearestOrAwayFromZero))
        })
    }
  }

  private static func kernel(_ x: Double) -> Double {
    func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(.pi * x) / (.pi * x) }
    return -3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0
  }

  /// A part of the smaller picture, row by row.
  ///
  /// - Parameter isLit: whether the pixel in a row and a column of the larger picture is 255, not 0.
  func callAsFunction(
    rows: Range<Int>, columns: Range<Int>, isLit: (_ row: Int, _ column: Int) -> Bool
  ) -> [UInt8] {
    let inputs = rows.map { taps[$0] }
    let top = inputs.first?.first ?? 0
    let bottom = inputs.last.map { $0.first + $0.weights.count } ?? 0
    var narrow: [Int] = []
    for row in top..<bottom {
      for column in columns {
        let tap = taps[column]
        var sum = 0
        for (place, weight) in tap.weights.enumerated() where isLit(row, tap.first + place) {
          sum += 255 * weight
        }
        narrow.append(Int(Self.byte(sum)))
      }
    }
    var result: [UInt8] = []
    for tap in inputs {
      for column in 0..<columns.count {
        var sum = 0
        for (place, weight) in tap.weights.enumerated() {
          sum += weight * narrow[(tap.first - top + place) * columns.count + column]
        }
        result.append(Self.byte(sum))
      }
    }
    return result
  }

  private static func byte(_ sum: Int) -> UInt8 {
    UInt8(clamping: (sum + 1 << (places - 1)) >> places)
  }
}
