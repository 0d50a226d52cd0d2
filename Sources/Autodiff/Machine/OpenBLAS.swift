// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// OpenBLAS, opened at run time: the yardstick for the speed of our own products.
///
/// Distributions ship versions that do not know current CPUs and fall back to kernels five times
/// too slow, so the core type is chosen from the CPU's flags before the library is loaded. A
/// user's own `OPENBLAS_CORETYPE` is never changed.
package final class OpenBLAS: Sendable {
  private typealias GEMM =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32,
      UnsafePointer<Float>, Int32, Float, UnsafeMutablePointer<Float>, Int32
    ) -> Void
  private typealias SetThreads = @convention(c) (Int32) -> Void
  private typealias Text = @convention(c) () -> UnsafePointer<CChar>?

  /// The file that was opened.
  package let file: String
  /// The kernels that the library uses, in its own words.
  package let coreType: String
  /// The library's version and build options, in its own words.
  package let configuration: String
  private let gemm: GEMM
  private let setThreads: SetThreads

  /// The library, or nil where it is not installed.
  package static let shared = OpenBLAS()

  private init?() {
    OpenBLAS.chooseCoreType()
    // It begins with one thread: where one that it starts while it is loaded fails, it ends the process.
    let threads = ProcessInfo.processInfo.environment["OPENBLAS_NUM_THREADS"]
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    defer {
      if let threads {
        setenv("OPENBLAS_NUM_THREADS", threads, 1)
      } else {
        unsetenv("OPENBLAS_NUM_THREADS")
      }
    }
    let names = ["libopenblas.so.0", "libopenblas.so", "libopenblas64.so.0"]
    for name in names {
      guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL),
        let gemm = dlsym(handle, "cblas_sgemm"),
        let threads = dlsym(handle, "openblas_set_num_threads"),
        let core = dlsym(handle, "openblas_get_corename"),
        let config = dlsym(handle, "openblas_get_config")
      else { continue }
      self.gemm = unsafeBitCast(gemm, to: GEMM.self)
      setThreads = unsafeBitCast(threads, to: SetThreads.self)
      coreType = unsafeBitCast(core, to: Text.self)().map { String(cString: $0) } ?? "unknown"
      configuration = unsafeBitCast(config, to: Text.self)().map { String(cString: $0) } ?? ""
      file = OpenBLAS.mappedFile(containing: "libopenblas") ?? name
      setThreads(1)
      return
    }
    return nil
  }

  /// GFLOP/s of one 1024³ single-precision product after another on `threads` threads: the best of
  /// several, as a machine shared with others only ever loses time.
  ///
  /// Where the system lets fewer threads start, it is scaled to all.
  package func measurePeak(threads: Int, seconds: Double = 0.3) -> Double {
    let n = 1024
    let matrices = (0..<3).map {
      Tensor(shape: [n, n], [Float](repeating: Float($0), count: n * n))
    }
    let started = startableThreads(threads)
    setThreads(Int32(started))
    defer { setThreads(1) }
    var best = 0.0
    let start = DispatchTime.now().uptimeNanoseconds
    repeat {
      let before = DispatchTime.now().uptimeNanoseconds
      multiply(n, matrices[0], matrices[1], into: matrices[2])
      let elapsed = Double(DispatchTime.now().uptimeNanoseconds - before)
      best = max(best, 2 * Double(n * n * n) / elapsed)
    } while Double(DispatchTime.now().uptimeNanoseconds - start) < seconds * 1e9
    return best * Double(threads) / Double(started)
  }

  private func multiply(_ n: Int, _ a: Tensor, _ b: Tensor, into c: Tensor) {
    let size = Int32(n)
    let (rowMajor, plain): (Int32, Int32) = (101, 111)
    gemm(
      rowMajor, plain, plain, size, size, size, 1, a.pointer, size, b.pointer, size, 0, c.pointer,
      size)
  }

  /// The file a loaded library came from.
  private static func mappedFile(containing name: String) -> String? {
    let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
    let line = maps?.split(separator: "\n").first { $0.contains(name) }
    return line?.split(separator: " ").last.map(String.init)
  }

  private static func chooseCoreType() {
    let flags = cpuFlags()
    if flags.isSuperset(of: ["avx512f", "avx512dq", "avx512bw", "avx512vl"]) {
      setenv("OPENBLAS_CORETYPE", "SkylakeX", 0)
    } else if flags.isSuperset(of: ["avx2", "fma"]) {
      setenv("OPENBLAS_CORETYPE", "Haswell", 0)
    }
  }

  /// The instruction sets the CPU names in /proc/cpuinfo.
  package static func cpuFlags() -> Set<String> {
    let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = info.split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
    return Set(line.split(separator: " ").map(String.init))
  }
}
