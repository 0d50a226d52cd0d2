// SPDX-License-Identifier: Apache-2.0

/// The normalised rows of a tile, kept between the two directions of a fused operation.
struct NormWorkspace {
  private let tile: NormTile
  private let normalized: UnsafeMutablePointer<Float>
  private let inverse: UnsafeMutablePointer<Float>
  /// scale ⊙ x̂ + shift, [rows, E].
  let output: UnsafeMutablePointer<Float>

  /// Room for so many rows.
  init(_ norm: Norm, rows: Int, _ workspace: Workspace) {
    tile = norm.tile
    normalized = workspace.floats(rows * tile.width)
    output = workspace.floats(rows * tile.width)
    inverse = workspace.floats(rows)
  }

  /// The normalised rows of x.
  init(_ norm: Norm, _ x: UnsafePointer<Float>, _ rows: Int, _ workspace: Workspace) {
    self.init(norm, rows: rows, workspace)
    read(x, rows)
  }

  /// Normalises the rows of x.
  func read(_ x: UnsafePointer<Float>, _ rows: Int) {
    tile.forward(x, rows, into: output, normalized: normalized, inverseDeviation: inverse)
  }

  /// Stores or adds dx, and adds dScale to `sums` and dShift behind it.
  func backward(
    _ dy: UnsafePointer<Float>, _ rows: Int,
    into dx: (pointer: UnsafeMutablePointer<Float>, accumulate: Bool)?,
    sums: UnsafeMutablePointer<Float>, _ workspace: Workspace
  ) {
    tile.backward(
      dy, rows, normalized: normalized, inverseDeviation: inverse,
      into: dx?.pointer ?? workspace.floats(rows * tile.width),
      accumulate: dx?.accumulate ?? false, dScale: sums, dShift: sums + tile.width)
  }
}
