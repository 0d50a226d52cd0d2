// SPDX-License-Identifier: Apache-2.0

/// What is wrong with the beginning of a text that another program has saved again, for the message;
/// nil where it is plain UTF-8.
///
/// - Parameter bytes: the first ones of the file.
func foreignEncoding(_ bytes: some Collection<UInt8>) -> String? {
  let start = Array(bytes.prefix(4))
  if start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF]) {
    return "the file is UTF-16, not UTF-8"
  }
  if start.starts(with: [0xEF, 0xBB, 0xBF]) {
    return "the file begins with a byte order mark"
  }
  if start.count == 4, start[0] == 0 || start[1] == 0 {
    return "the file is UTF-16 without a byte order mark, or no text"
  }
  return nil
}

/// The beginning of a line as a quoted text, tabs and other controls visible.
func shownText(_ bytes: some Collection<UInt8>, atMost count: Int = 60) -> String {
  String(decoding: bytes.prefix(count), as: UTF8.self).debugDescription
    + (bytes.count > count ? "…" : "")
}
