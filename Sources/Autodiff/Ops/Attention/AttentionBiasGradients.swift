// SPDX-License-Identifier: Apache-2.0

/// The gradient of ``AttentionBias/keyBias(_:)`` for the keys of one sequence and head: db[j] = Σᵢ dS[i, j].
struct KeyBiasGradient {
  private let bias: HeadsView
  private let sums: UnsafeMutablePointer<Float>

  /// Nil for other terms.
  ///
  /// - Parameter keys: of the sequence.
  init?(_ term: AttentionBias, keys: Int, _ workspace: Workspace) {
    guard case .keyBias(let bias) = term else { return nil }
    self.bias = bias
    sums = workspace.zeros(keys)
  }

  /// Adds what a tile contributes.
  func add(_ tile: LogitTile, _ dScores: UnsafePointer<Float>, row: Int) {
    for r in 0..<tile.rows.count {
      addScaled(dScores + r * row, 1, sums + tile.keys.lowerBound, count: tile.keys.count)
    }
  }

  func write(_ rows: Range<Int>, _ head: Int, _ targets: HeadTargets) {
    targets.write(sums, row: 1, rows: rows, bias, head)
  }
}

/// The gradients of both factors of ``AttentionBias/outer(_:_:)``, a tile of queries at a time.
///
/// ```
/// da[i, u] = Σᵥ dS[i, v·A + u]·c[i, v]    dc[i, v] = Σᵤ dS[i, v·A + u]·a[i, u]
/// ```
struct OuterGradient {
  private let a: HeadsView
  private let c: HeadsView
  private let da: UnsafeMutablePointer<Float>
  private let dc: UnsafeMutablePointer<Float>

  /// Nil for other terms.
  init?(_ term: AttentionBias, _ workspace: Workspace) {
    guard case .outer(let a, let c) = term else { return nil }
    self.a = a
    self.c = c
    da = workspace.floats(tileRows * a.width)
    dc = workspace.floats(tileRows * c.width)
  }

  /// Starts a tile of queries.
  func clear(_ rows: Int) {
    da.update(repeating: 0, count: rows * a.width)
    dc.update(repeating: 0, count: rows * c.width)
  }

  /// Adds what a tile of keys contributes.
  func add(_ tile: LogitTile, _ dScores: UnsafePointer<Float>, row: Int) {
    for (r, global) in tile.rows.enumerated() {
      let (fine, coarse) = (a.pointer(global, tile.head), c.pointer(global, tile.head))
      tile.forEachRun(of: a.width) { j, run in
        let d = dScores + r * row + j
        addScaled(d, coarse[run.block], da + r * a.width + run.place, count: run.count)
        dc[r * c.width + run.block] += innerProduct(d, fine + run.place, count: run.count)
      }
    }
  }

  /// Ends a tile of queries.
  func write(_ rows: Range<Int>, _ head: Int, _ targets: HeadTargets) {
    targets.write(da, row: a.width, rows: rows, a, head)
    targets.write(dc, row: c.width, rows: rows, c, head)
  }
}
