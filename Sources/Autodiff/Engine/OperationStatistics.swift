// SPDX-License-Identifier: Apache-2.0

/// What was counted of one kind of operation.
package struct OperationStatistics: Sendable {
  /// The number of calls.
  package var calls = 0
  /// Seconds, when profiling.
  package var seconds = 0.0
  /// Floating-point operations.
  package var flops = 0
  /// Bytes read and written, each operand counted once.
  package var bytes = 0
  /// What the kernels were seen to do, in the units of ``WorkCounter``; 0 in builds without assertions.
  package var work = 0

  /// Nothing counted.
  package init() {}
}
