/// Linear attention on the CPU: a tile of rows at a time through features, state and result.
///
/// The state of one sequence and head is S, a matrix [D × P] where P is D rounded up to whole
/// panels, and behind it z, D floats.
struct LinearAttentionKernel {
  private let query: Heads
  private let key: Heads
  private let value: Heads
  private let segments: Segments
  private let epsilon: Float

  init(
    _ query: Heads, _ key: Heads, _ value: Heads, _ segments: Segments, _ epsilon: Float
  ) {
    precondition(
      query.count == key.count && query.count == value.count && query.width == key.width
        && query.width == value.width,
      "linearAttention: query, key and value differ in heads or width")
    precondition(
      [query, key, value].allSatisfy { $0.tensor.rows == segments.rows },
      "linearAttention: \(query.tensor.rows) rows for segments of \(segments.rows)")
    self.query = query
    self.key = key
    self.value = value
    self.segments = segments
    self.epsilon = epsilon
  }

  private var heads: Int { query.count }
  private var width: Int { query.width }
  /// P; the columns beyond D are zero.
  private var padded: Int { Panels.count(width) * Panels.width }
  private var matrixCount: Int { width * padded }
  var stateCount: Int { matrixCount + width }

  func measure(_ name: String, products: Int, _ kernel: () -> Void) {
    Meter.shared.measure(
      name, flops: products * 2 * segments.rows * heads * width * width,
      bytes: 4 * segments.rows * heads * width * 2 * products, kernel)
  }

  /// The heads of one sequence that are worked on together, and their states.
  private struct Piece {
    let sequence: Int
    let heads: Range<Int>
    let states: UnsafeMutablePointer<Float>
    let stateCount: Int

    func state(_ head: Int) -> UnsafeMutablePointer<Float> {
      states + (head - heads.lowerBound) * stateCount
    }
  }

  /// Runs `body` for all sequences and heads.
  ///
  /// The heads of a row lie side by side in memory, so a piece takes all of them unless there are
  /// too few sequences for the threads.
  private func forEachPiece(_ states: Storage, _ body: (Piece, Workspace) -> Void) {
    let together = segments.count >= 2 * Workers.shared.count ? heads : 1
    let order = segments.longestFirst
    let perSequence = heads / together
    parallel(order.count * perSequence) { index, workspace in
      let sequence = order[index / perSequence]
      let first = index % perSequence * together
      let piece = Piece(
        sequence: sequence, heads: first..<first + together,
        states: states.pointer + (sequence * heads + first) * stateCount, stateCount: stateCount)
      body(piece, workspace)
    }
  }

  private func tiles(_ sequence: Int) -> [Range<Int>] {
    let rows = segments.range(sequence)
    return stride(from: rows.lowerBound, to: rows.upperBound, by: tileRows).map {
      $0..<min(rows.upperBound, $0 + tileRows)
    }
  }

  // MARK: Forward

  func forward(into y: Tensor, _ states: Storage) {
    forEachPiece(states) { piece, workspace in
      sumStates(piece, workspace)
      let features = workspace.floats(tileRows * width)
      let result = workspace.floats(tileRows * padded)
      for rows in tiles(piece.sequence) {
        for head in piece.heads {
          let state = piece.state(head)
          computeFeatures(query, rows, head, into: features)
          multiplyState(features, rows.count, state, into: result)
          for (r, row) in rows.enumerated() {
            let inverse = 1 / (dot(features + r * width, state + matrixCount) + epsilon)
            let to = y.pointer + row * y.columns + head * width
            for j in 0..<width { to[j] = result[r * padded + j] * inverse }
          }
        }
      }
    }
  }

  /// S = Σ φ(k)·vᵀ and z = Σ φ(k).
  private func sumStates(_ piece: Piece, _ workspace: Workspace) {
    let features = workspace.floats(tileRows * width)
    let values = workspace.floats(tileRows * padded)
    piece.states.update(repeating: 0, count: piece.heads.count * stateCount)
    for rows in tiles(piece.sequence) {
      for head in piece.heads {
        computeFeatures(key, rows, head, into: features)
        let panels = packRows(
          value.pointer(rows.lowerBound, head), row: value.stride, inner: rows.count,
          columns: width, into: values)
        addOuterProducts(features, panels, rows.count, into: piece.state(head))
        addColumnSums(features, rows.count, width, into: piece.state(head) + matrixCount)
      }
    }
  }

  /// φ of a tile of rows, dense.
  private func computeFeatures(
    _ view: Heads, _ rows: Range<Int>, _ head: Int, into features: UnsafeMutablePointer<Float>
  ) {
    for (r, row) in rows.enumerated() {
      let from = view.pointer(row, head)
      let to = features + r * width
      var j = 0
      while j + laneCount <= width {
        store(feature(load(from + j)), to + j)
        j += laneCount
      }
      if j < width { store(feature(load(from + j, count: width - j)), to + j, count: width - j) }
    }
  }

  /// elu(x) + 1 = max(x, 0) + exp(min(x, 0)).
  @inline(__always)
  private func feature(_ x: Lanes) -> Lanes {
    let zero = Lanes(repeating: 0)
    return larger(x, zero) + exp(-larger(-x, zero))
  }

  /// Σ a·b over D.
  @inline(__always)
  private func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Float {
    var sum = Lanes()
    var j = 0
    while j + laneCount <= width {
      sum.addProduct(load(a + j), load(b + j))
      j += laneCount
    }
    if j < width { sum.addProduct(load(a + j, count: width - j), load(b + j, count: width - j)) }
    return total(sum)
  }

  /// state [D × P] += featuresᵀ [D × rows] · right [rows × P].
  private func addOuterProducts(
    _ features: UnsafePointer<Float>, _ right: Panels, _ rows: Int,
    into state: UnsafeMutablePointer<Float>
  ) {
    multiply(
      rows: width, columns: padded, inner: rows,
      StridedMatrix(base: features, row: 1, column: width), right, into: state, row: padded,
      accumulate: true)
  }

  /// result [rows × P] = features [rows × D] · state [D × P].
  private func multiplyState(
    _ features: UnsafePointer<Float>, _ rows: Int, _ state: UnsafePointer<Float>,
    into result: UnsafeMutablePointer<Float>
  ) {
    multiply(
      rows: rows, columns: padded, inner: width,
      StridedMatrix(base: features, row: width, column: 1),
      Panels(base: state, step: padded, panel: Panels.width), into: result, row: padded,
      accumulate: false)
  }

  // MARK: Backward

  /// The gradients of Q, K and V. With n = φ(q)ᵀS and d = φ(q)ᵀz + ε, o = n/d:
  /// ```
  /// dn = do/d    dd = -(do·o)/d    dφ(q) = S·dn + z·dd    dS = Σ φ(q)·dnᵀ    dz = Σ φ(q)·dd
  /// dφ(k) = dS·v + dz              dv = dSᵀ·φ(k)
  /// ```
  func backward(_ dy: Storage, _ states: Storage) {
    let targets = HeadTargets([query, key, value])
    forEachPiece(states) { piece, workspace in
      let dPiece = Piece(
        sequence: piece.sequence, heads: piece.heads,
        states: workspace.zeros(piece.heads.count * stateCount), stateCount: stateCount)
      backwardQueries(piece, dPiece, dy, targets, workspace)
      backwardKeys(dPiece, targets, workspace)
    }
  }

  private func backwardQueries(
    _ piece: Piece, _ dPiece: Piece, _ dy: Storage, _ targets: HeadTargets, _ workspace: Workspace
  ) {
    let transposed = piece.heads.map { transpose(piece.state($0), workspace) }
    let features = workspace.floats(tileRows * width)
    let dNumerators = workspace.floats(tileRows * padded)
    let dDenominators = workspace.floats(tileRows)
    let dFeatures = workspace.floats(tileRows * padded)
    for rows in tiles(piece.sequence) {
      for (index, head) in piece.heads.enumerated() {
        let (state, dState) = (piece.state(head), dPiece.state(head))
        computeFeatures(query, rows, head, into: features)
        multiplyState(features, rows.count, state, into: dNumerators)
        for (r, row) in rows.enumerated() {
          let denominator = dot(features + r * width, state + matrixCount) + epsilon
          dDenominators[r] = differentiateQuotient(
            dy.pointer + row * heads * width + head * width, dNumerators + r * padded,
            denominator)
          addScaled(dDenominators[r], features + r * width, into: dState + matrixCount)
        }
        let right = Panels(base: dNumerators, step: padded, panel: Panels.width)
        addOuterProducts(features, right, rows.count, into: dState)
        multiplyTransposed(
          StridedMatrix(base: dNumerators, row: padded, column: 1), rows.count,
          transposed[index], into: dFeatures)
        for r in 0..<rows.count {
          addScaled(dDenominators[r], state + matrixCount, into: dFeatures + r * padded)
        }
        applyFeatureSlope(features, dFeatures, rows.count)
        targets.write(dFeatures, row: padded, rows: rows, query, head)
      }
    }
  }

  private func backwardKeys(_ dPiece: Piece, _ targets: HeadTargets, _ workspace: Workspace) {
    let transposed = dPiece.heads.map { transpose(dPiece.state($0), workspace) }
    let features = workspace.floats(tileRows * width)
    let gradients = workspace.floats(tileRows * padded)
    for rows in tiles(dPiece.sequence) {
      for (index, head) in dPiece.heads.enumerated() {
        let dState = dPiece.state(head)
        computeFeatures(key, rows, head, into: features)
        multiplyTransposed(
          StridedMatrix(
            base: value.pointer(rows.lowerBound, head), row: value.stride, column: 1),
          rows.count, transposed[index], into: gradients)
        for r in 0..<rows.count {
          addScaled(1, dState + matrixCount, into: gradients + r * padded)
        }
        applyFeatureSlope(features, gradients, rows.count)
        targets.write(gradients, row: padded, rows: rows, key, head)
        multiplyState(features, rows.count, dState, into: gradients)
        targets.write(gradients, row: padded, rows: rows, value, head)
      }
    }
  }

  /// Replaces n by dn.
  ///
  /// - Returns: dd.
  private func differentiateQuotient(
    _ dy: UnsafePointer<Float>, _ row: UnsafeMutablePointer<Float>, _ denominator: Float
  ) -> Float {
    let inverse = 1 / denominator
    let product = dot(dy, row)
    for j in 0..<width { row[j] = dy[j] * inverse }
    return -product * inverse * inverse
  }

  /// sum += factor·x over D.
  private func addScaled(
    _ factor: Float, _ x: UnsafePointer<Float>, into sum: UnsafeMutablePointer<Float>
  ) {
    for j in 0..<width { sum[j] += factor * x[j] }
  }

  /// S as panels of its transpose [D × D].
  private func transpose(_ state: UnsafePointer<Float>, _ workspace: Workspace) -> Panels {
    packTransposed(
      state, row: padded, inner: width, columns: width,
      into: workspace.floats(packedCount(inner: width, columns: width)))
  }

  /// result [rows × P] = left [rows × D] · transposed state.
  private func multiplyTransposed(
    _ left: StridedMatrix, _ rows: Int, _ transposed: Panels,
    into result: UnsafeMutablePointer<Float>
  ) {
    multiply(
      rows: rows, columns: padded, inner: width, left, transposed, into: result, row: padded,
      accumulate: false)
  }

  /// dφ → dx: φ'(x) is 1 where x > 0 (φ > 1) and φ(x) elsewhere.
  private func applyFeatureSlope(
    _ features: UnsafePointer<Float>, _ dFeatures: UnsafeMutablePointer<Float>, _ rows: Int
  ) {
    for r in 0..<rows {
      let phi = features + r * width
      let d = dFeatures + r * padded
      for j in 0..<width { d[j] *= min(phi[j], 1) }
    }
  }
}
