// SPDX-License-Identifier: Apache-2.0

/// What linear attention knows of the keys and values of one sequence and head.
///
/// S, [M × P] in whole blocks of eight rows, z, [Mp], and the shift of the keys lie behind each other
/// in memory; gradients of S and z lie the same way.
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

    /// Rows of S; those beyond M are zero.
    fileprivate var rows: Int { (features + 7) & ~7 }
    fileprivate var sumOffset: Int { rows * padded }
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
    gemm(
      rows: layout.rows, columns: layout.padded, inner: rows,
      StridedMatrix(base: features, rowStride: 1, columnStride: layout.paddedFeatures),
      Panels(rowMajor: right, stride: layout.padded), into: base, stride: layout.padded,
      accumulate: true)
    gemm(
      rows: 1, columns: layout.paddedFeatures, inner: rows,
      StridedMatrix(base: factors, rowStride: rows, columnStride: 1),
      Panels(rowMajor: features, stride: layout.paddedFeatures), into: sum,
      stride: layout.paddedFeatures, accumulate: true)
  }

  /// Raises the shift to that of new keys, where it is larger; S and z, less ε, are lowered with it.
  func raiseShift(to other: Float) {
    guard other > shift.pointee else { return }
    let factor = exp2(Lanes(repeating: shift.pointee - other))
    for j in stride(from: 0, to: layout.shiftOffset, by: laneCount) {
      store(load(base + j) * factor, base + j)
    }
    shift.pointee = other
  }

  /// Adds ε to the features of `count` keys whose values, [P], add up to `values`.
  func add(_ epsilon: Float, values: UnsafePointer<Float>, count: Int) {
    for m in 0..<layout.features {
      for j in 0..<layout.padded { base[m * layout.padded + j] += epsilon * values[j] }
      sum[m] += epsilon * Float(count)
    }
  }

  /// result [rows × P] = features·S.
  func multiply(
    _ features: UnsafePointer<Float>, _ rows: Int, into result: UnsafeMutablePointer<Float>
  ) {
    gemm(
      rows: rows, columns: layout.padded, inner: layout.features,
      StridedMatrix(base: features, rowStride: layout.paddedFeatures, columnStride: 1),
      Panels(rowMajor: base, stride: layout.padded), into: result, stride: layout.padded,
      accumulate: false)
  }

  /// Sᵀ in panels.
  func transposed(_ workspace: Workspace) -> TransposedState {
    let panels = Panels.pack(
      transposed: base, stride: layout.padded, inner: layout.width, columns: layout.features,
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
    gemm(
      rows: rows, columns: layout.paddedFeatures, inner: layout.width,
      StridedMatrix(base: left, rowStride: layout.padded, columnStride: 1), panels, into: result,
      stride: layout.paddedFeatures, accumulate: false)
  }
}
