// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The most main memory that this process has held at once, in bytes.
///
/// It is the kernel's count, `VmHWM` of `/proc/self/status`, and 0 where that file does not exist.
package func peakResidentBytes() -> Int {
  for line in systemText("/proc/self/status").split(separator: "\n")
  where line.hasPrefix("VmHWM:") {
    let words = line.split { $0 == " " || $0 == "\t" }
    return words.count > 1 ? (Int(words[1]) ?? 0) * 1024 : 0
  }
  return 0
}

/// Starts the peak anew from the memory held now, to measure one stretch of work by itself.
///
/// - Returns: whether the kernel allowed it; if not, the peak goes on from the process's start.
@discardableResult
package func resetPeakResidentBytes() -> Bool {
  let descriptor = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return false }
  defer { close(descriptor) }
  return write(descriptor, "5", 1) == 1
}
