// SPDX-License-Identifier: Apache-2.0

/// What forward passes of one training step want changed in the model's buffers: running statistics,
/// newly drawn rows.
///
/// A pass only collects; whoever trains commits once the step counts. So a pass that is timed, repeated
/// or thrown away leaves the model as it was.
package final class BufferUpdates {
  private var updates: [(buffer: Parameter, change: ([Float]) -> [Float])] = []

  /// Nothing to change yet.
  package init() {}

  /// Adds a change, made after those before it.
  func append(_ buffer: Parameter, _ change: @escaping ([Float]) -> [Float]) {
    updates.append((buffer, change))
  }

  /// Makes the changes in the order in which they were collected, once.
  package func commit() {
    for (buffer, change) in updates { buffer.replace(with: change(buffer.values)) }
    updates = []
  }
}
