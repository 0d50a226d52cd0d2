// SPDX-License-Identifier: Apache-2.0

import CShims

/// What a weight of bytes needs beside its panels: a scale for each output, and what the shift of the rows'
/// bytes adds to each sum.
///
/// ```
/// y[n, o] = s[o]·t[n]·(Σ u[n, i]·q[o, i] − c[o])      u = p + 128, c[o] = 128·Σ q[o, i]
/// ```
struct PackedBytes {
  private let storage: Storage
  private let columns: Int

  /// s, for whole panels.
  var scales: UnsafeMutablePointer<Float> { storage.pointer }
  /// c, integers in the room of floats.
  var shifts: UnsafeMutablePointer<Float> { storage.pointer + Panels.padded(columns) }

  init(columns: Int) {
    self.columns = columns
    storage = Storage(count: 2 * Panels.padded(columns))
  }

  /// Packs one panel of W's rows from `column` on, and fills in its scales and shifts.
  func pack(
    _ weight: UnsafePointer<Float>, row: Int, inner k: Int, column: Int,
    into panel: UnsafeMutablePointer<Float>
  ) {
    let count = min(Panels.width, columns - column)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Panels.width) { inverse in
      for j in 0..<Panels.width {
        let scale = j < count ? ByteScale(weight + (column + j) * row, count: k) : nil
        scales[column + j] = scale?.scale ?? 0
        inverse[j] = scale?.inverse ?? 0
      }
      for half in stride(from: 0, to: Panels.width, by: laneCount) {
        Precision.int8.copyStepsTransposed(columns: k, into: panel + half, row: Panels.width) {
          r, first in
          half + r < count
            ? loadElements(weight + (column + half + r) * row, first, of: k) * inverse[half + r]
            : Lanes()
        }
      }
    }
    addShifts(panel, steps: Precision.int8.steps(k), column: column)
  }

  /// The same scales for some steps of the panels.
  func forSteps(_ steps: Range<Int>, of panels: Panels) -> PackedBytes {
    let part = PackedBytes(columns: columns)
    part.scales.update(from: scales, count: Panels.padded(columns))
    for panel in 0..<Panels.count(columns) {
      part.addShifts(
        panels.base + panel * panels.panel + steps.lowerBound * panels.step, steps: steps.count,
        column: panel * Panels.width)
    }
    return part
  }

  /// The products of a panel's bytes with 128.
  private func addShifts(_ panel: UnsafePointer<Float>, steps: Int, column: Int) {
    let all128 = lra_shifted_bytes(Lanes())
    for half in stride(from: 0, to: Panels.width, by: laneCount) {
      var sum = Lanes()
      for step in 0..<steps {
        PortableQuads.addProduct(load(panel + step * Panels.width + half), all128, to: &sum)
      }
      store(sum, shifts + column + half)
    }
  }

  /// y = or += s·t·(sums − c), for sums in the place of y or elsewhere.
  ///
  /// - Parameter first: the column of the weight at which y begins.
  func scale(
    _ sums: UnsafePointer<Float>, row sumRow: Int, rows: Int, columns range: Range<Int>,
    rowScales: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, row: Int,
    accumulate: Bool
  ) {
    let (scales, shifts) = (scales + range.lowerBound, shifts + range.lowerBound)
    for r in 0..<rows {
      let (from, to, rowScale) = (sums + r * sumRow, y + r * row, rowScales[r])
      forLanes(0..<range.count) { j, count in
        let value =
          lra_integer_difference(load(from + j, count: count), load(shifts + j))
          * load(scales + j) * rowScale
        store(accumulate ? load(to + j, count: count) + value : value, to + j, count: count)
      }
    }
  }
}
