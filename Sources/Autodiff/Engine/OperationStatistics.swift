/// What was counted of one kind of operation.
public struct OperationStatistics: Sendable {
  /// The number of calls.
  public var calls = 0
  /// Seconds, when profiling.
  public var seconds = 0.0
  /// Floating-point operations.
  public var flops = 0
  /// Bytes read and written, each operand counted once.
  public var bytes = 0

  /// Nothing counted.
  public init() {}
}
