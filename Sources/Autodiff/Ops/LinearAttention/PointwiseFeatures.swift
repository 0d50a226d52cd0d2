// SPDX-License-Identifier: Apache-2.0

/// Features that are a function of one element each.
struct PointwiseFeatures: FeatureKernel {
  enum Function {
    case eluPlusOne
    case relu(Float)
  }

  let count: Int
  let products = (forward: 0, backward: 0)
  private let function: Function
  private let padded: Int

  init(_ function: Function, width: Int) {
    self.function = function
    count = width
    padded = Panels.padded(width)
  }

  func write(_ rows: HeadRows, into features: UnsafeMutablePointer<Float>) {
    let elements = rows.rows.count * padded
    switch function {
    case .eluPlusOne:
      for i in stride(from: 0, to: elements, by: laneCount) {
        store(eluPlusOne(load(rows.x + i)), features + i)
      }
    case .relu(let epsilon):
      for i in stride(from: 0, to: elements, by: laneCount) {
        store(lanewiseMax(load(rows.x + i), Lanes()) + epsilon, features + i)
      }
    }
    fillTail(features, rows.rows.count, from: count, to: padded)
  }

  /// elu(x) + 1 = max(x, 0) + exp(min(x, 0)).
  @inline(__always)
  private func eluPlusOne(_ x: Lanes) -> Lanes {
    lanewiseMax(x, Lanes()) + exp(-lanewiseMax(-x, Lanes()))
  }

  func pullBack(
    _ rows: HeadRows, features: UnsafePointer<Float>, _ gradient: FeatureGradient,
    into dx: UnsafeMutablePointer<Float>
  ) {
    for r in 0..<rows.rows.count {
      let factor = Lanes(repeating: gradient.factors[r])
      let first = r * padded
      for j in stride(from: 0, to: padded, by: laneCount) {
        let d = gradient.lanes(factor, gradient.matrix + first, j)
        switch function {
        case .eluPlusOne:  // φ' = 1 where x > 0, so φ > 1, and φ elsewhere
          let phi = load(features + first + j)
          store(d * phi.replacing(with: 1, where: phi .> 1), dx + first + j)
        case .relu:
          store(d.replacing(with: 0, where: load(rows.x + first + j) .<= 0), dx + first + j)
        }
      }
    }
  }
}
