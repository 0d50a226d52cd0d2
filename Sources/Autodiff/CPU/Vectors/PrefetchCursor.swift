// SPDX-License-Identifier: Apache-2.0

/// Prefetches a range of floats a few cache lines at a time, interleaved with a GEMM.
///
/// A core tracks only some tens of outstanding cache misses: prefetching a whole tile at once stalls
/// it, while a compute-bound GEMM leaves the memory idle.
struct PrefetchCursor {
  /// Prefetches nothing.
  static var none: PrefetchCursor { PrefetchCursor(nil, count: 0) }

  private let base: UnsafePointer<Float>?
  private let count: Int
  private var next = 0
  private var step = 0

  /// - Parameters:
  ///   - base: the first float; the addresses may be invalid.
  ///   - count: floats.
  init(_ base: UnsafePointer<Float>?, count: Int) {
    self.base = base
    self.count = count
  }

  /// One of `parts` parts of these floats.
  func part(_ index: Int, of parts: Int) -> PrefetchCursor {
    let size = (count + parts - 1) / parts
    return PrefetchCursor(
      base.map { $0 + index * size }, count: min(size, max(0, count - index * size)))
  }

  /// The same range in equal shares, one for each of `calls` calls of ``prefetchNext()``.
  func spread(over calls: Int) -> PrefetchCursor {
    var shares = self
    let lines = (count + laneCount - 1) / laneCount
    shares.step = calls == 0 ? 0 : (lines + calls - 1) / calls * laneCount
    return shares
  }

  /// Prefetches the next share.
  @inline(__always)
  mutating func prefetchNext() {
    guard let base, next < count else { return }
    let end = min(next + step, count)
    prefetch(base + next, count: end - next)
    next = end
  }
}
