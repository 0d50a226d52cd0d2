// SPDX-License-Identifier: Apache-2.0

/// A tile of rows of neighbouring heads, copied apart: for each head [tileRows × `row`], the columns
/// beyond D zero.
///
/// Reading all heads of a row before the next keeps the reads close together, so that many are under
/// way at once; strided reads from inside a calculation would each wait for main memory.
struct HeadTile {
  private let heads: Range<Int>
  private let row: Int
  private let base: UnsafeMutablePointer<Float>

  /// - Parameter row: floats from one row to the next, at least D and whole vectors.
  init(heads: Range<Int>, row: Int, _ workspace: Workspace) {
    self.heads = heads
    self.row = row
    base = workspace.floats(heads.count * tileRows * row)
  }

  /// The rows of one head.
  func rows(_ head: Int) -> UnsafeMutablePointer<Float> {
    base + (head - heads.lowerBound) * tileRows * row
  }

  /// Takes at most ``tileRows`` rows.
  func copy(_ view: HeadsView, _ rows: Range<Int>) {
    for (r, index) in rows.enumerated() {
      for head in heads {
        let from = view.pointer(index, head)
        let to = self.rows(head) + r * row
        prefetch(from + tileRows * view.stride, count: view.width)
        var j = 0
        while j + laneCount <= view.width {
          store(load(from + j), to + j)
          j += laneCount
        }
        while j < view.width {
          to[j] = from[j]
          j += 1
        }
        while j < row {
          to[j] = 0
          j += 1
        }
      }
    }
  }
}
