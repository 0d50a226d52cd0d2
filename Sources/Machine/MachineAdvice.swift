// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Something slow or missing on a machine, and what to do about it.
package struct MachineAdvice: Codable, Sendable, Equatable {
  /// What is wrong, one sentence.
  package var problem: String
  /// What to do, one sentence.
  package var remedy: String
}

extension MachineReport {
  /// What deserves attention, the most important first; empty on a good machine.
  package var advice: [MachineAdvice] {
    [
      kernelAdvice, vectorAdvice, coreTypeAdvice, libraryAdvice, threadAdvice, loadAdvice,
      spreadAdvice, diskAdvice,
    ].compactMap { $0 }
  }

  private static let rebuild =
    "Build again with make build, or swift build -c release, on this machine and without LRA_ARCH."

  private var kernelAdvice: MachineAdvice? {
    guard !tuned || kernelGflopsPerS.one < 10 else { return nil }
    let speed = String(format: "%.1f", kernelGflopsPerS.one)
    return MachineAdvice(
      problem: "The product kernel reaches \(speed) GFLOP/s a core: the build lacks -march.",
      remedy: Self.rebuild)
  }

  private var vectorAdvice: MachineAdvice? {
    guard tuned, vectorBits < processorVectorBits else { return nil }
    return MachineAdvice(
      problem: "The processor has \(processorVectorBits)-bit vectors, but the build uses "
        + "\(vectorBits) bits.",
      remedy: Self.rebuild)
  }

  /// Bits of the processor's widest vectors, 128 where it is not known to have wider ones.
  private var processorVectorBits: Int {
    let sets = Set(vectorSets)
    if sets.isSuperset(of: ["avx512f", "avx512dq", "avx512bw", "avx512vl"]) { return 512 }
    return sets.isSuperset(of: ["avx2", "fma"]) ? 256 : 128
  }

  private var coreTypeAdvice: MachineAdvice? {
    let slow = ["prescott", "core2", "nehalem", "generic", "katmai", "sandybridge"]
    guard let blas, processorVectorBits > 128, slow.contains(blas.coreType.lowercased()) else {
      return nil
    }
    let better = processorVectorBits == 512 ? "SkylakeX" : "Haswell"
    return MachineAdvice(
      problem: "OpenBLAS uses its \(blas.coreType) kernels, several times slower than this "
        + "processor allows.",
      remedy: "export OPENBLAS_CORETYPE=\(better), or unset it; training does not use OpenBLAS.")
  }

  private var libraryAdvice: MachineAdvice? {
    guard blas == nil else { return nil }
    return MachineAdvice(
      problem: "OpenBLAS is not installed, so bench cannot tell the share of peak; training does "
        + "not need it.",
      remedy: "apt-get install libopenblas-dev")
  }

  private var threadAdvice: MachineAdvice? {
    guard threads > cores else { return nil }
    return MachineAdvice(
      problem: "\(threads) threads are asked for, but there are \(cores) cores.",
      remedy: "Unset LRA_THREADS, or set it to \(cores).")
  }

  private var loadAdvice: MachineAdvice? {
    let usable = min(threads, cores)
    let gain = kernelGflopsPerS.all / kernelGflopsPerS.one
    if busyCores > 0.3 {
      return MachineAdvice(
        problem: String(format: "Other programs keep %.1f of %d cores busy.", busyCores, cores),
        remedy: "Stop them, or measure and train when they are done.")
    }
    guard gain < 0.6 * Double(usable) else { return nil }
    return MachineAdvice(
      problem: String(format: "%d threads are only %.1f times as fast as one.", usable, gain),
      remedy: "Look for other programs (top) and for a limit on the container's processor time.")
  }

  private var spreadAdvice: MachineAdvice? {
    guard kernelSpread > 0.15 else { return nil }
    return MachineAdvice(
      problem: "Two measurements of the same work differ by \(formatPercent(kernelSpread)).",
      remedy: "Something else uses the machine; run lra doctor again, and time things repeatedly.")
  }

  private var diskAdvice: MachineAdvice? {
    guard let freeDiskBytes, freeDiskBytes < 1 << 30 else { return nil }
    return MachineAdvice(
      problem: "Only \(formatBytes(freeDiskBytes)) are free in this folder.",
      remedy: "Free some space, or use --output and LRA_DATA to write elsewhere.")
  }
}
