/// Floats that are read next, asked for a few cache lines at a time while a product runs.
///
/// A core waits for some tens of lines at once and no more, so that asking for a whole tile at once
/// stops it; a product has time for all of them, and needs the memory for nothing else.
struct PrefetchCursor {
  /// Nothing to ask for.
  static var nothing: PrefetchCursor { PrefetchCursor(nil, count: 0) }

  private let base: UnsafePointer<Float>?
  private let count: Int
  private var next = 0
  private var step = 0

  /// - Parameters:
  ///   - base: the first float; none of them need exist.
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

  /// The same floats in shares for so many calls of ``prefetchNext()``.
  func spread(over calls: Int) -> PrefetchCursor {
    var shares = self
    let lines = (count + laneCount - 1) / laneCount
    shares.step = calls == 0 ? 0 : (lines + calls - 1) / calls * laneCount
    return shares
  }

  /// Asks for the next share.
  @inline(__always)
  mutating func prefetchNext() {
    guard let base, next < count else { return }
    let end = min(next + step, count)
    prefetch(base + next, count: end - next)
    next = end
  }
}
