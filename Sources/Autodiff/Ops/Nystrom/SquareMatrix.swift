// SPDX-License-Identifier: Apache-2.0

/// A square matrix in scratch memory, as a factor and as a result of products.
///
/// Rows are filled up with zeros to whole panels, so the matrix serves as the right-hand side of a
/// product where it stands. They lie 16 floats further apart than that, so that the rows of a panel
/// do not share the same few places of the first-level cache.
struct SquareMatrix {
  let base: UnsafeMutablePointer<Float>
  let size: Int
  /// Columns with those that fill up the last panel.
  let padded: Int
  /// Floats from one row to the next.
  let row: Int

  /// Room for a matrix; every way to compute one leaves zeros in the columns that fill up.
  init(_ size: Int, _ workspace: Workspace) {
    self.init(size, at: workspace.floats(Self.count(size)))
  }

  /// A matrix in memory of `count(size)` floats.
  init(_ size: Int, at base: UnsafeMutablePointer<Float>) {
    self.base = base
    self.size = size
    padded = Panels.padded(size)
    row = padded + laneCount
  }

  /// Floats that a matrix takes.
  static func count(_ size: Int) -> Int { size * (Panels.padded(size) + laneCount) }

  var panels: Panels { Panels(rowMajor: base, stride: row) }
  var left: StridedMatrix { StridedMatrix(base: base, rowStride: row, columnStride: 1) }
  var leftTransposed: StridedMatrix { StridedMatrix(base: base, rowStride: 1, columnStride: row) }

  /// self = or += a·b.
  ///
  /// - Parameter symmetric: whether the result is, and self where it is added to: then panels on the
  ///   diagonal and below are computed, and those above are their mirror images.
  func multiply(
    _ a: SquareMatrix, _ b: SquareMatrix, accumulate: Bool = false, symmetric: Bool = false
  ) {
    if symmetric {
      multiplyHalf(a, b, accumulate: accumulate)
      mirror()
    } else {
      multiply(a.left, inner: size, b.panels, accumulate: accumulate)
    }
  }

  /// self = scale·a·bᵀ.
  func multiply(
    _ a: LandmarkRows, transposed b: LandmarkRows, scale: Float = 1, _ workspace: Workspace
  ) {
    let columns = workspace.panels(b.width, b.count)
    multiply(
      a.left, inner: a.width,
      Panels.pack(
        transposed: b.base, stride: b.row, inner: b.width, columns: b.count, into: columns,
        scale: scale),
      accumulate: false)
  }

  private func multiply(_ a: StridedMatrix, inner: Int, _ b: Panels, accumulate: Bool) {
    gemm(
      rows: size, columns: padded, inner: inner, a, b, into: base, stride: row,
      accumulate: accumulate)
  }

  /// Sets everything to zero.
  func clear() { base.update(repeating: 0, count: Self.count(size)) }

  /// Σ self ⊙ other.
  func innerProduct(_ other: SquareMatrix) -> Float {
    var sum = Lanes()
    for i in 0..<size {
      for j in stride(from: i * row, to: i * row + padded, by: laneCount) {
        sum.addProduct(load(base + j), load(other.base + j))
      }
    }
    return horizontalSum(sum)
  }

  /// self += value·I.
  func addDiagonal(_ value: Float) {
    for i in 0..<size { base[i * row + i] += value }
  }

  /// self = factor·a.
  func assign(_ a: SquareMatrix, times factor: Float) {
    combine(a) { _, other in other * factor }
  }

  /// self = f(self, a), element by element.
  @inline(__always)
  func combine(_ a: SquareMatrix, _ f: (Lanes, Lanes) -> Lanes) {
    for i in 0..<size {
      for place in stride(from: i * row, to: i * row + padded, by: laneCount) {
        store(f(load(base + place), load(a.base + place)), base + place)
      }
    }
  }

  /// self = factor·aᵀ.
  func assignTransposed(_ a: SquareMatrix, times factor: Float) {
    forEachTransposed(a) { place, vector in store(vector * factor, base + place) }
  }

  /// self = f(self, a, aᵀ), element by element.
  @inline(__always)
  func combineTransposed(_ a: SquareMatrix, _ f: (Lanes, Lanes, Lanes) -> Lanes) {
    forEachTransposed(a) { place, mirrored in
      store(f(load(base + place), load(a.base + place), mirrored), base + place)
    }
  }

  /// Calls `body(place, vector)` for sixteen neighbouring elements of aᵀ and their place in a matrix
  /// of its size.
  @inline(__always)
  func forEachTransposed(_ a: SquareMatrix, _ body: (Int, Lanes) -> Void) {
    withTransposeBlock { block in
      for column in stride(from: 0, to: padded, by: laneCount) {
        for first in stride(from: 0, to: size, by: laneCount) {
          for j in 0..<laneCount {
            block[j] = column + j < size ? load(a.base + (column + j) * row + first) : Lanes()
          }
          transpose(block)
          for i in 0..<min(laneCount, size - first) {
            body((first + i) * row + column, block[i])
          }
        }
      }
    }
  }

  /// Panels of self = or += a·b on the diagonal and below.
  private func multiplyHalf(_ a: SquareMatrix, _ b: SquareMatrix, accumulate: Bool) {
    for first in stride(from: 0, to: size, by: Panels.width) {
      gemm(
        rows: size - first, columns: Panels.width, inner: size,
        StridedMatrix(base: a.base + first * row, rowStride: row, columnStride: 1),
        Panels(rowMajor: b.base + first, stride: row), into: base + first * row + first,
        stride: row, accumulate: accumulate)
    }
  }

  /// Copies what is below the panels on the diagonal to above them.
  private func mirror() {
    withTransposeBlock { block in
      for first in stride(from: 0, to: size, by: Panels.width) {
        let above = first..<min(size, first + Panels.width)
        for column in stride(from: first + Panels.width, to: padded, by: laneCount) {
          for half in stride(from: above.lowerBound, to: above.upperBound, by: laneCount) {
            transposeBlock(
              base + column * row + half, row: row, rows: size - column,
              columns: min(laneCount, above.upperBound - half), scale: 1,
              into: base + half * row + column, row: row, through: block)
          }
        }
      }
    }
  }
}
