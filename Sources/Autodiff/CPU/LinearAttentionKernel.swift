/// Linear attention on the CPU: a tile of rows at a time through features, state and result.
///
/// The state of one sequence and head is a matrix [D × P]: P is D + 1 rounded up to whole panels,
/// columns 0 ..< D hold S and column D holds z, as if every value had a further entry 1.
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
  private var padded: Int { Panels.count(width + 1) * Panels.width }
  var stateCount: Int { width * padded }

  func measure(_ name: String, products: Int, _ kernel: () -> Void) {
    Meter.shared.measure(
      name, flops: products * 2 * segments.rows * heads * width * width,
      bytes: 4 * segments.rows * heads * width * 2 * products, kernel)
  }

  private func forEachHead(_ body: (Int, Int, UnsafeMutablePointer<Float>, Workspace) -> Void, _ states: Storage) {
    let order = segments.longestFirst
    parallel(order.count * heads) { index, workspace in
      let (sequence, head) = (order[index / heads], index % heads)
      body(sequence, head, states.pointer + (sequence * heads + head) * stateCount, workspace)
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
    forEachHead({ sequence, head, state, workspace in
      sumState(sequence, head, state, workspace)
      let features = workspace.floats(tileRows * width)
      let result = workspace.floats(tileRows * padded)
      for rows in tiles(sequence) {
        computeFeatures(query, rows, head, into: features)
        multiplyState(features, rows.count, state, into: result)
        for (r, row) in rows.enumerated() {
          let inverse = 1 / (result[r * padded + width] + epsilon)
          let to = y.pointer + row * y.columns + head * width
          for j in 0..<width { to[j] = result[r * padded + j] * inverse }
        }
      }
    }, states)
  }

  /// state = Σ φ(k)·[v, 1]ᵀ.
  private func sumState(
    _ sequence: Int, _ head: Int, _ state: UnsafeMutablePointer<Float>, _ workspace: Workspace
  ) {
    let features = workspace.floats(tileRows * width)
    let values = workspace.floats(tileRows * padded)
    state.update(repeating: 0, count: stateCount)
    for rows in tiles(sequence) {
      computeFeatures(key, rows, head, into: features)
      extendValues(rows, head, into: values)
      addOuterProducts(features, values, rows.count, into: state)
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

  /// elu(x) + 1.
  @inline(__always)
  private func feature(_ x: Lanes) -> Lanes {
    exp(x.replacing(with: 0, where: x .> 0)).replacing(with: x + 1, where: x .> 0)
  }

  /// Rows [v, 1, 0 …].
  private func extendValues(
    _ rows: Range<Int>, _ head: Int, into values: UnsafeMutablePointer<Float>
  ) {
    for (r, row) in rows.enumerated() {
      let to = values + r * padded
      to.update(from: value.pointer(row, head), count: width)
      to[width] = 1
      for j in width + 1..<padded { to[j] = 0 }
    }
  }

  /// state [D × P] += featuresᵀ [D × rows] · right [rows × P].
  private func addOuterProducts(
    _ features: UnsafePointer<Float>, _ right: UnsafePointer<Float>, _ rows: Int,
    into state: UnsafeMutablePointer<Float>
  ) {
    multiply(
      rows: width, columns: padded, inner: rows,
      StridedMatrix(base: features, row: 1, column: width),
      Panels(base: right, step: padded, panel: Panels.width), into: state, row: padded,
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
  /// dn = do/d    dd = -(do·o)/d    dφ(q) = [S z]·[dn dd]    d[S z] = Σ φ(q)·[dn dd]ᵀ
  /// dφ(k) = d[S z]·[v 1]           dv = d[S]ᵀ·φ(k)
  /// ```
  func backward(_ dy: Storage, _ states: Storage) {
    let targets = HeadTargets([query, key, value])
    forEachHead({ sequence, head, state, workspace in
      let dState = workspace.zeros(stateCount)
      backwardQueries(sequence, head, dy, state, dState, targets, workspace)
      backwardKeys(sequence, head, dState, targets, workspace)
    }, states)
  }

  private func backwardQueries(
    _ sequence: Int, _ head: Int, _ dy: Storage, _ state: UnsafePointer<Float>,
    _ dState: UnsafeMutablePointer<Float>, _ targets: HeadTargets, _ workspace: Workspace
  ) {
    let transposed = transpose(state, workspace)
    let features = workspace.floats(tileRows * width)
    let result = workspace.floats(tileRows * padded)
    let dFeatures = workspace.floats(tileRows * dFeatureRow)
    for rows in tiles(sequence) {
      computeFeatures(query, rows, head, into: features)
      multiplyState(features, rows.count, state, into: result)
      for (r, row) in rows.enumerated() {
        differentiateQuotient(
          dy.pointer + row * heads * width + head * width, result + r * padded)
      }
      addOuterProducts(features, result, rows.count, into: dState)
      multiplyTransposed(result, rows.count, transposed, into: dFeatures)
      applyFeatureSlope(features, dFeatures, rows.count)
      targets.write(dFeatures, row: dFeatureRow, rows: rows, query, head)
    }
  }

  private func backwardKeys(
    _ sequence: Int, _ head: Int, _ dState: UnsafePointer<Float>, _ targets: HeadTargets,
    _ workspace: Workspace
  ) {
    let transposed = transpose(dState, workspace)
    let features = workspace.floats(tileRows * width)
    let values = workspace.floats(tileRows * padded)
    let dFeatures = workspace.floats(tileRows * dFeatureRow)
    for rows in tiles(sequence) {
      computeFeatures(key, rows, head, into: features)
      extendValues(rows, head, into: values)
      multiplyTransposed(values, rows.count, transposed, into: dFeatures)
      applyFeatureSlope(features, dFeatures, rows.count)
      targets.write(dFeatures, row: dFeatureRow, rows: rows, key, head)
      multiplyState(features, rows.count, dState, into: values)
      targets.write(values, row: padded, rows: rows, value, head)
    }
  }

  /// Replaces [n, φ(q)ᵀz] by [dn, dd].
  private func differentiateQuotient(
    _ dy: UnsafePointer<Float>, _ row: UnsafeMutablePointer<Float>
  ) {
    let inverse = 1 / (row[width] + epsilon)
    var product: Float = 0
    for j in 0..<width {
      product += dy[j] * row[j]
      row[j] = dy[j] * inverse
    }
    row[width] = -product * inverse * inverse
  }

  private var dFeatureRow: Int { Panels.count(width) * Panels.width }

  /// state [D × P] as panels of its transpose [P × D].
  private func transpose(_ state: UnsafePointer<Float>, _ workspace: Workspace) -> Panels {
    packTransposed(
      state, row: padded, inner: width + 1, columns: width,
      into: workspace.floats(packedCount(inner: width + 1, columns: width)))
  }

  /// result [rows × D] = left [rows × (D + 1)] · transposed state.
  private func multiplyTransposed(
    _ left: UnsafePointer<Float>, _ rows: Int, _ transposed: Panels,
    into result: UnsafeMutablePointer<Float>
  ) {
    multiply(
      rows: rows, columns: dFeatureRow, inner: width + 1,
      StridedMatrix(base: left, row: padded, column: 1), transposed, into: result,
      row: dFeatureRow, accumulate: false)
  }

  /// dφ → dx: φ'(x) is 1 where x > 0 (φ > 1) and φ(x) elsewhere.
  private func applyFeatureSlope(
    _ features: UnsafePointer<Float>, _ dFeatures: UnsafeMutablePointer<Float>, _ rows: Int
  ) {
    for r in 0..<rows {
      let phi = features + r * width
      let d = dFeatures + r * dFeatureRow
      for j in 0..<width { d[j] *= min(phi[j], 1) }
    }
  }
}
