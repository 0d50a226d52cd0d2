// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation

/// What the machine and the build can do, partly looked up and partly measured.
package struct MachineReport: Codable, Sendable, Equatable {
  /// A speed on one thread and on all of them.
  package struct Speed: Codable, Sendable, Equatable {
    /// On one thread.
    package var one: Double
    /// On as many threads as training uses.
    package var all: Double
  }

  /// The library that serves as yardstick for products.
  package struct BLAS: Codable, Sendable, Equatable {
    /// The file that was opened.
    package var file: String
    /// The kernels in use, in the library's words.
    package var coreType: String
    /// Its version and build options, in its words.
    package var configuration: String
    /// GFLOP/s of sgemm.
    package var gflopsPerS: Speed
  }

  /// The processor's name.
  package var cpu: String
  /// The instruction set, such as `x86_64`.
  package var architecture: String
  /// Cores that this process may use.
  package var cores: Int
  /// Threads that training would use.
  package var threads: Int
  /// Main memory, bytes.
  package var memoryBytes: Int
  /// Free space in the current folder, bytes; nil where the system does not tell.
  package var freeDiskBytes: Int?
  /// Those of the processor's vector instruction sets that matter here.
  package var vectorSets: [String]
  /// Whether the build has this package's flags.
  package var tuned: Bool
  /// Bits of the widest vectors that the kernels were compiled for.
  package var vectorBits: Int
  /// The version of zlib.
  package var zlib: String
  /// OpenBLAS, nil where it is not installed.
  package var blas: BLAS?
  /// GFLOP/s of our own product kernel on operands in the caches.
  package var kernelGflopsPerS: Speed
  /// The same with operands of bfloat16; nil where the processor has no instructions for them.
  package var bf16GflopsPerS: Speed?
  /// Operations in a nanosecond of the same with bytes; nil where the processor has no instructions for them.
  package var int8GopsPerS: Speed?
  /// How far two measurements of the kernel on one thread lay apart, as part of the higher.
  package var kernelSpread: Double
  /// GB/s between cores and main memory.
  package var memoryGigabytesPerS: Speed
  /// Cores kept busy by other programs while this one waited.
  package var busyCores: Double

  /// Floating-point operations per byte above which work is bound by arithmetic, not by memory.
  package var kneeFlopsPerByte: Double { kernelGflopsPerS.all / memoryGigabytesPerS.all }
}

extension MachineReport {
  /// Looks up and measures everything; takes about three seconds.
  ///
  /// - Parameter report: told what is being measured, one line each.
  package static func measure(report: (String) -> Void = { _ in }) -> MachineReport {
    report("watching what else runs")
    let busy = coresBusy(seconds: 0.3)
    let threads = Workers.shared.count
    let environment = RunEnvironment(threads: threads)
    report("measuring products")
    let first = measureProductPeak(threads: 1)
    let all = threads == 1 ? first : measureProductPeak(threads: threads)
    let bf16 =
      ProductKernel.used(for: .bf16) == .bf16 ? measure(.bf16, threads: threads) : nil
    let int8 =
      ProductKernel.used(for: .int8) == .vnni ? measure(.int8, threads: threads) : nil
    let blas = OpenBLAS.shared.map { measure($0, threads: threads) }
    let second = measureProductPeak(threads: 1)
    report("measuring memory")
    let bandwidth = measureMemoryBandwidth(threads: 1)
    return MachineReport(
      cpu: environment.cpu, architecture: environment.architecture, cores: environment.cores,
      threads: threads, memoryBytes: environment.memoryBytes, freeDiskBytes: freeDiskBytes("."),
      vectorSets: relevantSets.filter(OpenBLAS.cpuFlags().contains), tuned: environment.tuned,
      vectorBits: BuildTarget.vectorBits, zlib: Gzip.libraryVersion, blas: blas,
      kernelGflopsPerS: Speed(one: max(first, second), all: all), bf16GflopsPerS: bf16,
      int8GopsPerS: int8,
      kernelSpread: abs(first - second) / max(first, second),
      memoryGigabytesPerS: Speed(
        one: bandwidth, all: threads == 1 ? bandwidth : measureMemoryBandwidth(threads: threads)),
      busyCores: busy)
  }

  private static let relevantSets = [
    "sse4_2", "avx", "avx2", "fma", "avx512f", "avx512dq", "avx512bw", "avx512vl",
    "avx512_bf16", "avx512_vnni", "avx_vnni", "amx_tile",
  ]

  private static func measure(_ precision: Precision, threads: Int) -> Speed {
    let one = measureProductPeak(precision, threads: 1)
    return Speed(
      one: one, all: threads == 1 ? one : measureProductPeak(precision, threads: threads))
  }

  private static func measure(_ library: OpenBLAS, threads: Int) -> BLAS {
    let one = library.measurePeak(threads: 1)
    return BLAS(
      file: library.file, coreType: library.coreType, configuration: library.configuration,
      gflopsPerS: Speed(
        one: one, all: threads == 1 ? one : library.measurePeak(threads: threads)))
  }

  private static func freeDiskBytes(_ folder: String) -> Int? {
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
    return (attributes?[.systemFreeSize] as? NSNumber)?.intValue
  }

  /// Cores that others use while this process sleeps; time taken by other virtual machines counts.
  private static func coresBusy(seconds: Double) -> Double {
    let before = processorTime(in: systemText("/proc/stat"))
    usleep(UInt32(seconds * 1e6))
    let after = processorTime(in: systemText("/proc/stat"))
    let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
    return max(0, Double(after - before) / ticks / seconds)
  }

  /// Clock ticks that all cores together spent working, from the text of `/proc/stat`.
  package static func processorTime(in text: String) -> Int {
    let line = text.split(separator: "\n").first { $0.hasPrefix("cpu ") } ?? ""
    let ticks = line.split(separator: " ").dropFirst().prefix(8).map { Int($0) ?? 0 }
    // user, nice, system, idle, waiting for disks, interrupts, soft interrupts, stolen
    return ticks.enumerated().reduce(0) { [3, 4].contains($1.offset) ? $0 : $0 + $1.element }
  }
}
