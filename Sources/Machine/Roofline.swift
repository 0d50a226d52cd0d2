import Autodiff

/// The two limits of a machine: how fast it computes, and how fast it reads and writes main memory.
///
/// Source: Williams et al., "Roofline: An Insightful Visual Performance Model" (2009), Communications
/// of the ACM 52 (4).
public struct Roofline: Sendable, Equatable {
  /// Floating-point operations a nanosecond.
  public let gflopsPerS: Double
  /// Bytes a nanosecond.
  public let gigabytesPerS: Double

  /// Limits that are known.
  public init(gflopsPerS: Double, gigabytesPerS: Double) {
    self.gflopsPerS = gflopsPerS
    self.gigabytesPerS = gigabytesPerS
  }

  /// Measures both on as many threads, which takes about half a second.
  public static func measured(threads: Int) -> Roofline {
    Roofline(
      gflopsPerS: measureProductPeak(threads: threads),
      gigabytesPerS: measureMemoryBandwidth(threads: threads))
  }

  /// The seconds that this work takes at least where its operands come from main memory.
  public func seconds(flops: Int, bytes: Int) -> Double {
    max(Double(flops) / gflopsPerS, Double(bytes) / gigabytesPerS) / 1e9
  }
}
