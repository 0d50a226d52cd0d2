/// Nyström attention's product with the iterated inverse on the CPU: a sequence and head at a time.
struct NystromKernel {
  private let query: Heads
  private let key: Heads
  private let value: Heads
  private let landmarks: Segments
  private let iterations: Int

  init(
    _ query: Heads, _ key: Heads, _ value: Heads, _ landmarks: Segments, _ iterations: Int
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
  private var paddedWidth: Int { Panels.count(width) * Panels.width }
  private var scale: Float { 1 / Float(width).squareRoot() }
  /// Floats of the iterates and factors of one sequence and head, as long as any.
  private var iterateRoom: Int { 2 * iterations * SquareMatrix.count(landmarks.capacity) }
  /// Floats of the iterates and factors of all sequences and heads.
  var iterateCount: Int { landmarks.count * value.count * iterateRoom }

  /// - Parameters:
  ///   - halfCubes: products of two M × M matrices in each iteration, twice their number: one whose
  ///     result is symmetric counts as a half.
  ///   - squares: products of an M × M with an M × D matrix.
  func measure(_ name: String, halfCubes: Int, squares: Int, _ kernel: () -> Void) {
    let flops = (0..<landmarks.count).reduce(0) {
      let size = landmarks.length($1)
      return $0 + size * size * (halfCubes * iterations * size + 2 * squares * width)
    }
    Meter.shared.measure(
      name, flops: value.count * flops,
      bytes: 4 * 2 * squares * landmarks.rows * value.count * width, kernel)
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

    /// Z after an iteration, in the memory of all iterates.
    func iterate(_ index: Int, _ all: Storage) -> SquareMatrix { matrix(2 * index, all) }

    /// S, which an iteration multiplied Z with.
    func factor(_ index: Int, _ all: Storage) -> SquareMatrix { matrix(2 * index + 1, all) }

    private func matrix(_ index: Int, _ all: Storage) -> SquareMatrix {
      SquareMatrix(size, at: all.pointer + iterates + index * SquareMatrix.count(size))
    }
  }

  /// Rows as a left-hand side [M × D].
  private func left(_ view: Heads, _ place: NystromHead) -> StridedMatrix {
    StridedMatrix(
      base: view.pointer(place.rows.lowerBound, place.head), row: view.stride, column: 1)
  }

  /// Rows as panels [M × D].
  private func pack(_ view: Heads, _ place: NystromHead, _ workspace: Workspace) -> Panels {
    packRows(
      left(view, place).base, row: view.stride, inner: place.size, columns: width,
      into: workspace.panels(place.size, width))
  }

  /// Rows as transposed panels [D × M].
  private func packTransposed(
    _ rows: StridedMatrix, _ place: NystromHead, _ workspace: Workspace, scale: Float = 1
  ) -> Panels {
    Autodiff.packTransposed(
      rows.base, row: rows.row, inner: width, columns: place.size,
      into: workspace.panels(width, place.size), scale: scale)
  }

  // MARK: Forward

  /// - Parameter iterates: where Z after each iteration, and S of each, are kept.
  func forward(into y: Tensor, _ iterates: Storage?) {
    forEachHead { place, workspace in
      let negated = computeMatrix(place, workspace)
      let step = InverseStep(place.size, workspace)
      let spare = (0..<2).map { _ in SquareMatrix(place.size, workspace) }
      let spareFactor = SquareMatrix(place.size, workspace)
      var inverse = spare[1]
      inverse.assignTransposed(negated, times: -1 / largestColumn(negated, workspace).sum)
      for index in 0..<iterations {
        let next = iterates.map { place.iterate(index, $0) } ?? spare[index % 2]
        step.advance(
          negated, inverse, into: next,
          iterates.map { place.factor(index, $0) } ?? spareFactor)
        inverse = next
      }
      multiply(
        rows: place.size, columns: width, inner: place.size, inverse.left,
        pack(value, place, workspace),
        into: y.pointer + place.rows.lowerBound * y.columns + place.head * width, row: y.columns,
        accumulate: false)
    }
  }

  /// N = -α·A for A = softmax(Q·Kᵀ/√D).
  private func computeMatrix(_ place: NystromHead, _ workspace: Workspace) -> SquareMatrix {
    let matrix = SquareMatrix(place.size, workspace)
    let log2e: Float = 1.442_695_04
    matrix.multiply(
      left(query, place), inner: width,
      packTransposed(left(key, place), place, workspace, scale: scale * log2e))
    for i in 0..<matrix.size {
      negateSoftmax(matrix.base + i * matrix.row, matrix.size, matrix.padded)
    }
    return matrix
  }

  /// Replaces scores in units of log 2 by their softmax times -α, and what fills up by zeros.
  private func negateSoftmax(_ row: UnsafeMutablePointer<Float>, _ size: Int, _ padded: Int) {
    for j in size..<padded { row[j] = -.infinity }
    let factor = -InverseStep.scale / exponentiate(row, count: padded).sum
    for j in stride(from: 0, to: padded, by: laneCount) { store(load(row + j) * factor, row + j) }
  }

  /// α·‖A‖₁, and the column with this sum.
  private func largestColumn(
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

  // MARK: Backward

  /// The gradients of Q, K and V.
  func backward(_ dy: Storage, _ iterates: Storage) {
    let targets = HeadTargets([query, key, value])
    let dyStride = value.count * width
    forEachHead { place, workspace in
      let negated = computeMatrix(place, workspace)
      let inverse = place.iterate(iterations - 1, iterates)
      let dyRows = StridedMatrix(
        base: dy.pointer + place.rows.lowerBound * dyStride + place.head * width, row: dyStride,
        column: 1)
      writeProduct(inverse.leftTransposed, dyRows, place, value, 1, targets, workspace)
      let gradient = SquareMatrix(place.size, workspace)
      gradient.multiply(
        left(value, place), inner: width, packTransposed(dyRows, place, workspace))
      let dMatrix = differentiateInverse(negated, place, iterates, gradient, workspace)
      differentiateSoftmax(negated, dMatrix)
      writeProduct(dMatrix.left, left(key, place), place, query, scale, targets, workspace)
      writeProduct(
        dMatrix.leftTransposed, left(query, place), place, key, scale, targets, workspace)
    }
  }

  /// Contributes factor·matrix·rows to the gradient of a view.
  private func writeProduct(
    _ matrix: StridedMatrix, _ rows: StridedMatrix, _ place: NystromHead, _ view: Heads,
    _ factor: Float, _ targets: HeadTargets, _ workspace: Workspace
  ) {
    let panels = packRows(
      rows.base, row: rows.row, inner: place.size, columns: width,
      into: workspace.panels(place.size, width))
    let result = workspace.floats(place.size * paddedWidth)
    multiply(
      rows: place.size, columns: paddedWidth, inner: place.size, matrix, panels, into: result,
      row: paddedWidth, accumulate: false)
    targets.write(
      result, row: paddedWidth, rows: place.rows, view, place.head, factor: factor)
  }

  /// dB, of B = α·A = -N, from dZᵀ of the last iteration. With Z₀ = Bᵀ/c and c = ‖B‖₁ in column k:
  /// ```
  /// dB = -dN + dZ₀ᵀ/c      dB[i, k] -= Σ dZ₀ ⊙ Bᵀ / c²      for all i
  /// ```
  private func differentiateInverse(
    _ negated: SquareMatrix, _ place: NystromHead, _ iterates: Storage,
    _ gradient: SquareMatrix, _ workspace: Workspace
  ) -> SquareMatrix {
    let norm = largestColumn(negated, workspace)
    let first = SquareMatrix(negated.size, workspace)
    first.assignTransposed(negated, times: -1 / norm.sum)
    let step = InverseStep(negated.size, workspace)
    var gradient = gradient
    var dStart = SquareMatrix(negated.size, workspace)
    let dNegated = SquareMatrix(negated.size, workspace)
    let scratch = InverseScratch(negated.size, workspace)
    for index in (0..<iterations).reversed() {
      let start = index == 0 ? first : place.iterate(index - 1, iterates)
      step.backward(
        negated, start, place.factor(index, iterates), gradient, into: dStart, dNegated,
        accumulate: index < iterations - 1, scratch)
      (gradient, dStart) = (dStart, gradient)
    }
    let result = dStart
    let inverse = 1 / norm.sum
    let dNorm = product(gradient, negated) * inverse * inverse
    for i in 0..<result.size {
      for j in 0..<result.size {
        result.base[i * result.row + j] =
          gradient.base[i * result.row + j] * inverse - dNegated.base[j * result.row + i]
      }
      result.base[i * result.row + norm.column] += dNorm
    }
    return result
  }

  /// Σ a ⊙ b.
  private func product(_ a: SquareMatrix, _ b: SquareMatrix) -> Float {
    var sum = Lanes()
    for i in 0..<a.size {
      for j in stride(from: i * a.row, to: i * a.row + a.padded, by: laneCount) {
        sum.addProduct(load(a.base + j), load(b.base + j))
      }
    }
    return total(sum)
  }

  /// Replaces dB by dS = A ⊙ (dA - Σⱼ A ⊙ dA) = B ⊙ (dB - Σⱼ B ⊙ dB / α), row by row.
  private func differentiateSoftmax(_ negated: SquareMatrix, _ dMatrix: SquareMatrix) {
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
