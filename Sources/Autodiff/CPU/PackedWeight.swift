// SPDX-License-Identifier: Apache-2.0

/// A weight [O × I] packed for both directions of a linear map.
struct PackedWeight {
  let outputs: Int
  let inputs: Int
  private let storage: Storage
  private let panels: Panels

  /// Packed so that `multiply` gives x·Wᵀ.
  static func forward(_ weight: Tensor) -> PackedWeight { PackedWeight(weight, transposed: true) }
  /// Packed so that `multiply` gives dy·W.
  static func backward(_ weight: Tensor) -> PackedWeight { PackedWeight(weight, transposed: false) }

  private init(_ weight: Tensor, transposed: Bool) {
    outputs = weight.shape[0]
    inputs = weight.shape[1]
    let (k, n) = transposed ? (inputs, outputs) : (outputs, inputs)
    let storage = Storage(count: Panels.floatCount(inner: k, columns: n))
    let (source, row) = (weight.pointer, weight.shape[1])
    parallel(Panels.count(n)) { panel, _ in
      let column = panel * Panels.width
      let width = min(Panels.width, n - column)
      let target = storage.pointer + column * k
      if transposed {
        Panels.pack(
          transposed: source + column * row, stride: row, inner: k, columns: width, into: target)
      } else {
        Panels.pack(rows: source + column, stride: row, inner: k, columns: width, into: target)
      }
    }
    self.storage = storage
    panels = Panels(packed: storage.pointer, inner: k)
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

  /// y[rows × n] = x[rows × k] · packed, both row-major.
  ///
  /// - Parameters:
  ///   - xRow: floats from one row of x to the next; nil for k.
  ///   - yRow: the same of y; nil for n.
  ///   - prefetching: prefetched while the product runs.
  func multiply(
    _ x: UnsafePointer<Float>, row xRow: Int? = nil, _ rows: Int,
    into y: UnsafeMutablePointer<Float>, row yRow: Int? = nil, accumulate: Bool = false,
    prefetching: PrefetchCursor = .none
  ) {
    gemm(
      rows: rows, columns: columns, inner: inner,
      StridedMatrix(base: x, rowStride: xRow ?? inner, columnStride: 1), panels, into: y,
      stride: yRow ?? columns, accumulate: accumulate, prefetching: prefetching)
  }
}
