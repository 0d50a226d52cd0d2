// SPDX-License-Identifier: Apache-2.0

/// What forward passes of one training step want changed in the model's buffers: running statistics,
/// newly drawn rows.
///
/// A pass only collects; whoever trains commits once the step counts. So a pass that is timed, repeated
/// or thrown away leaves the model as it was. A step of several passes adds up what they observed, and
/// a running statistic moves towards the mean of them.
package final class BufferUpdates {
  /// A statistic of each pass, towards which the buffer moves by a share.
  private struct Observation {
    let buffer: Parameter
    let share: Float
    var sum: [Float]
  }

  private var replacements: [(buffer: Parameter, values: [Float])] = []
  private var observations: [Observation] = []

  /// Nothing to change yet.
  package init() {}

  /// Gives a buffer other values, which are the same in all passes of the step.
  func replace(_ buffer: Parameter, with values: [Float]) {
    replacements.append((buffer, values))
  }

  /// Moves a buffer towards a statistic of this pass: b ← (1 - share)·b + share·mean over passes.
  func observe(_ buffer: Parameter, _ values: [Float], share: Float) {
    observations.append(Observation(buffer: buffer, share: share, sum: values))
  }

  /// What two passes, or several of one shard each, want together.
  package static func + (a: BufferUpdates, b: BufferUpdates) -> BufferUpdates {
    precondition(
      a.observations.map(\.buffer.name) == b.observations.map(\.buffer.name),
      "passes of one step observe the same buffers")
    let both = BufferUpdates()
    both.replacements = a.replacements
    both.observations = zip(a.observations, b.observations).map { a, b in
      Observation(buffer: a.buffer, share: a.share, sum: zip(a.sum, b.sum).map { $0 + $1 })
    }
    return both
  }

  /// Lends the sums of each statistic, for those of other processes to be added.
  package func withSums(_ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
    for place in observations.indices {
      observations[place].sum.withUnsafeMutableBufferPointer { body($0) }
    }
  }

  /// Makes the changes, once.
  ///
  /// - Parameter passes: how many were added up.
  package func commit(passes: Int = 1) {
    for (buffer, values) in replacements { buffer.replace(with: values) }
    for (buffer, share, sum) in observations.map({ ($0.buffer, $0.share, $0.sum) }) {
      buffer.replace(
        with: zip(buffer.values, sum).map { $0 * (1 - share) + $1 / Float(passes) * share })
    }
    (replacements, observations) = ([], [])
  }
}
