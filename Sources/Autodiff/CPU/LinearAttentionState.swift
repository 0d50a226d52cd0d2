/// What linear attention knows of the keys and values of one sequence and head.
///
/// S, [M × P], z, [Mp], and the shift of the keys lie behind each other in memory; gradients of S and
/// z lie the same way.
struct LinearAttentionState {
  /// The sizes.
  struct Layout {
    /// M.
    let features: Int
    /// D.
    let width: Int
    /// Mp, M rounded up to whole panels; columns beyond M are zero.
    let paddedFeatures: Int
    /// P, D rounded up to whole panels; columns beyond D are zero.
    let padded: Int

    init(features: Int, width: Int) {
      self.features = features
      self.width = width
      paddedFeatures = Panels.padded(features)
      padded = Panels.padded(width)
    }

    fileprivate var sumOffset: Int { features * padded }
    fileprivate var shiftOffset: Int { sumOffset + paddedFeatures }
    /// Floats of one state, whole vectors.
    var count: Int { shiftOffset + laneCount }
  }

  let layout: Layout
  private let base: UnsafeMutablePointer<Float>

  init(_ layout: Layout, at base: UnsafeMutablePointer<Float>) {
    self.layout = layout
    self.base = base
  }

  /// z.
  var sum: UnsafeMutablePointer<Float> { base + layout.sumOffset }
  /// What the exponents of the keys are lowered by.
  var shift: UnsafeMutablePointer<Float> { base + layout.shiftOffset }

  /// S += featuresᵀ·right and z += featuresᵀ·factors over a tile, right [rows × P].
  func add(
    _ features: UnsafePointer<Float>, _ right: UnsafePointer<Float>,
    _ factors: UnsafePointer<Float>, _ rows: Int
  ) {
    Autodiff.multiply(
      rows: layout.features, columns: layout.padded, inner: rows,
      StridedMatrix(base: features, row: 1, column: layout.paddedFeatures),
      Panels(base: right, step: layout.padded, panel: Panels.width), into: base,
      row: layout.padded, accumulate: true)
    Autodiff.multiply(
      rows: 1, columns: layout.paddedFeatures, inner: rows,
      StridedMatrix(base: factors, row: rows, column: 1),
      Panels(base: features, step: layout.paddedFeatures, panel: Panels.width), into: sum,
      row: layout.paddedFeatures, accumulate: true)
  }

  /// result [rows × P] = features·S.
  func multiply(
    _ features: UnsafePointer<Float>, _ rows: Int, into result: UnsafeMutablePointer<Float>
  ) {
    Autodiff.multiply(
      rows: rows, columns: layout.padded, inner: layout.features,
      StridedMatrix(base: features, row: layout.paddedFeatures, column: 1),
      Panels(base: base, step: layout.padded, panel: Panels.width), into: result,
      row: layout.padded, accumulate: false)
  }

  /// Sᵀ in panels.
  func transposed(_ workspace: Workspace) -> TransposedState {
    let panels = packTransposed(
      base, row: layout.padded, inner: layout.width, columns: layout.features,
      into: workspace.panels(layout.width, layout.features))
    return TransposedState(layout: layout, panels: panels)
  }
}

/// S as the right-hand side of a product with rows of D columns.
struct TransposedState {
  fileprivate let layout: LinearAttentionState.Layout
  fileprivate let panels: Panels

  /// result [rows × Mp] = left·Sᵀ, left [rows × P].
  func multiply(
    _ left: UnsafePointer<Float>, _ rows: Int, into result: UnsafeMutablePointer<Float>
  ) {
    Autodiff.multiply(
      rows: rows, columns: layout.paddedFeatures, inner: layout.width,
      StridedMatrix(base: left, row: layout.padded, column: 1), panels, into: result,
      row: layout.paddedFeatures, accumulate: false)
  }
}
