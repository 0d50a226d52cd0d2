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
