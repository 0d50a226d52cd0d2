// SPDX-License-Identifier: Apache-2.0

/// A weight [O × I] packed for both directions of a linear map.
struct PackedWeight {
  let outputs: Int
  let inputs: Int
  private let storage: Storage
  private let panels: Panels
  /// Scales and shifts of bytes; nil for others.
  private let bytes: PackedBytes?

  /// Packed so that `multiply` gives x·Wᵀ.
  static func forward(_ weight: Tensor, _ precision: Precision = .fp32) -> PackedWeight {
    PackedWeight(weight, transposed: true, precision)
  }
  /// Packed so that `multiply` gives dy·W, in the precision of gradients.
  static func backward(_ weight: Tensor, _ precision: Precision = .fp32) -> PackedWeight {
    PackedWeight(weight, transposed: false, precision.ofGradients)
  }

  private init(_ weight: Tensor, transposed: Bool, _ precision: Precision) {
    outputs = weight.shape[0]
    inputs = weight.shape[1]
    let (k, n) = transposed ? (inputs, outputs) : (outputs, inputs)
    let storage = Storage(
      count: Panels.floatCount(inner: k, columns: n, precision: precision))
    let (source, row) = (weight.pointer, weight.shape[1])
    let bytes = precision == .int8 ? PackedBytes(columns: n) : nil
    parallel(Panels.count(n)) { panel, _ in
      let column = panel * Panels.width
      let width = min(Panels.width, n - column)
      let target = storage.pointer + column * precision.steps(k)
      if let bytes {
        bytes.pack(source, row: row, inner: k, column: column, into: target)
      } else if transposed {
        Panels.pack(
          transposed: source + column * row, stride: row, inner: k, columns: width, into: target,
          precision: precision)
      } else {
        Panels.pack(
          rows: source + column, stride: row, inner: k, columns: width, into: target,
          precision: precision)
      }
    }
    self.storage = storage
    self.bytes = bytes
    firstColumn = 0
    panels = Panels(packed: storage.pointer, inner: k, precision: precision)
    inner = k
    columns = n
  }

  private init(
    _ whole: PackedWeight, _ panels: Panels, _ bytes: PackedBytes?, inner: Int, columns: Range<Int>
  ) {
    (outputs, inputs, storage) = (whole.outputs, whole.inputs, whole.storage)
    (self.panels, self.bytes, self.inner) = (panels, bytes, inner)
    (firstColumn, self.columns) = (whole.firstColumn + columns.lowerBound, columns.count)
  }

  private let inner: Int
  private let columns: Int
  /// The place of the first column in the whole packed matrix.
  private let firstColumn: Int

  /// Some of the packed matrix's columns; they start at a multiple of ``Panels/width``.
  func columns(_ range: Range<Int>) -> PackedWeight {
    PackedWeight(
      self, panels.columns(from: range.lowerBound), bytes, inner: inner, columns: range)
  }

  /// Some of the packed matrix's rows.
  ///
  /// - Complexity: constant; of bytes that of reading these rows.
  func rows(_ range: Range<Int>) -> PackedWeight {
    let precision = panels.precision
    let first = precision.steps(range.lowerBound)
    return PackedWeight(
      self, panels.rows(from: range.lowerBound),
      bytes?.forSteps(first..<first + precision.steps(range.count), of: panels),
      inner: range.count, columns: 0..<columns)
  }

  /// A left-hand side of ``multiply(_:_:into:row:accumulate:prefetching:)``, x[rows × k] in the
  /// precision of the packed matrix.
  ///
  /// - Parameter row: floats from one row of x to the next; nil for k.
  func left(
    _ x: UnsafePointer<Float>, row: Int? = nil, _ rows: Int, _ workspace: Workspace
  ) -> StridedMatrix {
    .rows(x, row: row ?? inner, rows: rows, columns: inner, panels.precision, workspace)
  }

  /// y[rows × n] = x[rows × k] · packed.
  ///
  /// - Parameters:
  ///   - x: from ``left(_:row:_:_:)``.
  ///   - row: floats from one row of y to the next; nil for n.
  ///   - prefetching: prefetched while the product runs.
  func multiply(
    _ x: StridedMatrix, _ rows: Int, into y: UnsafeMutablePointer<Float>, row: Int? = nil,
    accumulate: Bool = false, prefetching: PrefetchCursor = .none
  ) {
    if let bytes, let scales = x.scales {
      return multiply(x, bytes, scales, rows, into: y, row: row ?? columns, accumulate, prefetching)
    }
    gemm(
      rows: rows, columns: columns, inner: inner, x, panels, into: y, stride: row ?? columns,
      accumulate: accumulate, prefetching: prefetching)
  }

  /// The product of bytes, whose sums need a place of their own where y holds something already.
  private func multiply(
    _ x: StridedMatrix, _ bytes: PackedBytes, _ rowScales: UnsafePointer<Float>, _ rows: Int,
    into y: UnsafeMutablePointer<Float>, row: Int, _ accumulate: Bool,
    _ prefetching: PrefetchCursor
  ) {
    let scale = { (sums: UnsafeMutablePointer<Float>, sumRow: Int) in
      gemm(
        rows: rows, columns: columns, inner: inner, x, panels, into: sums, stride: sumRow,
        accumulate: false, prefetching: prefetching)
      bytes.scale(
        sums, row: sumRow, rows: rows, columns: firstColumn..<firstColumn + columns,
        rowScales: rowScales, into: y, row: row, accumulate: accumulate)
    }
    guard accumulate else { return scale(y, row) }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(rows * columns, 1)) { sums in
      if let base = sums.baseAddress { scale(base, columns) }
    }
  }

  /// As ``multiply(_:_:into:row:accumulate:prefetching:)`` with x where it lies, row-major.
  ///
  /// - Parameter xRow: floats from one row of x to the next; nil for k.
  func multiply(
    _ x: UnsafePointer<Float>, row xRow: Int? = nil, _ rows: Int,
    into y: UnsafeMutablePointer<Float>, row yRow: Int? = nil, _ workspace: Workspace,
    accumulate: Bool = false, prefetching: PrefetchCursor = .none
  ) {
    let mark = workspace.mark
    multiply(
      left(x, row: xRow, rows, workspace), rows, into: y, row: yRow, accumulate: accumulate,
      prefetching: prefetching)
    workspace.rewind(to: mark)
  }
}
