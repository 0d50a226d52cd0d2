// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The program as the user called it, as a word of a shell, for commands to be typed next.
package let programWord = shellQuoted(CommandLine.arguments.first ?? "lra")

/// A number in a format of C; what is no number as `nan`, without the sign that C would print.
package func formatNumber(_ format: String, _ value: Double) -> String {
  value.isNaN ? "nan" : String(format: format, value)
}

/// A number of things: `1 thread`, `2,000 examples`.
///
/// - Parameter noun: of one thing; its plural must end in s.
package func counted(_ count: Int, _ noun: String) -> String {
  "\(formatCount(count)) \(noun)\(count == 1 ? "" : "s")"
}

/// A duration: `45 s`, `26 min`, `1 h 05 min`.
package func formatDuration(seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "unknown" }
  if seconds < 59.5 { return "\(Int(seconds.rounded())) s" }
  let minutes = Int((seconds / 60).rounded())
  return minutes < 60
    ? "\(minutes) min" : "\(minutes / 60) h \(String(format: "%02d", minutes % 60)) min"
}

/// A size in memory or on disk in binary units: `512 B`, `3.4 KiB`, `72.0 MiB`, `1.5 GiB`.
package func formatBytes(_ bytes: Int) -> String {
  if bytes < 1024 { return "\(bytes) B" }
  var size = Double(bytes) / 1024
  for unit in ["KiB", "MiB", "GiB"] {
    // 1023.95 would print as 1024.0.
    if size < 1023.95 { return String(format: "%.1f ", size) + unit }
    size /= 1024
  }
  return String(format: "%.1f TiB", size)
}

/// A fraction as per cent with one decimal: `32.4 %`.
package func formatPercent(_ fraction: Double) -> String {
  formatNumber("%.1f", fraction * 100) + " %"
}

/// Reads a length of time: `20m`, `1h30m`, `45s`, `2d`, or a plain number of seconds.
///
/// - Returns: seconds, above zero.
/// - Throws: `UserError(.usage)` that names `option` when the text is anything else.
package func parseDuration(_ text: String, option: String = "duration") throws -> Double {
  let failure = UserError(
    .usage, "\(option): \"\(text)\" is not a length of time",
    remedy: "write it as 45s, 20m, 1h30m or as seconds")
  var total = 0.0
  var digits = ""
  // Units must become smaller, so that a slip like "30m1h" is caught.
  var units: [(name: Character, seconds: Double)] = [
    ("d", 86400), ("h", 3600), ("m", 60), ("s", 1),
  ]
  for character in text.lowercased() {
    if character.isASCII && (character.isNumber || character == ".") {
      digits.append(character)
      continue
    }
    guard let unit = units.firstIndex(where: { $0.name == character }),
      let count = Double(digits)
    else { throw failure }
    total += count * units[unit].seconds
    units.removeFirst(unit + 1)
    digits = ""
  }
  if !digits.isEmpty {
    guard let seconds = Double(digits), total == 0 else { throw failure }
    total = seconds
  }
  guard total > 0, total < 1e9 else { throw failure }
  return total
}

/// Reads a size: `4GiB`, `512MiB`, `4G`, or a plain number of bytes; units are powers of 1,024.
///
/// - Returns: bytes, above zero.
/// - Throws: `UserError(.usage)` that names `option` when the text is anything else.
package func parseBytes(_ text: String, option: String = "size") throws -> Int {
  let units: [(String, Double)] = [("k", 10), ("m", 20), ("g", 30), ("t", 40)]
  let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
  var unit = text.dropFirst(digits.count).trimmingCharacters(in: .whitespaces).lowercased()
  for ending in ["ib", "b"] where unit.hasSuffix(ending) {
    unit.removeLast(ending.count)
    break
  }
  let power = unit.isEmpty ? 0 : units.first { $0.0 == unit }?.1
  guard let number = Double(digits), let power, number * pow(2, power) >= 1,
    number * pow(2, power) < 1e18
  else {
    throw UserError(
      .usage, "\(option): \"\(text)\" is not a size",
      remedy: "write it as 4GiB, 512MiB or as bytes")
  }
  return Int(number * pow(2, power))
}
