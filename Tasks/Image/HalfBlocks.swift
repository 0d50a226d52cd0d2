// SPDX-License-Identifier: Apache-2.0

/// A picture's tokens, grey values plus 1, as numbers.
func greyNumbers(_ tokens: [Int32]) -> String {
  tokens.map { $0 == 0 ? "<pad>" : "\($0 - 1)" }.joined(separator: " ")
}

/// A picture's tokens, grey values plus 1, in half blocks.
func halfBlocks(_ tokens: [Int32], width: Int, inColor: Bool) -> String {
  halfBlocks(tokens.map { UInt8(clamping: $0 - 1) }, width: width, inColor: inColor)
}

/// A grey picture for a terminal, two pixels a character, one above the other.
///
/// In colour the upper half block has the upper pixel's grey before the lower pixel's. Without
/// colours each half is on or off, with the error of that passed on to the neighbours
/// (Floyd and Steinberg, "An adaptive algorithm for spatial grey scale", 1976).
///
/// - Parameters:
///   - grey: 0 is black, row by row; an incomplete last row is filled up with black.
///   - inColor: whether the terminal knows the 24 greys of the 256-colour palette.
func halfBlocks(_ grey: [UInt8], width: Int, inColor: Bool) -> String {
  let height = (grey.count + 2 * width - 1) / (2 * width) * 2
  let padded = grey + [UInt8](repeating: 0, count: height * width - grey.count)
  let shown = inColor ? padded : dithered(padded, width: width)
  return stride(from: 0, to: height, by: 2).map { row in
    let upper = shown[(row * width)..<((row + 1) * width)]
    let lower = shown[((row + 1) * width)..<((row + 2) * width)]
    let pairs = zip(upper, lower)
    return inColor
      ? pairs.map(coloredBlock).joined() + "\u{1B}[0m"
      : pairs.map { (upper, lower) in
        upper > 0 ? (lower > 0 ? "█" : "▀") : (lower > 0 ? "▄" : " ")
      }.joined()
  }.joined(separator: "\n")
}

/// Palette entries 232 to 255 are greys from nearly black to nearly white.
private func coloredBlock(_ upper: UInt8, _ lower: UInt8) -> String {
  let (front, back) = (232 + Int(upper) * 24 / 256, 232 + Int(lower) * 24 / 256)
  return "\u{1B}[38;5;\(front);48;5;\(back)m▀"
}

/// Black and white that looks grey from afar.
private func dithered(_ grey: [UInt8], width: Int) -> [UInt8] {
  var level = grey.map(Int.init)
  let spread = [(1, 0, 7), (-1, 1, 3), (0, 1, 5), (1, 1, 1)]  // column, row, sixteenths
  for place in level.indices {
    let white = level[place] >= 128
    let error = level[place] - (white ? 255 : 0)
    level[place] = white ? 255 : 0
    for (column, row, share) in spread {
      let target = place + row * width + column
      guard (0..<width).contains(place % width + column), target < level.count else { continue }
      level[target] += error * share / 16
    }
  }
  return level.map(UInt8.init(clamping:))
}
