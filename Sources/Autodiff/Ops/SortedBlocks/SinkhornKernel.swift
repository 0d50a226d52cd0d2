// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The sort of blocks on the CPU: a sequence and head at a time.
///
/// After any number of half steps S = S₀ - u·1ᵀ - 1·vᵀ, so only the logarithms u and v have to be
/// kept:
/// ```
/// uᵢ = log Σⱼ exp(S₀ - v)ᵢⱼ      vⱼ = log Σᵢ exp(S₀ - u)ᵢⱼ
/// ```
/// All three grow with the scores, while S does not, so they are doubles; only S is rounded to floats,
/// whose exponentials are taken.
struct SinkhornKernel {
  private let scores: Tensor
  private let sequences: PackedSequences
  private let heads: Int
  private let iterations: Int
  private let temperature: Float
  private let noise: GumbelNoise?
  /// C, the most blocks.
  private let columns: Int

  init(
    _ scores: Tensor, _ sequences: PackedSequences, _ heads: Int, _ iterations: Int,
    _ temperature: Float,
    _ noise: GumbelNoise?
  ) {
    precondition(
      scores.rows == sequences.rows && scores.columns % heads == 0
        && sequences.longest <= scores.columns / heads,
      "sinkhornSort: \(scores.shape) for \(heads) heads and up to \(sequences.longest) blocks")
    precondition(
      iterations > 0 && temperature > 0,
      "sinkhornSort: \(iterations) iterations at temperature \(temperature)")
    self.scores = scores
    self.sequences = sequences
    self.heads = heads
    self.iterations = iterations
    self.temperature = temperature
    self.noise = noise
    columns = scores.columns / heads
  }

  /// C rounded up to whole vectors.
  private var paddedColumns: Int { (columns + laneCount - 1) / laneCount * laneCount }
  /// Doubles of u and v of every iteration, sequence and head.
  var logSumCount: Int { sequences.count * heads * iterations * 2 * paddedColumns }

  func measure(_ name: String, passes: Int, _ body: () -> Void) {
    let places = (0..<sequences.count).reduce(0) {
      $0 + sequences.length($1) * sequences.length($1)
    }
    Profiler.shared.measure(
      name, flops: 3 * passes * heads * places, bytes: 4 * 3 * scores.count, body)
  }

  /// Calls `body` with S₀ of every sequence and head.
  private func forEachHead(_ body: (SinkhornHead, Workspace) -> Void) {
    sequences.forEachHead(of: heads) { sequence, head, workspace in
      let size = sequences.length(sequence)
      let padded = (size + laneCount - 1) / laneCount * laneCount
      let place = SinkhornHead(
        sequence: sequence, head: head, size: size, padded: padded,
        offset: sequences.offsets[sequence] * heads * columns + head * columns,
        row: heads * columns, matrix: workspace.doubles(size * padded),
        exponents: workspace.floats(padded), sums: workspace.floats(padded))
      scale(into: place)
      body(place, workspace)
    }
  }

  /// S₀ = (R + G)/τ; what fills rows up is so low that its exponential is zero.
  private func scale(into place: SinkhornHead) {
    for i in 0..<place.size {
      let from = scores.pointer + place.offset + i * place.row
      let to = place.matrix + i * place.padded
      for j in 0..<place.size {
        let gumbel = noise?.value(sequence: place.sequence, head: place.head, row: i, column: j)
        to[j] = (Double(from[j]) + Double(gumbel ?? 0)) / Double(temperature)
      }
      (to + place.size).update(repeating: -1e30, count: place.padded - place.size)
    }
  }

  /// u and v of one iteration.
  private func logSums(
    _ storage: Storage, _ place: SinkhornHead, _ iteration: Int
  ) -> (u: UnsafeMutablePointer<Double>, v: UnsafeMutablePointer<Double>) {
    let index = (place.sequence * heads + place.head) * iterations + iteration
    let u = storage.doubles + index * 2 * paddedColumns
    return (u, u + paddedColumns)
  }

  // MARK: Forward

  func forward(into y: Storage, _ logSums: Storage) {
    y.clear()
    forEachHead { place, workspace in
      var before = workspace.zeroDoubles(place.padded)
      for iteration in 0..<iterations {
        let (u, v) = self.logSums(logSums, place, iteration)
        place.sumRows(before, into: u)
        place.sumColumns(u, into: v)
        before = v
      }
      let (u, v) = self.logSums(logSums, place, iterations - 1)
      for i in 0..<place.size {
        let to = y.pointer + place.offset + i * place.row
        place.powers(i, u[i], v) { j, p in
          store(p, to + j, count: min(laneCount, place.size - j))
        }
      }
    }
  }

  // MARK: Backward

  /// Goes back through P = exp(S₀ - u - v), then through every v and u.
  ///
  /// ```
  /// dS = dP ⊙ P    du = -Σⱼ dS    dv = -Σᵢ dS
  /// V = exp(S₀ - u - v):    dS += V·dv    du -= Σⱼ V·dv
  /// U = exp(S₀ - u - v′):   dS += U·du    dv′ = -Σᵢ U·du
  /// ```
  /// where v′ belongs to the iteration before, or is 0.
  func backward(_ dy: Storage, _ result: Storage, _ logSums: Storage) {
    guard let target = scores.node?.target() else { return }
    if !target.accumulate { target.pointer.update(repeating: 0, count: scores.count) }
    forEachHead { place, workspace in
      let gradient = SinkhornGradient(place, workspace)
      gradient.start(dy, result)
      let zeros = workspace.zeroDoubles(place.padded)
      for iteration in (0..<iterations).reversed() {
        let (u, v) = self.logSums(logSums, place, iteration)
        let before = iteration > 0 ? self.logSums(logSums, place, iteration - 1).v : zeros
        gradient.throughColumns(u: u, v: v)
        gradient.throughRows(u: u, before: before)
      }
      for i in 0..<place.size {
        let to = target.pointer + place.offset + i * place.row
        for j in 0..<place.size { to[j] += gradient.dMatrix[i * place.padded + j] / temperature }
      }
    }
  }
}

/// One sequence and head: where its rows lie, and S₀ with rows of whole vectors.
private struct SinkhornHead {
  let sequence: Int
  let head: Int
  /// n, its blocks.
  let size: Int
  let padded: Int
  /// The first float of its rows in a tensor [blocks, H·C], and floats from one row to the next.
  let offset: Int
  let row: Int
  /// S₀, [n, n rounded up to whole vectors].
  let matrix: UnsafeMutablePointer<Double>
  /// Room for a row.
  let exponents: UnsafeMutablePointer<Float>
  let sums: UnsafeMutablePointer<Float>

  /// Calls `body` with exp(S₀ - u - v) of one row, sixteen at a time, and their first column.
  @inline(__always)
  func powers(
    _ i: Int, _ u: Double, _ v: UnsafePointer<Double>, _ body: (Int, Lanes) -> Void
  ) {
    let from = matrix + i * padded
    for j in 0..<padded { exponents[j] = Float(from[j] - u - v[j]) }
    for j in stride(from: 0, to: padded, by: laneCount) { body(j, exp(load(exponents + j))) }
  }

  /// uᵢ = log Σⱼ exp(S₀ - v).
  func sumRows(_ v: UnsafePointer<Double>, into u: UnsafeMutablePointer<Double>) {
    for i in 0..<size {
      let from = matrix + i * padded
      var high = -Double.infinity
      for j in 0..<size { high = max(high, from[j] - v[j]) }
      var sum = Lanes()
      powers(i, high, v) { _, power in sum += power }
      u[i] = high + Foundation.log(Double(horizontalSum(sum)))
    }
  }

  /// vⱼ = log Σᵢ exp(S₀ - u); zero where columns only fill up.
  func sumColumns(_ u: UnsafePointer<Double>, into v: UnsafeMutablePointer<Double>) {
    v.update(repeating: -.infinity, count: padded)
    for i in 0..<size {
      let from = matrix + i * padded
      for j in 0..<padded { v[j] = max(v[j], from[j] - u[i]) }
    }
    sums.update(repeating: 0, count: padded)
    for i in 0..<size {
      powers(i, u[i], v) { j, power in store(load(sums + j) + power, sums + j) }
    }
    for j in 0..<size { v[j] += Foundation.log(Double(sums[j])) }
    (v + size).update(repeating: 0, count: padded - size)
  }
}

/// The gradients of S₀, u and v of one sequence and head.
private struct SinkhornGradient {
  private let place: SinkhornHead
  let dMatrix: UnsafeMutablePointer<Float>
  private let du: UnsafeMutablePointer<Float>
  private let dv: UnsafeMutablePointer<Float>

  init(_ place: SinkhornHead, _ workspace: Workspace) {
    self.place = place
    dMatrix = workspace.zeros(place.size * place.padded)
    du = workspace.zeros(place.size)
    dv = workspace.zeros(place.padded)
  }

  /// dS = dP ⊙ P and the sums of its rows and columns.
  func start(_ dy: Storage, _ result: Storage) {
    for i in 0..<place.size {
      let at = place.offset + i * place.row
      let (d, y) = (dy.pointer + at, result.pointer + at)
      for j in 0..<place.size {
        let value = d[j] * y[j]
        dMatrix[i * place.padded + j] = value
        du[i] -= value
        dv[j] -= value
      }
    }
  }

  /// Through v = log Σᵢ exp(S₀ - u): `dv` is used, `du` grows.
  func throughColumns(u: UnsafePointer<Double>, v: UnsafePointer<Double>) {
    for i in 0..<place.size {
      var sum = Lanes()
      place.powers(i, u[i], v) { j, power in
        let at = dMatrix + i * place.padded + j
        let part = power * load(dv + j)
        store(load(at) + part, at)
        sum += part
      }
      du[i] -= horizontalSum(sum)
    }
  }

  /// Through u = log Σⱼ exp(S₀ - v′): `du` is used, `dv` becomes that of v′.
  func throughRows(u: UnsafePointer<Double>, before: UnsafePointer<Double>) {
    dv.update(repeating: 0, count: place.padded)
    for i in 0..<place.size {
      place.powers(i, u[i], before) { j, power in
        let at = dMatrix + i * place.padded + j
        let part = power * du[i]
        store(load(at) + part, at)
        store(load(dv + j) - part, dv + j)
      }
    }
    du.update(repeating: 0, count: place.size)
  }
}
