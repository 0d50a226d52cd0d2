// SPDX-License-Identifier: Apache-2.0

/// Mean and variance of each column.
package struct ColumnStatistics: Sendable, Equatable {
  /// μ, [E].
  package var mean: [Float]
  /// σ², [E], that of the rows themselves: divided by N.
  package var variance: [Float]

  /// As many of either as there are columns.
  package init(mean: [Float], variance: [Float]) {
    self.mean = mean
    self.variance = variance
  }
}

/// y = scale ⊙ (x - μ)/√(σ² + ε) + shift, where μ and σ² are those of each column over all rows.
///
/// - Parameters:
///   - x: [N, E].
///   - norm: scale and shift, [E], and ε.
///   - given: μ and σ² to use in place of the rows' own; they are constants then.
/// - Returns: y, [N, E], and the statistics that were used.
/// - Complexity: O(N·E) time and memory; three passes over x, or one with given statistics.
///
/// Saves: x. With rows of its own:
/// ```
/// x̂ = (x - μ)/√(σ² + ε)    dx = scale/√(σ² + ε) ⊙ (dy - mean(dy) - x̂ ⊙ mean(dy ⊙ x̂))
/// ```
/// Source: Ioffe and Szegedy (2015), arXiv 1502.03167, algorithm 1.
/// Differs: rows of padding do not exist; where a batch is padded, published code counts them.
package func batchNorm(
  _ x: Tensor, norm: Norm, given: ColumnStatistics? = nil
) -> (y: Tensor, statistics: ColumnStatistics) {
  let width = norm.scale.count
  precondition(
    x.columns == width && (given?.mean.count ?? width) == width,
    "batchNorm: input \(x.shape) for a norm of \(width)")
  let kernel = BatchNormKernel(x, norm)
  let y = Tensor(shape: x.shape, storage: Storage(count: x.storage.count))
  var statistics = given ?? ColumnStatistics(mean: [], variance: [])
  profileRows("batch norm", x, passes: given == nil ? 4 : 2) {
    if given == nil { statistics = kernel.statistics() }
    kernel.forward(statistics, into: y)
  }
  let used = statistics
  let result = y.recorded("batch norm", from: x, norm.scale, norm.shift) { dy in
    profileRows("batch norm backward", x, passes: 5) {
      kernel.backward(dy, used, isGiven: given != nil)
    }
  }
  return (result, statistics)
}

private struct BatchNormKernel {
  private let x: Tensor
  private let norm: Norm
  private let width: Int
  private let pieces: DeterministicReduction

  init(_ x: Tensor, _ norm: Norm) {
    self.x = x
    self.norm = norm
    width = norm.scale.count
    pieces = DeterministicReduction(rows: x.rows, sum: 2 * width)
  }

  /// The sum over all rows of what `add` puts into `count` sums.
  private func sums(
    _ count: Int, _ add: (Int, UnsafeMutablePointer<Float>) -> Void
  ) -> Storage {
    let partial = pieces.sums(count) { rows, sums, _ in
      for row in rows { add(row, sums) }
    }
    let result = Storage(count: count)
    partial.reduce(0, count, into: GradientTarget(pointer: result.pointer, accumulate: false))
    return result
  }

  /// A first mean, and then mean and mean square of what it leaves.
  ///
  /// ```
  /// m = Σ x/N    d = Σ (x - m)/N    μ = m + d    σ² = Σ (x - m)²/N - d²
  /// ```
  /// A sum of N values far from zero loses digits of the mean; the sum of what is left has them.
  func statistics() -> ColumnStatistics {
    let share = 1 / Float(max(1, x.rows))
    let totals = sums(width) { row, sum in
      let from = x.pointer + row * width
      for c in 0..<width { sum[c] += from[c] }
    }
    let first = (0..<width).map { totals.pointer[$0] * share }
    let columns = column(first)
    let means = columns.pointer
    // Σ (x - m), and after it Σ (x - m)².
    let rests = sums(2 * width) { row, sum in
      let from = x.pointer + row * width
      for c in 0..<width {
        let rest = from[c] - means[c]
        sum[c] += rest
        sum[width + c] += rest * rest
      }
    }
    let shift = (0..<width).map { rests.pointer[$0] * share }
    return ColumnStatistics(
      mean: zip(first, shift).map { $0 + $1 },
      variance: shift.enumerated().map { c, d in
        max(0, rests.pointer[width + c] * share - d * d)
      })
  }

  private func column(_ values: [Float]) -> Storage {
    let storage = Storage(count: width)
    storage.pointer.update(from: values, count: width)
    return storage
  }

  private func inverseDeviations(_ statistics: ColumnStatistics) -> [Float] {
    statistics.variance.map { 1 / ($0 + norm.epsilon).squareRoot() }
  }

  func forward(_ statistics: ColumnStatistics, into y: Tensor) {
    let factors = inverseDeviations(statistics).enumerated().map {
      $0.element * norm.scale.pointer[$0.offset]
    }
    let slope = column(factors)
    let start = column(
      (0..<width).map { norm.shift.pointer[$0] - statistics.mean[$0] * factors[$0] })
    parallel(x.rows, by: tileRows) { rows, _ in
      let (slope, start) = (slope.pointer, start.pointer)
      for row in rows {
        let (from, to) = (x.pointer + row * width, y.pointer + row * width)
        for c in 0..<width { to[c] = from[c] * slope[c] + start[c] }
      }
    }
  }

  func backward(_ dy: Storage, _ statistics: ColumnStatistics, isGiven: Bool) {
    let inverses = inverseDeviations(statistics)
    let (mean, inverse) = (column(statistics.mean), column(inverses))
    // Σ dy, and after it Σ dy ⊙ x̂.
    let totals = sums(2 * width) { row, sum in
      let (from, d) = (x.pointer + row * width, dy.pointer + row * width)
      let (mean, inverse) = (mean.pointer, inverse.pointer)
      for c in 0..<width {
        sum[c] += d[c]
        sum[width + c] += d[c] * (from[c] - mean[c]) * inverse[c]
      }
    }
    if let target = norm.shift.node?.target() {
      combine(totals.pointer, count: width, into: target)
    }
    if let target = norm.scale.node?.target() {
      combine(totals.pointer + width, count: width, into: target)
    }
    guard let target = x.node?.target() else { return }
    let share = isGiven ? 0 : 1 / Float(max(1, x.rows))
    for i in 0..<2 * width { totals.pointer[i] *= share }
    let slope = column((0..<width).map { inverses[$0] * norm.scale.pointer[$0] })
    parallel(x.rows, by: tileRows) { rows, _ in
      let (mean, inverse) = (mean.pointer, inverse.pointer)
      let (slope, totals) = (slope.pointer, totals.pointer)
      for row in rows {
        let (from, d) = (x.pointer + row * width, dy.pointer + row * width)
        for c in 0..<width {
          let normal = (from[c] - mean[c]) * inverse[c]
          d[c] = slope[c] * (d[c] - totals[c] - normal * totals[width + c])
        }
        for c in 0..<width { target.store(d[c], at: row * width + c) }
      }
    }
  }
}
