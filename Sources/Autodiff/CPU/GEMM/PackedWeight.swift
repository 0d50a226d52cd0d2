// SPDX-License-Identifier: Apache-2.0

/// A weight [O × I] packed for both directions of a linear map.
struct PackedWeight {
  let outputs: Int
  let inputs: Int
  private let storage: Storage
  private let panels: Panels

  /// Packed so that `multiply` gives x·Wᵀ.
  static func forward(_ weight: Tensor, _ precision: Precision = .fp32) -> PackedWeight {
    PackedWeight(weight, transposed: true, precision)
  }
  /// Packed so that `multiply` gives dy·W.
  static func backward(_ weight: Tensor, _ precision: Precision = .fp32) -> PackedWeight {
    PackedWeight(weight, transposed: false, precision)
  }

  private init(_ weight: Tensor, transposed: Bool, _ precision: Precision) {
    outputs = weight.shape[0]
    inputs = weight.shape[1]
    let (k, n) = transposed ? (inputs, outputs) : (outputs, inputs)
    let storage = Storage(
      count: Panels.floatCount(inner: k, columns: n, precision: precision))
    let (source, row) = (weight.pointer, weight.shape[1])
    parallel(Panels.count(n)) { panel, _ in
      let column = panel * Panels.width
      let width = min(Panels.width, n - column)
      let target = storage.pointer + column * precision.steps(k)
      if transposed {
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
    panels = Panels(packed: storage.pointer, inner: k, precision: precision)
    inner = k
    columns = n
  }

  private init(_ whole: PackedWeight, _ panels: Panels, inner: Int, columns: Int) {
    (outputs, inputs, storage) = (whole.outputs, whole.inputs, whole.storage)
    (self.panels, self.inner, self.columns) = (panels, inner, columns)
  }

  private let inner: Int
  private let columns: Int

  /// Some of the packed matrix's columns; they start at a multiple of ``Panels/width``.
  func columns(_ range: Range<Int>) -> PackedWeight {
    PackedWeight(
      self, panels.columns(from: range.lowerBound), inner: inner, columns: range.count)
  }

  /// Some of the packed matrix's rows.
  func rows(_ range: Range<Int>) -> PackedWeight {
    PackedWeight(
      self, panels.rows(from: range.lowerBound), inner: range.count, columns: columns)
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
    gemm(
      rows: rows, columns: columns, inner: inner, x, panels, into: y, stride: row ?? columns,
      accumulate: accumulate, prefetching: prefetching)
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
