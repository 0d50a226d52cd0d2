import Foundation

/// The sort of blocks on the CPU: a sequence and head at a time.
///
/// After any number of half steps S = S₀ - u·1ᵀ - 1·vᵀ, so only the logarithms u and v have to be
/// kept:
/// ```
/// uᵢ = log Σⱼ exp(S₀ - v)ᵢⱼ      vⱼ = log Σᵢ exp(S₀ - u)ᵢⱼ
/// ```
struct SinkhornKernel {
  private let scores: Tensor
  private let sequences: Segments
  private let heads: Int
  private let iterations: Int
  private let temperature: Float
  /// C, the most blocks.
  private let columns: Int

  init(
    _ scores: Tensor, _ sequences: Segments, _ heads: Int, _ iterations: Int, _ temperature: Float
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
    columns = scores.columns / heads
  }

  /// C rounded up to whole vectors.
  private var paddedColumns: Int { (columns + laneCount - 1) / laneCount * laneCount }
  /// Floats of u and v of every iteration, sequence and head.
  var logSumCount: Int { sequences.count * heads * iterations * 2 * paddedColumns }

  func measure(_ name: String, passes: Int, _ body: () -> Void) {
    let places = (0..<sequences.count).reduce(0) {
      $0 + sequences.length($1) * sequences.length($1)
    }
    Meter.shared.measure(
      name, flops: 3 * passes * heads * places, bytes: 4 * 3 * scores.count, body)
  }

  private func forEachHead(_ body: (SinkhornHead, Workspace) -> Void) {
    sequences.forEachHead(of: heads) { sequence, head, workspace in
      let size = sequences.length(sequence)
      let padded = (size + laneCount - 1) / laneCount * laneCount
      body(
        SinkhornHead(
          sequence: sequence, head: head, size: size, padded: padded,
          offset: sequences.offsets[sequence] * heads * columns + head * columns,
          row: heads * columns, matrix: workspace.floats(size * padded)),
        workspace)
    }
  }

  /// u and v of one iteration.
  private func logSums(
    _ storage: Storage, _ place: SinkhornHead, _ iteration: Int
  ) -> (u: UnsafeMutablePointer<Float>, v: UnsafeMutablePointer<Float>) {
    let index = (place.sequence * heads + place.head) * iterations + iteration
    let u = storage.pointer + index * 2 * paddedColumns
    return (u, u + paddedColumns)
  }

  // MARK: Forward

  func forward(
    into y: Storage, _ scaled: Storage, _ logSums: Storage, _ noise: GumbelNoise?
  ) {
    y.clear()
    forEachHead { place, workspace in
      scale(place, into: scaled, noise)
      place.loadMatrix(scaled)
      var sums = (u: workspace.floats(0), v: workspace.zeros(place.padded))
      for iteration in 0..<iterations {
        let next = self.logSums(logSums, place, iteration)
        place.sumRows(sums.v, into: next.u)
        place.sumColumns(next.u, into: next.v)
        sums = next
      }
      for i in 0..<place.size {
        let to = y.pointer + place.offset + i * place.row
        for j in stride(from: 0, to: place.padded, by: laneCount) {
          let p = exp(load(place.matrix + i * place.padded + j) - sums.u[i] - load(sums.v + j))
          store(p, to + j, count: min(laneCount, place.size - j))
        }
      }
    }
  }

  /// S₀ = (R + G)/τ.
  private func scale(_ place: SinkhornHead, into scaled: Storage, _ noise: GumbelNoise?) {
    for i in 0..<place.size {
      let at = place.offset + i * place.row
      for j in 0..<place.size {
        let gumbel = noise?.value(
          sequence: place.sequence, head: place.head, row: i, column: j)
        scaled.pointer[at + j] = (scores.pointer[at + j] + (gumbel ?? 0)) / temperature
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
  func backward(_ dy: Storage, _ result: Storage, _ scaled: Storage, _ logSums: Storage) {
    guard let target = scores.node?.target() else { return }
    if !target.accumulate { target.pointer.update(repeating: 0, count: scores.count) }
    forEachHead { place, workspace in
      place.loadMatrix(scaled)
      let gradient = SinkhornGradient(place, workspace)
      gradient.start(dy, result)
      let zeros = workspace.zeros(place.padded)
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
  let matrix: UnsafeMutablePointer<Float>

  /// Copies S₀; what fills rows up is so low that its exponential is zero.
  func loadMatrix(_ scaled: Storage) {
    for i in 0..<size {
      let to = matrix + i * padded
      to.update(from: scaled.pointer + offset + i * row, count: size)
      (to + size).update(repeating: -1e30, count: padded - size)
    }
  }

  /// uᵢ = log Σⱼ exp(S₀ - v).
  func sumRows(_ v: UnsafePointer<Float>, into u: UnsafeMutablePointer<Float>) {
    for i in 0..<size {
      let from = matrix + i * padded
      var high = Lanes(repeating: -.infinity)
      for j in stride(from: 0, to: padded, by: laneCount) {
        high = larger(high, load(from + j) - load(v + j))
      }
      let maximum = largest(high)
      var sum = Lanes()
      for j in stride(from: 0, to: padded, by: laneCount) {
        sum += exp(load(from + j) - load(v + j) - maximum)
      }
      u[i] = maximum + Foundation.log(total(sum))
    }
  }

  /// vⱼ = log Σᵢ exp(S₀ - u); zero where columns only fill up.
  func sumColumns(_ u: UnsafePointer<Float>, into v: UnsafeMutablePointer<Float>) {
    for j in stride(from: 0, to: padded, by: laneCount) {
      var high = Lanes(repeating: -.infinity)
      for i in 0..<size { high = larger(high, load(matrix + i * padded + j) - u[i]) }
      var sum = Lanes()
      for i in 0..<size { sum += exp(load(matrix + i * padded + j) - u[i] - high) }
      for lane in 0..<laneCount {
        v[j + lane] = j + lane < size ? high[lane] + Foundation.log(sum[lane]) : 0
      }
    }
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
      for j in 0..<place.size {
        let value = dy.pointer[at + j] * result.pointer[at + j]
        dMatrix[i * place.padded + j] = value
        du[i] -= value
        dv[j] -= value
      }
    }
  }

  /// Through v = log Σᵢ exp(S₀ - u): `dv` is used, `du` grows.
  func throughColumns(u: UnsafePointer<Float>, v: UnsafePointer<Float>) {
    for i in 0..<place.size {
      var sum = Lanes()
      for j in stride(from: 0, to: place.padded, by: laneCount) {
        let at = i * place.padded + j
        let part = exp(load(place.matrix + at) - u[i] - load(v + j)) * load(dv + j)
        store(load(dMatrix + at) + part, dMatrix + at)
        sum += part
      }
      du[i] -= total(sum)
    }
  }

  /// Through u = log Σⱼ exp(S₀ - v′): `du` is used, `dv` becomes that of v′.
  func throughRows(u: UnsafePointer<Float>, before: UnsafePointer<Float>) {
    dv.update(repeating: 0, count: place.padded)
    for i in 0..<place.size {
      for j in stride(from: 0, to: place.padded, by: laneCount) {
        let at = i * place.padded + j
        let part = exp(load(place.matrix + at) - u[i] - load(before + j)) * du[i]
        store(load(dMatrix + at) + part, dMatrix + at)
        store(load(dv + j) - part, dv + j)
      }
    }
    du.update(repeating: 0, count: place.size)
  }
}
