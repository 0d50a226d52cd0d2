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
      for r in first..<min(first + 4, rows) {
        inverseDeviation?[r] = inverses[r - first]
        normalize(
          x + r * width, means[r - first], inverses[r - first], into: y + r * width,
          normalized: normalized.map { $0 + r * width })
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
    for r in 0..<rows {
      let (hat, from, to) = (normalized + r * width, dy + r * width, dx + r * width)
      let means = meanGradients(from, hat, dScale, dShift)
      let inverse = inverseDeviation[r]
      var j = 0
      while j + laneCount <= width {
        let g = load(from + j) * load(scale + j)
        let value = (g - means.plain - load(hat + j) * means.weighted) * inverse
        store(accumulate ? load(to + j) + value : value, to + j)
        j += laneCount
      }
      while j < width {
        let value = (from[j] * scale[j] - means.plain - hat[j] * means.weighted) * inverse
        to[j] = accumulate ? to[j] + value : value
        j += 1
      }
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
    for j in stride(from: 0, to: whole, by: laneCount) {
      sumA += load(a + j)
      sumB += load(b + j)
      sumC += load(c + j)
      sumD += load(d + j)
    }
    if rest > 0 {
      sumA += load(a + whole, count: rest)
      sumB += load(b + whole, count: rest)
      sumC += load(c + whole, count: rest)
      sumD += load(d + whole, count: rest)
    }
    let means = totals(sumA, sumB, sumC, sumD) / Float(width)
    (sumA, sumB, sumC, sumD) = (Lanes(), Lanes(), Lanes(), Lanes())
    for j in stride(from: 0, to: whole, by: laneCount) {
      addSquare(load(a + j) - means[0], to: &sumA)
      addSquare(load(b + j) - means[1], to: &sumB)
      addSquare(load(c + j) - means[2], to: &sumC)
      addSquare(load(d + j) - means[3], to: &sumD)
    }
    if rest > 0 {
      addSquare(load(a + whole, count: rest, fill: means[0]) - means[0], to: &sumA)
      addSquare(load(b + whole, count: rest, fill: means[1]) - means[1], to: &sumB)
      addSquare(load(c + whole, count: rest, fill: means[2]) - means[2], to: &sumC)
      addSquare(load(d + whole, count: rest, fill: means[3]) - means[3], to: &sumD)
    }
    let variances = totals(sumA, sumB, sumC, sumD) / Float(width)
    return (means, 1 / (variances + epsilon).squareRoot())
  }

  @inline(__always)
  private func addSquare(_ value: Lanes, to sum: inout Lanes) { sum.addProduct(value, value) }

  @inline(__always)
  private func normalize(
    _ row: UnsafePointer<Float>, _ mean: Float, _ inverse: Float,
    into out: UnsafeMutablePointer<Float>, normalized: UnsafeMutablePointer<Float>?
  ) {
    var j = 0
    while j + laneCount <= width {
      let hat = (load(row + j) - mean) * inverse
      if let normalized { store(hat, normalized + j) }
      store(hat * load(scale + j) + load(shift + j), out + j)
      j += laneCount
    }
    while j < width {
      let hat = (row[j] - mean) * inverse
      normalized?[j] = hat
      out[j] = hat * scale[j] + shift[j]
      j += 1
    }
  }

  /// mean(dy ⊙ scale) and mean(dy ⊙ scale ⊙ x̂) of a row, whose part is added to the gradients of
  /// scale and shift.
  @inline(__always)
  private func meanGradients(
    _ dy: UnsafePointer<Float>, _ hat: UnsafePointer<Float>,
    _ dScale: UnsafeMutablePointer<Float>, _ dShift: UnsafeMutablePointer<Float>
  ) -> (plain: Float, weighted: Float) {
    var plain = Lanes()
    var weighted = Lanes()
    var j = 0
    while j + laneCount <= width {
      let (from, hat) = (load(dy + j), load(hat + j))
      store(load(dScale + j) + from * hat, dScale + j)
      store(load(dShift + j) + from, dShift + j)
      let g = from * load(scale + j)
      plain += g
      weighted.addProduct(g, hat)
      j += laneCount
    }
    var (sum, weightedSum) = (total(plain), total(weighted))
    while j < width {
      dScale[j] += dy[j] * hat[j]
      dShift[j] += dy[j]
      sum += dy[j] * scale[j]
      weightedSum += dy[j] * scale[j] * hat[j]
      j += 1
    }
    return (sum / Float(width), weightedSum / Float(width))
  }
}
