// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The rows that the blocks of one sequence attend to in one head.
struct SortedRows {
  let layout: BlockLayout
  let head: Int
  let ownKeys: BlockMatrix
  let ownValues: BlockMatrix
  let mixedKeys: BlockMatrix
  let mixedValues: BlockMatrix
  /// log₂(w + ε), b for each mixed block.
  private let validity: UnsafeMutablePointer<Float>
  private let kernel: SortedBlockKernel

  init(
    _ kernel: SortedBlockKernel, _ layout: BlockLayout, _ head: Int, _ workspace: Workspace
  ) {
    let room = {
      BlockMatrix($0, size: layout.size, width: kernel.width, workspace)
    }
    self.kernel = kernel
    self.layout = layout
    self.head = head
    (ownKeys, ownValues) = (room(layout.count), room(layout.count))
    (mixedKeys, mixedValues) = (room(layout.mixedCount), room(layout.mixedCount))
    validity = workspace.floats(layout.mixedCount * layout.size)
    ownKeys.copy(kernel.key, kernel.blocks, layout, head)
    ownValues.copy(kernel.value, kernel.blocks, layout, head)
    mix(ownKeys, into: mixedKeys)
    mix(ownValues, into: mixedValues)
    writeValidity()
  }

  private func mix(_ own: BlockMatrix, into mixed: BlockMatrix) {
    gemm(
      rows: layout.mixedCount, columns: own.columns, inner: layout.count,
      StridedMatrix(
        base: kernel.matrix(layout, head), rowStride: kernel.sorting.columns, columnStride: 1),
      own.panels, into: mixed.base, stride: mixed.step, accumulate: false)
  }

  /// What is added to the scores of a part's keys.
  @inline(__always)
  func validity(_ part: BlockKeys.Part) -> UnsafePointer<Float>? {
    part.isMixed ? UnsafePointer(validity) + part.block * layout.size : nil
  }

  /// w of a mixed block, for rows that all blocks have and for those that the last one lacks.
  func weights(_ mixed: Int) -> (full: Float, part: Float) {
    let row = kernel.matrix(layout, head) + mixed * kernel.sorting.columns
    var part: Float = 0
    for l in 0..<layout.count - 1 { part += row[l] }
    return (part + row[layout.count - 1], part)
  }

  private func writeValidity() {
    for mixed in 0..<layout.mixedCount {
      let (full, part) = weights(mixed)
      let line = validity + mixed * layout.size
      let logFull = log2(full + SortedBlockKernel.epsilon)
      line.update(repeating: logFull, count: layout.last)
      (line + layout.last).update(
        repeating: log2(part + SortedBlockKernel.epsilon), count: layout.size - layout.last)
    }
  }
}
