// SPDX-License-Identifier: Apache-2.0

/// Features of random rows ω, for the softmax kernel or the kernel of a rectifier.
///
/// ```
/// x̃ = x/D^¼    u = ω·x̃    φ = exp(u - ‖x̃‖²/2 - shift) + ε    or    φ = max(u, 0) + ε
/// ```
/// Exponents are kept in units of log 2, so that the exponential is a power of two.
struct RandomFeatures: FeatureKernel, KeyExponents {
  enum Kernel {
    case softmax
    case relu
  }

  let count: Int
  let products = (forward: 2, backward: 4)
  let epsilon: Float
  private let kernel: Kernel
  private let width: Int
  private let padded: Int
  private let paddedCount: Int
  /// For each head ωᵀ/D^¼, [D × M], in panels, for the softmax in units of log 2.
  private let forward: Storage
  /// For each head ω, [M × D], in panels.
  private let backward: Storage

  init(_ kernel: Kernel, _ rows: Tensor, _ epsilon: Float, heads: Int, _ width: Int) {
    precondition(
      rows.columns == width && rows.rows > 0 && rows.rows % heads == 0,
      "linearAttention: random features \(rows.shape) for \(heads) heads of \(width)")
    self.kernel = kernel
    self.epsilon = epsilon
    self.width = width
    count = rows.rows / heads
    padded = Panels.padded(width)
    paddedCount = Panels.padded(count)
    forward = Storage(count: heads * Panels.floatCount(inner: width, columns: count))
    backward = Storage(count: heads * Panels.floatCount(inner: count, columns: width))
    let scale = inverseRoot.squareRoot() * (kernel == .softmax ? RandomFeatures.log2e : 1)
    for head in 0..<heads {
      let own = rows.pointer + head * count * width
      Panels.pack(
        transposed: own, stride: width, inner: width, columns: count,
        into: forward.pointer + head * paddedCount * width, scale: scale)
      Panels.pack(
        rows: own, stride: width, inner: count, columns: width,
        into: backward.pointer + head * padded * count)
    }
  }

  private static let log2e: Float = 1.442_695_04
  /// 1/√D, and the square of 1/D^¼.
  private var inverseRoot: Float { 1 / Float(width).squareRoot() }

  /// u, [rows × Mp].
  private func project(_ rows: HeadRows, into result: UnsafeMutablePointer<Float>) {
    gemm(
      rows: rows.rows.count, columns: paddedCount, inner: width,
      StridedMatrix(base: rows.x, rowStride: padded, columnStride: 1),
      Panels(packed: forward.pointer + rows.head * paddedCount * width, inner: width), into: result,
      stride: paddedCount, accumulate: false)
  }

  func write(_ rows: HeadRows, into features: UnsafeMutablePointer<Float>) {
    project(rows, into: features)
    let number = rows.rows.count
    switch kernel {
    case .softmax:
      fillTail(features, number, from: count, to: paddedCount, with: -.infinity)
      raise(rows, features, plus: epsilon)
    case .relu:
      let zero = Lanes()
      for i in stride(from: 0, to: number * paddedCount, by: laneCount) {
        store(lanewiseMax(load(features + i), zero) + epsilon, features + i)
      }
    }
    fillTail(features, number, from: count, to: paddedCount)
  }

  /// Turns u, -∞ beyond M columns, into exp(u - ‖x̃‖²/2 - shift) + ε; u is at most the shift.
  @inline(__always)
  private func raise(
    _ rows: HeadRows, _ features: UnsafeMutablePointer<Float>, plus epsilon: Float
  ) {
    for r in 0..<rows.rows.count {
      let row = features + r * paddedCount
      let offset =
        halfSquare(rows.x + r * padded) + (rows.shift ?? horizontalMax(row, count: paddedCount))
      for j in stride(from: 0, to: paddedCount, by: laneCount) {
        store(exp2(load(row + j) - offset) + epsilon, row + j)
      }
    }
  }

  /// ‖x̃‖²/2 of one row in units of log 2.
  @inline(__always)
  private func halfSquare(_ x: UnsafePointer<Float>) -> Float {
    var squares = Lanes()
    for j in stride(from: 0, to: padded, by: laneCount) {
      squares.addProduct(load(x + j), load(x + j))
    }
    return horizontalSum(squares) * (0.5 * RandomFeatures.log2e * inverseRoot)
  }

  /// With du = dφ ⊙ φ'(u), dx̃ = ωᵀ·du, less x̃·Σ du for the softmax kernel.
  func pullBack(
    _ rows: HeadRows, features: UnsafePointer<Float>, _ gradient: FeatureGradient,
    into dx: UnsafeMutablePointer<Float>
  ) {
    let number = rows.rows.count
    withUnsafeTemporaryAllocation(of: Float.self, capacity: number) { sums in
      for r in 0..<number {
        sums[r] = applySlope(
          features + r * paddedCount, gradient, Lanes(repeating: gradient.factors[r]),
          gradient.matrix + r * paddedCount)
      }
      gemm(
        rows: number, columns: padded, inner: count,
        StridedMatrix(base: gradient.matrix, rowStride: paddedCount, columnStride: 1),
        Panels(packed: backward.pointer + rows.head * padded * count, inner: count), into: dx,
        stride: padded, accumulate: false)
      let scale = inverseRoot.squareRoot()
      for r in 0..<number {
        let factor = kernel == .softmax ? sums[r] * inverseRoot : 0
        for j in stride(from: r * padded, to: (r + 1) * padded, by: laneCount) {
          store(load(dx + j) * scale - load(rows.x + j) * factor, dx + j)
        }
      }
    }
  }

  /// Turns a row of dφ into du.
  ///
  /// - Returns: Σ du.
  @inline(__always)
  private func applySlope(
    _ features: UnsafePointer<Float>, _ gradient: FeatureGradient, _ factor: Lanes,
    _ row: UnsafeMutablePointer<Float>
  ) -> Float {
    var sum = Lanes()
    for j in stride(from: 0, to: paddedCount, by: laneCount) {
      let phi = load(features + j) - epsilon
      let slope =
        kernel == .softmax ? phi : Lanes(repeating: 1).replacing(with: 0, where: phi .<= 0)
      let du = gradient.lanes(factor, row, j) * slope
      sum += du
      store(du, row + j)
    }
    return horizontalSum(sum)
  }
}

// MARK: Keys

extension RandomFeatures {
  var keyExponents: (any KeyExponents)? { kernel == .softmax ? self : nil }

  /// u, whose largest element is the shift.
  func writeExponents(
    _ rows: HeadRows, into exponents: UnsafeMutablePointer<Float>
  ) -> Float {
    project(rows, into: exponents)
    fillTail(exponents, rows.rows.count, from: count, to: paddedCount, with: -.infinity)
    return horizontalMax(exponents, count: rows.rows.count * paddedCount)
  }

  func raise(_ rows: HeadRows, _ exponents: UnsafeMutablePointer<Float>) {
    raise(rows, exponents, plus: 0)
  }
}
