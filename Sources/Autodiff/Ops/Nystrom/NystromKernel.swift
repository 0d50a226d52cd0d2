// SPDX-License-Identifier: Apache-2.0

/// Nyström attention's product with the iterated inverse on the CPU: a sequence and head at a time.
struct NystromKernel {
  private let query: HeadsView
  private let key: HeadsView
  private let value: HeadsView
  private let landmarks: PackedSequences
  private let iterations: Int

  init(
    _ query: HeadsView, _ key: HeadsView, _ value: HeadsView, _ landmarks: PackedSequences,
    _ iterations: Int
  ) {
    precondition(
      query.count == key.count && query.count == value.count && query.width == key.width
        && query.width == value.width,
      "nystromInverse: query, key and value differ in heads or width")
    precondition(
      [query, key, value].allSatisfy { $0.tensor.rows == landmarks.rows },
      "nystromInverse: \(query.tensor.rows) rows for \(landmarks.rows) landmarks")
    precondition(iterations > 0, "nystromInverse: \(iterations) iterations")
    self.query = query
    self.key = key
    self.value = value
    self.landmarks = landmarks
    self.iterations = iterations
  }

  private var width: Int { value.width }
  private var scale: Float { 1 / Float(width).squareRoot() }
  /// Floats of the iterates of one sequence and head, as long as any.
  private var iterateRoom: Int { iterations * InverseIterates.room(landmarks.capacity) }
  /// Floats of the iterates of all sequences and heads.
  var iterateCount: Int { landmarks.count * value.count * iterateRoom }

  /// - Parameters:
  ///   - halfCubes: products of two M × M matrices, twice their number: one whose result is symmetric
  ///     counts as a half.
  ///   - squares: products of an M × M with an M × D matrix.
  ///   - tensors: read or written.
  func measure(
    _ name: String, halfCubes: Int, squares: Int, tensors: Int, _ kernel: () -> Void
  ) {
    let flops = (0..<landmarks.count).reduce(0) {
      let size = landmarks.length($1)
      return $0 + size * size * (halfCubes * size + 2 * squares * width)
    }
    Profiler.shared.measure(
      name, flops: value.count * flops,
      bytes: 4 * tensors * landmarks.rows * value.count * width, kernel)
  }

  /// Runs `body` for all sequences and heads.
  private func forEachHead(_ body: (NystromHead, Workspace) -> Void) {
    landmarks.forEachHead(of: value.count) { sequence, head, workspace in
      body(
        NystromHead(
          rows: landmarks.range(sequence), head: head,
          iterates: (sequence * value.count + head) * iterateRoom), workspace)
    }
  }

  /// The landmarks of one sequence, in one head.
  private struct NystromHead {
    let rows: Range<Int>
    let head: Int
    /// Where its iterates begin.
    let iterates: Int
    var size: Int { rows.count }
  }

  /// The landmarks' rows of a view.
  private func rows(
    _ view: HeadsView, _ place: NystromHead, _ workspace: Workspace
  ) -> LandmarkRows {
    let rows = LandmarkRows(place.size, width: width, workspace)
    rows.copy(view.pointer(place.rows.lowerBound, place.head), row: view.stride)
    return rows
  }

  // MARK: Forward

  /// - Parameter iterates: where Z, V and S of each iteration are kept.
  func forward(into y: Tensor, _ iterates: Storage?) {
    forEachHead { place, workspace in
      let start = InverseStart(
        rows(query, place, workspace), rows(key, place, workspace), scale, workspace)
      let kept = InverseIterates(
        place.size, at: iterates.map { $0.pointer + place.iterates }, workspace)
      let step = InverseStep(place.size, workspace)
      start.writeInverse(into: kept.inverse(0))
      for index in 0..<iterations {
        if index > 0 {
          kept.inverse(index).multiply(kept.inverse(index - 1), kept.factor(index - 1))
        }
        step.advance(
          index, start.negated, kept.inverse(index), into: kept.power(index), kept.factor(index))
      }
      let product = LandmarkRows(place.size, width: width, workspace)
      product.multiply(kept.factor(iterations - 1).left, rows(value, place, workspace))
      gemm(
        rows: place.size, columns: width, inner: place.size, kept.inverse(iterations - 1).left,
        product.panels, into: y.pointer + place.rows.lowerBound * y.columns + place.head * width,
        stride: y.columns, accumulate: false)
    }
  }

  // MARK: Backward

  /// The gradients of Q, K and V.
  func backward(_ dy: Storage, _ iterates: Storage) {
    let targets = HeadTargets([query, key, value])
    let dyStride = value.count * width
    forEachHead { place, workspace in
      let (queries, keys) = (rows(query, place, workspace), rows(key, place, workspace))
      let start = InverseStart(queries, keys, scale, workspace)
      let kept = InverseIterates(
        place.size, at: iterates.pointer + place.iterates, workspace)
      let dyRows = LandmarkRows(place.size, width: width, workspace)
      dyRows.copy(
        dy.pointer + place.rows.lowerBound * dyStride + place.head * width, row: dyStride)
      let (dValues, dScores) = differentiate(
        start, kept, rows(value, place, workspace), dyRows, workspace)
      write(dValues, place, value, 1, targets)
      dyRows.multiply(dScores.left, keys)
      write(dyRows, place, query, scale, targets)
      dyRows.multiply(dScores.leftTransposed, queries)
      write(dyRows, place, key, scale, targets)
    }
  }

  /// Goes back through Y = Z·(S·X) of the last iteration, and through all before it.
  ///
  /// Gradients of Z, V and N are kept transposed; then no product needs a transposed factor:
  /// ```
  /// dNᵀ += Z·dVᵀ      dZᵀ = S·dZ′ᵀ + dVᵀ·N, or P·dYᵀ + dVᵀ·N in the last iteration, where P = S·X
  /// ```
  /// - Returns: the gradients of the values X and of the scores Q·Kᵀ/√D.
  private func differentiate(
    _ start: InverseStart, _ kept: InverseIterates, _ values: LandmarkRows,
    _ dyRows: LandmarkRows, _ workspace: Workspace
  ) -> (values: LandmarkRows, scores: SquareMatrix) {
    let step = InverseStep(values.count, workspace)
    let room = { LandmarkRows(values.count, width: width, workspace) }
    let (product, dProduct, dValues) = (room(), room(), room())
    let last = iterations - 1
    product.multiply(kept.factor(last).left, values)
    dProduct.multiply(kept.inverse(last).leftTransposed, dyRows)
    dValues.multiply(kept.factor(last).leftTransposed, dProduct)
    var gradient = SquareMatrix(values.count, workspace)
    var spare = SquareMatrix(values.count, workspace)
    let dNegated = SquareMatrix(values.count, workspace)
    dNegated.clear()
    gradient.multiply(product, transposed: dyRows, workspace)
    var dPower = step.differentiate(last, dProduct, values, kept.power(last), workspace)
    for index in (0..<last).reversed() {
      dNegated.multiply(kept.inverse(index + 1), dPower, accumulate: true)
      gradient.multiply(dPower, start.negated, accumulate: true)
      dPower = step.differentiate(index, gradient, kept.inverse(index), kept.power(index))
      spare.multiply(kept.factor(index), gradient)
      (gradient, spare) = (spare, gradient)
    }
    spare.multiply(dPower, start.negated)
    return (dValues, start.differentiate(gradient, spare, dNegated))
  }

  private func write(
    _ rows: LandmarkRows, _ place: NystromHead, _ view: HeadsView, _ factor: Float,
    _ targets: HeadTargets
  ) {
    targets.write(
      rows.base, row: rows.row, rows: place.rows, view, place.head, factor: factor)
  }
}

/// What the iteration starts with: N = -B for B = α·softmax(Q·Kᵀ/√D), and Z₀ = Bᵀ/c with c = ‖B‖₁.
private struct InverseStart {
  let negated: SquareMatrix
  /// c.
  private let norm: Float
  /// The column whose sum is c.
  private let column: Int

  init(_ queries: LandmarkRows, _ keys: LandmarkRows, _ scale: Float, _ workspace: Workspace) {
    negated = SquareMatrix(queries.count, workspace)
    negated.multiply(
      queries, transposed: keys, scale: scale * AttentionKernel.log2e, workspace)
    for i in 0..<negated.size {
      Self.negateSoftmax(negated.base + i * negated.row, negated.size, negated.padded)
    }
    (column, norm) = Self.largestColumn(negated, workspace)
  }

  /// Z₀.
  func writeInverse(into inverse: SquareMatrix) {
    inverse.assignTransposed(negated, times: -1 / norm)
  }

  /// Replaces scores in units of log 2 by their softmax times -α, and what fills up by zeros.
  private static func negateSoftmax(
    _ row: UnsafeMutablePointer<Float>, _ size: Int, _ padded: Int
  ) {
    for j in size..<padded { row[j] = -.infinity }
    let factor = -InverseStep.scale / exponentiate(row, count: padded).sum
    for j in stride(from: 0, to: padded, by: laneCount) { store(load(row + j) * factor, row + j) }
  }

  private static func largestColumn(
    _ negated: SquareMatrix, _ workspace: Workspace
  ) -> (column: Int, sum: Float) {
    let sums = workspace.zeros(negated.padded)
    for i in 0..<negated.size {
      let row = negated.base + i * negated.row
      for j in 0..<negated.padded { sums[j] -= row[j] }
    }
    let column = (0..<negated.size).max { sums[$0] < sums[$1] } ?? 0
    return (column, sums[column])
  }

  /// The gradient of the scores, in `gradient`.
  ///
  /// With G = dZ₀ᵀ but for what comes through V₀ = N·Z₀ + …, X = dV₀·N, which is that, and dN of all
  /// later V:
  /// ```
  /// dB = (G + 2·X)/c - dN      dB[i, k] += Σ (G + X) ⊙ N / c²      for all i
  /// ```
  /// where c is the sum of column k; X counts twice, since Z₀ is N's transpose but for a factor.
  func differentiate(
    _ gradient: SquareMatrix, _ powerPart: SquareMatrix, _ dNegated: SquareMatrix
  ) -> SquareMatrix {
    let factor = 1 / norm
    let dNorm =
      (gradient.innerProduct(negated) + powerPart.innerProduct(negated)) * factor * factor
    gradient.forEachTransposed(dNegated) { place, mirrored in
      let sum = load(gradient.base + place).addingProduct(load(powerPart.base + place), 2)
      store(sum * factor - mirrored, gradient.base + place)
    }
    for i in 0..<negated.size { gradient.base[i * gradient.row + column] += dNorm }
    differentiateSoftmax(gradient)
    return gradient
  }

  /// Replaces dB by A ⊙ (dA - Σⱼ A ⊙ dA) = B ⊙ (dB - Σⱼ B ⊙ dB / α), row by row.
  private func differentiateSoftmax(_ dMatrix: SquareMatrix) {
    for i in 0..<negated.size {
      let n = negated.base + i * negated.row
      let d = dMatrix.base + i * negated.row
      var delta: Float = 0
      for j in 0..<negated.size { delta -= n[j] * d[j] }
      delta /= InverseStep.scale
      for j in 0..<negated.size { d[j] = n[j] * (delta - d[j]) }
    }
  }
}

/// Where Z, V and S of all iterations of one sequence and head are; Z as each begins.
private struct InverseIterates {
  private let base: UnsafeMutablePointer<Float>
  private let size: Int
  /// Iterations that have a place of their own; others take it over from those before.
  private let kept: Int

  /// - Parameter base: room for all iterations; nil for scratch memory of two.
  init(_ size: Int, at base: UnsafeMutablePointer<Float>?, _ workspace: Workspace) {
    self.size = size
    self.base = base ?? workspace.floats(2 * Self.room(size))
    kept = base == nil ? 2 : .max
  }

  /// Floats of an iteration.
  static func room(_ size: Int) -> Int { 3 * SquareMatrix.count(size) }

  private func matrix(_ index: Int, _ place: Int) -> SquareMatrix {
    SquareMatrix(
      size, at: base + index % kept * Self.room(size) + place * SquareMatrix.count(size))
  }

  func inverse(_ index: Int) -> SquareMatrix { matrix(index, 0) }
  func power(_ index: Int) -> SquareMatrix { matrix(index, 1) }
  func factor(_ index: Int) -> SquareMatrix { matrix(index, 2) }
}
