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
    let storage = Storage(count: packedCount(inner: k, columns: n))
    let (source, row) = (weight.pointer, weight.shape[1])
    parallel(Panels.count(n)) { panel, _ in
      let column = panel * Panels.width
      let width = min(Panels.width, n - column)
      let target = storage.pointer + column * k
      if transposed {
        packTransposed(source + column * row, row: row, inner: k, columns: width, into: target)
      } else {
        packRows(source + column, row: row, inner: k, columns: width, into: target)
      }
    }
    self.storage = storage
    panels = Panels(base: storage.pointer, step: Panels.width, panel: Panels.width * k)
    inner = k
    columns = n
  }

  private init(_ whole: PackedWeight, _ panels: Panels, inner: Int, columns: Int) {
    (outputs, inputs, storage) = (whole.outputs, whole.inputs, whole.storage)
    (self.panels, self.inner, self.columns) = (panels, inner, columns)
  }

  private let inner: Int
  private let columns: Int

  /// Some of the packed matrix's columns; they start at a multiple of 32.
  func columns(_ range: Range<Int>) -> PackedWeight {
    let skipped = range.lowerBound / Panels.width * panels.panel
    return PackedWeight(
      self, Panels(base: panels.base + skipped, step: panels.step, panel: panels.panel),
      inner: inner, columns: range.count)
  }

  /// Some of the packed matrix's rows.
  func rows(_ range: Range<Int>) -> PackedWeight {
    let skipped = range.lowerBound * panels.step
    return PackedWeight(
      self, Panels(base: panels.base + skipped, step: panels.step, panel: panels.panel),
      inner: range.count, columns: columns)
  }

  /// y[rows × n] = x[rows × k] · packed, both row-major.
  ///
  /// - Parameters:
  ///   - xRow: floats from one row of x to the next; nil for k.
  ///   - yRow: the same of y; nil for n.
  ///   - prefetching: what to bring into the caches meanwhile.
  func multiply(
    _ x: UnsafePointer<Float>, row xRow: Int? = nil, _ rows: Int,
    into y: UnsafeMutablePointer<Float>, row yRow: Int? = nil, accumulate: Bool = false,
    prefetching: PrefetchCursor = .nothing
  ) {
    Autodiff.multiply(
      rows: rows, columns: columns, inner: inner,
      StridedMatrix(base: x, row: xRow ?? inner, column: 1), panels, into: y,
      row: yRow ?? columns, accumulate: accumulate, prefetching: prefetching)
  }
}
