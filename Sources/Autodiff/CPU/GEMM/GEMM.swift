// SPDX-License-Identifier: Apache-2.0

/// C[m × n] = or += A[m × k] · B[k × n] on one core.
///
/// Meant for tiles whose A lies in the second-level cache. The sum over k is cut so that a panel
/// of B stays in the first level while all rows of A pass over it.
///
/// - Parameters:
///   - m: a multiple of 8 is fastest.
///   - k: elements, whatever their precision, which A and B share.
///   - stride: floats from one row of C to the next.
///   - prefetching: prefetched while the product runs.
func gemm(
  rows m: Int, columns n: Int, inner k: Int, _ a: StridedMatrix, _ b: Panels,
  into c: UnsafeMutablePointer<Float>, stride cRow: Int, accumulate: Bool,
  prefetching: PrefetchCursor = .none
) {
  assert(a.precision == b.precision, "gemm: A is \(a.precision), B \(b.precision)")
  assert(WorkCounter.add(2 * m * Panels.padded(n) * k))
  let k = b.precision.steps(k)
  assert(a.holds(rows: m, columns: k), "gemm: A is smaller than \(m) × \(k)")
  let depth = 256
  var prefetching = prefetching.spread(
    over: RegisterTiles.count(m) * Panels.count(n) * max(1, (k + depth - 1) / depth))
  var first = 0
  while first < k || (k == 0 && first == 0) {
    let part = min(depth, k - first)
    for panel in 0..<Panels.count(n) {
      let column = panel * Panels.width
      gemmPanel(
        rows: m, columns: min(Panels.width, n - column), inner: part,
        a.columns(from: first),
        b.base + panel * b.panel + first * b.step, b.step, c + column, cRow,
        accumulate: accumulate || first > 0, prefetching: &prefetching)
    }
    first += max(part, 1)
  }
}

/// One panel of at most ``Panels/width`` columns, all rows.
///
/// A large C may have left the first-level cache; its rows are prefetched before they are added to.
private func gemmPanel(
  rows m: Int, columns n: Int, inner k: Int, _ a: StridedMatrix,
  _ b: UnsafePointer<Float>, _ bStep: Int,
  _ c: UnsafeMutablePointer<Float>, _ cRow: Int, accumulate: Bool, prefetching: inout PrefetchCursor
) {
  guard n == Panels.width else {
    return gemmNarrowPanel(
      rows: m, columns: n, inner: k, a, b, bStep, c, cRow, accumulate: accumulate,
      prefetching: &prefetching)
  }
  let isFar = accumulate && m * cRow >= 1 << 14
  var i = 0
  while i < m {
    let rows = RegisterTiles.rows(of: m - i)
    prefetching.prefetchNext()
    if isFar { for r in i..<i + rows { prefetch(c + r * cRow, count: n) } }
    RegisterTiles.multiply(
      a.precision, rows: rows, k, a.rows(from: i), b, bStep, c + i * cRow, cRow,
      accumulate: accumulate)
    i += rows
  }
}

/// A last panel of fewer columns: computed whole in a block beside C, then copied.
private func gemmNarrowPanel(
  rows m: Int, columns n: Int, inner k: Int, _ a: StridedMatrix,
  _ b: UnsafePointer<Float>, _ bStep: Int,
  _ c: UnsafeMutablePointer<Float>, _ cRow: Int, accumulate: Bool, prefetching: inout PrefetchCursor
) {
  withUnsafeTemporaryAllocation(of: Float.self, capacity: RegisterTiles.rows * Panels.width) {
    block in
    guard let block = block.baseAddress else { return }
    var i = 0
    while i < m {
      let rows = RegisterTiles.rows(of: m - i)
      gemmPanel(
        rows: rows, columns: Panels.width, inner: k,
        a.rows(from: i), b, bStep,
        block, Panels.width, accumulate: false, prefetching: &prefetching)
      for r in 0..<rows {
        let target = c + (i + r) * cRow
        let source = block + r * Panels.width
        forLanes(0..<n) { j, count in
          let sum = load(source + j, count: count)
          store(
            accumulate ? a.precision.sum(load(target + j, count: count), sum) : sum, target + j,
            count: count)
        }
      }
      i += rows
    }
  }
}
