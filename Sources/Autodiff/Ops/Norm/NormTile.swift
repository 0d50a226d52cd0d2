// SPDX-License-Identifier: Apache-2.0

/// Layer normalisation of a tile of rows, and its gradient.
///
/// ```
/// x̂ = (x - mean(x)) / √(var(x) + ε)      y = scale ⊙ x̂ + shift
/// ```
/// The variance is computed in a second pass over the row, which does not cancel.
struct NormTile {
  let scale: UnsafePointer<Float>
  let shift: UnsafePointer<Float>
  let width: Int
  let epsilon: Float

  /// Writes y; and x̂ and 1/√(var + ε) too where the backward pass asks for them.
  func forward(
    _ x: UnsafePointer<Float>, _ rows: Int, into y: UnsafeMutablePointer<Float>,
    normalized: UnsafeMutablePointer<Float>? = nil,
    inverseDeviation: UnsafeMutablePointer<Float>? = nil
  ) {
    for first in stride(from: 0, to: rows, by: 4) {
      let (means, inverses) = statistics(x, first, rows)
      let count = min(4, rows - first)
      let (from, to) = (x + first * width, y + first * width)
      let hat = normalized.map { $0 + first * width }
      if let inverseDeviation {
        for r in 0..<count { inverseDeviation[first + r] = inverses[r] }
      }
      if count == 4 && width % laneCount == 0 {
        normalizeFour(from, means, inverses, into: to, normalized: hat)
      } else {
        for r in 0..<count {
          normalize(
            from + r * width, means[r], inverses[r], into: to + r * width,
            normalized: hat.map { $0 + r * width })
        }
      }
    }
  }

  /// Turns dy into dx, row by row, and adds to the gradients of scale and shift.
  ///
  /// ```
  /// g = dy ⊙ scale      dx = (g - mean(g) - x̂·mean(g ⊙ x̂)) / √(var + ε)
  /// ```
  func backward(
    _ dy: UnsafePointer<Float>, _ rows: Int, normalized: UnsafePointer<Float>,
    inverseDeviation: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>, accumulate: Bool,
    dScale: UnsafeMutablePointer<Float>, dShift: UnsafeMutablePointer<Float>
  ) {
    let fours = width % laneCount == 0 ? rows & ~3 : 0
    for r in stride(from: 0, to: fours, by: 4) {
      differentiateFour(
        dy + r * width, normalized + r * width, inverseDeviation + r, into: dx + r * width,
        accumulate: accumulate, dScale, dShift)
    }
    for r in fours..<rows {
      differentiate(
        dy + r * width, normalized + r * width, inverseDeviation[r], into: dx + r * width,
        accumulate: accumulate, dScale, dShift)
    }
  }

  /// Means and 1/√(var + ε) of the four rows from `first` on; beyond the last row they are its own.
  ///
  /// Four at once, since a row is short beside the time that its sums need to arrive.
  @inline(__always)
  private func statistics(
    _ x: UnsafePointer<Float>, _ first: Int, _ rows: Int
  ) -> (means: SIMD4<Float>, inverses: SIMD4<Float>) {
    let (a, b) = (x + first * width, x + min(first + 1, rows - 1) * width)
    let (c, d) = (x + min(first + 2, rows - 1) * width, x + min(first + 3, rows - 1) * width)
    var (sumA, sumB, sumC, sumD) = (Lanes(), Lanes(), Lanes(), Lanes())
    let whole = width / laneCount * laneCount
    let rest = width - whole
    var j = 0
    while j < whole {
      sumA += load(a + j)
      sumB += load(b + j)
      sumC += load(c + j)
      sumD += load(d + j)
      j &+= laneCount
    }
    if rest > 0 {
      sumA += load(a + whole, count: rest)
      sumB += load(b + whole, count: rest)
      sumC += load(c + whole, count: rest)
      sumD += load(d + whole, count: rest)
    }
    let means = horizontalSums(sumA, sumB, sumC, sumD) / Float(width)
    (sumA, sumB, sumC, sumD) = (Lanes(), Lanes(), Lanes(), Lanes())
    j = 0
    while j < whole {
      addSquare(load(a + j) - means[0], to: &sumA)
      addSquare(load(b + j) - means[1], to: &sumB)
      addSquare(load(c + j) - means[2], to: &sumC)
      addSquare(load(d + j) - means[3], to: &sumD)
      j &+= laneCount
    }
    if rest > 0 {
      addSquare(load(a + whole, count: rest, fill: means[0]) - means[0], to: &sumA)
      addSquare(load(b + whole, count: rest, fill: means[1]) - means[1], to: &sumB)
      addSquare(load(c + whole, count: rest, fill: means[2]) - means[2], to: &sumC)
      addSquare(load(d + whole, count: rest, fill: means[3]) - means[3], to: &sumD)
    }
    let variances = horizontalSums(sumA, sumB, sumC, sumD) / Float(width)
    return (means, inverseSquareRoot(variances + epsilon))
  }

  @inline(__always)
  private func addSquare(_ value: Lanes, to sum: inout Lanes) { sum.addProduct(value, value) }

  /// x̂ and y of four rows whose width is a multiple of 16.
  @inline(__always)
  private func normalizeFour(
    _ x: UnsafePointer<Float>, _ means: SIMD4<Float>, _ inverses: SIMD4<Float>,
    into y: UnsafeMutablePointer<Float>, normalized: UnsafeMutablePointer<Float>?
  ) {
    let (b, c, d) = (width, 2 * width, 3 * width)
    var j = 0
    while j < width {
      let hatA = (load(x + j) - means[0]) * inverses[0]
      let hatB = (load(x + j + b) - means[1]) * inverses[1]
      let hatC = (load(x + j + c) - means[2]) * inverses[2]
      let hatD = (load(x + j + d) - means[3]) * inverses[3]
      if let normalized {
        store(hatA, normalized + j)
        store(hatB, normalized + j + b)
        store(hatC, normalized + j + c)
        store(hatD, normalized + j + d)
      }
      let (scale, shift) = (load(scale + j), load(shift + j))
      store(shift.addingProduct(hatA, scale), y + j)
      store(shift.addingProduct(hatB, scale), y + j + b)
      store(shift.addingProduct(hatC, scale), y + j + c)
      store(shift.addingProduct(hatD, scale), y + j + d)
      j &+= laneCount
    }
  }

  /// x̂ and y of one row, to the bit what ``normalizeFour`` gives.
  @inline(__always)
  private func normalize(
    _ row: UnsafePointer<Float>, _ mean: Float, _ inverse: Float,
    into out: UnsafeMutablePointer<Float>, normalized: UnsafeMutablePointer<Float>?
  ) {
    for j in 0..<width {
      let hat = (row[j] - mean) * inverse
      normalized?[j] = hat
      out[j] = shift[j].addingProduct(hat, scale[j])
    }
  }

  /// dx of four rows whose width is a multiple of 16.
  @inline(__always)
  private func differentiateFour(
    _ dy: UnsafePointer<Float>, _ hat: UnsafePointer<Float>, _ inverse: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, accumulate: Bool,
    _ dScale: UnsafeMutablePointer<Float>, _ dShift: UnsafeMutablePointer<Float>
  ) {
    let (plain, weighted) = meanGradientsFour(dy, hat, dScale, dShift)
    for r in 0..<4 {
      let (from, hat, to) = (dy + r * width, hat + r * width, dx + r * width)
      var j = 0
      while j < width {
        let g = load(from + j) * load(scale + j)
        let value = (g - plain[r] - load(hat + j) * weighted[r]) * inverse[r]
        store(accumulate ? load(to + j) + value : value, to + j)
        j &+= laneCount
      }
    }
  }

  /// mean(dy ⊙ scale) and mean(dy ⊙ scale ⊙ x̂) of four rows, whose part is added to the gradients of
  /// scale and shift.
  @inline(__always)
  private func meanGradientsFour(
    _ dy: UnsafePointer<Float>, _ hat: UnsafePointer<Float>,
    _ dScale: UnsafeMutablePointer<Float>, _ dShift: UnsafeMutablePointer<Float>
  ) -> (plain: SIMD4<Float>, weighted: SIMD4<Float>) {
    let (b, c, d) = (width, 2 * width, 3 * width)
    var (plainA, plainB, plainC, plainD) = (Lanes(), Lanes(), Lanes(), Lanes())
    var (weightedA, weightedB, weightedC, weightedD) = (Lanes(), Lanes(), Lanes(), Lanes())
    var j = 0
    while j < width {
      let (dyA, dyB) = (load(dy + j), load(dy + j + b))
      let (dyC, dyD) = (load(dy + j + c), load(dy + j + d))
      let (partA, partB) = (dyA * load(hat + j), dyB * load(hat + j + b))
      let (partC, partD) = (dyC * load(hat + j + c), dyD * load(hat + j + d))
      store(load(dScale + j) + ((partA + partB) + (partC + partD)), dScale + j)
      store(load(dShift + j) + ((dyA + dyB) + (dyC + dyD)), dShift + j)
      let scale = load(scale + j)
      plainA.addProduct(dyA, scale)
      plainB.addProduct(dyB, scale)
      plainC.addProduct(dyC, scale)
      plainD.addProduct(dyD, scale)
      weightedA.addProduct(partA, scale)
      weightedB.addProduct(partB, scale)
      weightedC.addProduct(partC, scale)
      weightedD.addProduct(partD, scale)
      j &+= laneCount
    }
    return (
      horizontalSums(plainA, plainB, plainC, plainD) / Float(width),
      horizontalSums(weightedA, weightedB, weightedC, weightedD) / Float(width)
    )
  }

  /// dx of one row, to the bit what ``differentiateFour`` gives.
  @inline(__always)
  private func differentiate(
    _ dy: UnsafePointer<Float>, _ hat: UnsafePointer<Float>, _ inverse: Float,
    into dx: UnsafeMutablePointer<Float>, accumulate: Bool,
    _ dScale: UnsafeMutablePointer<Float>, _ dShift: UnsafeMutablePointer<Float>
  ) {
    let means = meanGradients(dy, hat, dScale, dShift)
    for j in 0..<width {
      let value = (dy[j] * scale[j] - means.plain - hat[j] * means.weighted) * inverse
      dx[j] = accumulate ? dx[j] + value : value
    }
  }

  private func meanGradients(
    _ dy: UnsafePointer<Float>, _ hat: UnsafePointer<Float>,
    _ dScale: UnsafeMutablePointer<Float>, _ dShift: UnsafeMutablePointer<Float>
  ) -> (plain: Float, weighted: Float) {
    var (plain, weighted) = (Lanes(), Lanes())
    for first in stride(from: 0, to: width, by: laneCount) {
      let count = min(laneCount, width - first)
      let (from, scale) = (load(dy + first, count: count), load(scale + first, count: count))
      let part = from * load(hat + first, count: count)
      store(load(dScale + first, count: count) + part, dScale + first, count: count)
      store(load(dShift + first, count: count) + from, dShift + first, count: count)
      plain.addProduct(from, scale)
      weighted.addProduct(part, scale)
    }
    let sums = horizontalSums(plain, weighted, plain, weighted) / Float(width)
    return (sums[0], sums[1])
  }
}
