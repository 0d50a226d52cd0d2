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
    for r in 0..<rows {
      let row = x + r * width
      let (mean, inverse) = statistics(row)
      inverseDeviation?[r] = inverse
      let out = y + r * width
      if let normalized {
        let hat = normalized + r * width
        for j in 0..<width {
          let value = (row[j] - mean) * inverse
          hat[j] = value
          out[j] = value * scale[j] + shift[j]
        }
      } else {
        for j in 0..<width { out[j] = (row[j] - mean) * inverse * scale[j] + shift[j] }
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
      let hat = normalized + r * width
      let from = dy + r * width
      for j in 0..<width {
        dScale[j] += from[j] * hat[j]
        dShift[j] += from[j]
      }
      let (sumG, sumGHat) = sums(from, hat)
      let meanG = sumG / Float(width)
      let meanGHat = sumGHat / Float(width)
      let inverse = inverseDeviation[r]
      let to = dx + r * width
      if accumulate {
        for j in 0..<width {
          to[j] += (from[j] * scale[j] - meanG - hat[j] * meanGHat) * inverse
        }
      } else {
        for j in 0..<width {
          to[j] = (from[j] * scale[j] - meanG - hat[j] * meanGHat) * inverse
        }
      }
    }
  }

  private func statistics(_ row: UnsafePointer<Float>) -> (mean: Float, inverse: Float) {
    var sums = Lanes()
    var j = 0
    while j + laneCount <= width {
      sums += load(row + j)
      j += laneCount
    }
    if j < width { sums += load(row + j, count: width - j) }
    let mean = total(sums) / Float(width)
    var squares = Lanes()
    j = 0
    while j + laneCount <= width {
      let d = load(row + j) - mean
      squares.addProduct(d, d)
      j += laneCount
    }
    if j < width {
      let d = load(row + j, count: width - j, fill: mean) - mean
      squares.addProduct(d, d)
    }
    return (mean, 1 / (total(squares) / Float(width) + epsilon).squareRoot())
  }

  /// Σ dy·scale and Σ dy·scale·x̂ over one row.
  @inline(__always)
  private func sums(
    _ dy: UnsafePointer<Float>, _ hat: UnsafePointer<Float>
  ) -> (plain: Float, weighted: Float) {
    var plain = Lanes()
    var weighted = Lanes()
    var j = 0
    while j + laneCount <= width {
      let g = load(dy + j) * load(scale + j)
      plain += g
      weighted.addProduct(g, load(hat + j))
      j += laneCount
    }
    if j < width {
      let rest = width - j
      let g = load(dy + j, count: rest) * load(scale + j, count: rest)
      plain += g
      weighted.addProduct(g, load(hat + j, count: rest))
    }
    return (total(plain), total(weighted))
  }
}
