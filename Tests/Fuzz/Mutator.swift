// SPDX-License-Identifier: Apache-2.0

import Base

/// Broken variants of whole files.
struct Mutator {
  private let seeds: [[UInt8]]
  private let seed: UInt64
  /// Words and numbers of the seeds, and some that break things.
  private let tokens: [[UInt8]]

  private static let extremes = [
    "0", "-0", "-1", "1", "1e308", "-1e308", "1e999", "1e-320", "0.5", "1e15", "4503599627370497",
    "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615",
    "2147483648", "4294967296", "65536", "nan", "inf", "1e18", "99999999999", "3.4e38",
  ].map { Array($0.utf8) }
  private static let marks = [
    "{", "}", "[", "]", ",", ":", "\"", "\n", "\t", " ", "\r\n", "null", "true", "{}", "[]", "\\",
    "\u{0}", "\u{FEFF}", "\\ud800", "é", "\u{1B}[31m", "<b>", "../", ".",
  ].map { Array($0.utf8) }

  /// - Parameters:
  ///   - seeds: whole files, at least one.
  ///   - seed: what the variants are drawn from.
  init(seeds: [[UInt8]], seed: UInt64) {
    (self.seeds, self.seed) = (seeds, seed)
    let words = seeds.flatMap { $0.prefix(1 << 14).split { !Self.isWord($0) }.map(Array.init) }
    tokens =
      Self.extremes + Self.marks
      + Set(words.prefix(2000)).sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// Variant number n: the seeds themselves first, then each with one to eight changes.
  func input(_ number: Int) -> [UInt8] {
    if seeds.indices.contains(number) { return seeds[number] }
    var random = RandomStream(seed: seed, stream: UInt64(number))
    var bytes = seeds[random.integer(below: seeds.count)]
    for _ in 0...random.integer(below: 1 + random.integer(below: 8)) { change(&bytes, &random) }
    return bytes
  }

  private func change(_ bytes: inout [UInt8], _ random: inout RandomStream) {
    let place = random.integer(below: bytes.count + 1)
    let rest = place..<min(bytes.count, place + 1 + random.integer(below: 16))
    switch random.integer(below: 14) {
    case 0, 1:
      guard place < bytes.count else { return }
      bytes[place] ^= 1 << UInt8(random.integer(below: 8))
    case 2:
      guard place < bytes.count else { return }
      bytes[place] =
        [0, 0xFF, 0x7F, 0x80, 1, UInt8(random.integer(below: 256))][
          random.integer(below: 6)]
    case 3: bytes.insert(contentsOf: chosen(tokens, &random), at: place)
    case 4: bytes.removeSubrange(rest)
    case 5: bytes.insert(contentsOf: bytes[rest], at: random.integer(below: bytes.count + 1))
    case 6, 7, 8: replaceNumber(&bytes, near: place, by: chosen(Self.extremes, &random))
    case 9: replaceNumber(&bytes, near: place, by: Array("\(Int(random.next() >> 40))".utf8))
    case 10: splice(&bytes, at: place, &random)
    case 11: bytes.removeSubrange(place...)
    case 12: setInteger(&bytes, at: place, &random)
    default: lines(&bytes, at: place, &random)
    }
  }

  /// Puts other digits in the place of the next number.
  private func replaceNumber(_ bytes: inout [UInt8], near place: Int, by digits: [UInt8]) {
    guard let start = bytes[place...].firstIndex(where: Self.isDigit) else { return }
    let end = bytes[start...].firstIndex { !Self.isNumeric($0) } ?? bytes.count
    bytes.replaceSubrange(start..<end, with: digits)
  }

  /// Goes on with another file from some place.
  private func splice(_ bytes: inout [UInt8], at place: Int, _ random: inout RandomStream) {
    let other = seeds[random.integer(below: seeds.count)]
    bytes.replaceSubrange(place..., with: other[random.integer(below: other.count + 1)...])
  }

  /// Overwrites four or eight bytes by an extreme number.
  private func setInteger(_ bytes: inout [UInt8], at place: Int, _ random: inout RandomStream) {
    let values: [UInt64] = [0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 63, .max, 1 << 62, random.next()]
    let value = values[random.integer(below: values.count)]
    for (offset, target) in (place..<min(bytes.count, place + 4 * (1 + random.integer(below: 2))))
      .enumerated()
    { bytes[target] = UInt8(truncatingIfNeeded: value >> UInt64(8 * offset)) }
  }

  /// Repeats a line or a piece many times, or drops a line.
  private func lines(_ bytes: inout [UInt8], at place: Int, _ random: inout RandomStream) {
    let start = (bytes[..<place].lastIndex(of: 10) ?? -1) + 1
    let end = bytes[place...].firstIndex(of: 10).map { $0 + 1 } ?? bytes.count
    if random.integer(below: 2) == 0 { return bytes.removeSubrange(start..<end) }
    let isPiece = random.integer(below: 2) == 0
    let piece =
      isPiece ? bytes[place..<min(end, place + 1 + random.integer(below: 8))] : bytes[start..<end]
    let times = min(1 << random.integer(below: 14), 40_000 / max(piece.count, 1))
    bytes.insert(contentsOf: (0..<times).flatMap { _ in piece }, at: place)
  }

  private func chosen(_ list: [[UInt8]], _ random: inout RandomStream) -> [UInt8] {
    list[random.integer(below: list.count)]
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static func isNumeric(_ byte: UInt8) -> Bool {
    isDigit(byte) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains(byte)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7F && ![0x22, 0x2C, 0x3A, 0x3D, 0x5B, 0x5D, 0x7B, 0x7D].contains(byte)
  }
}
