// SPDX-License-Identifier: Apache-2.0

import Base
import CZlib
import Testing

@Suite struct PNGTests {
  /// A picture with every grey value.
  private static let pixels = (0..<256).map { UInt8($0) }

  /// The file of a picture with 16 pixels a row, written apart from the program's own code.
  private static func file(
    header: [UInt8] = [0, 0, 0, 16, 0, 0, 0, 16, 8, 0, 0, 0, 0], rows: [UInt8],
    extra: [(String, [UInt8])] = []
  ) -> [UInt8] {
    var size = compressBound(uLong(rows.count))
    var packed = [UInt8](repeating: 0, count: Int(size))
    #expect(compress(&packed, &size, rows, uLong(rows.count)) == Z_OK)
    let data = Array(packed.prefix(Int(size)))
    // The pixels may be spread over any number of chunks.
    let parts = [("IDAT", Array(data.prefix(5))), ("IDAT", Array(data.dropFirst(5)))]
    let chunks = [("IHDR", header)] + extra + parts + [("IEND", [])]
    return [0x89] + Array("PNG\r\n\u{1A}\n".utf8) + chunks.flatMap { chunk($0.0, $0.1) }
  }

  private static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
    let content = Array(name.utf8) + data
    let sum = content.withUnsafeBufferPointer { crc32(0, $0.baseAddress, UInt32($0.count)) }
    let big = { (number: Int) in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) } }
    return big(data.count) + content + big(Int(sum))
  }

  private static func plainRows(_ pixels: [UInt8]) -> [UInt8] {
    (0..<16).flatMap { [0] + pixels[(16 * $0)..<(16 * $0 + 16)] }
  }

  private func fault(_ bytes: [UInt8]) -> String? {
    do throws(PNG.Fault) {
      _ = try PNG.decode(bytes, width: 16, height: 16)
      return nil
    } catch { return error.text }
  }

  @Test("What is written is read again, and is a PNG file to others")
  func roundTrip() throws {
    let bytes = PNG.encode(Self.pixels, width: 16)
    #expect(try PNG.decode(bytes, width: 16, height: 16) == Self.pixels)
    // The specification's bytes: signature, then the header's chunk.
    #expect(
      Array(bytes.prefix(29)) == [
        0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0,
        0, 16, 0, 0, 0, 16, 8, 0, 0, 0, 0,
      ])
    #expect(bytes.suffix(12) == [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82])
  }

  @Test(
    "Each of the five filters is undone, in grey and in colour", arguments: UInt8(0)...4,
    [PNG.Pixel.grey, .colour])
  func filters(filter: UInt8, pixel: PNG.Pixel) throws {
    let (step, width) = (pixel.bytes, 16 * pixel.bytes)
    // Values that no pattern predicts.
    let pixels = (0..<16 * width).map { UInt8(truncatingIfNeeded: $0 * $0 * 7 + $0 / 5 * 31) }
    var rows: [UInt8] = []
    for row in 0..<16 {
      rows.append(filter)
      for column in 0..<width {
        let place = width * row + column
        let left = column >= step ? Int(pixels[place - step]) : 0
        let up = row > 0 ? Int(pixels[place - width]) : 0
        let corner = row > 0 && column >= step ? Int(pixels[place - width - step]) : 0
        // Of equally near values the specification takes the first of these three.
        let nearest = [left, up, corner].min { a, b in
          abs(left + up - corner - a) < abs(left + up - corner - b)
        }
        let guess = [0, left, up, (left + up) / 2, nearest ?? 0][Int(filter)]
        rows.append(UInt8(truncatingIfNeeded: Int(pixels[place]) - guess))
      }
    }
    let file = Self.file(
      header: [0, 0, 0, 16, 0, 0, 0, 16, 8, pixel.rawValue, 0, 0, 0], rows: rows)
    #expect(PNG.pixel(file) == pixel)
    #expect(try PNG.decode(file, width: 16, height: 16, pixel: pixel) == pixels)
  }

  @Test("Parts that may be passed over are, others are told")
  func extraParts() throws {
    let rows = Self.plainRows(Self.pixels)
    let text = Self.file(
      rows: rows, extra: [("tEXt", Array("Title\0x".utf8)), ("gAMA", [0, 0, 1, 2])])
    #expect(try PNG.decode(text, width: 16, height: 16) == Self.pixels)
    #expect(
      fault(Self.file(rows: rows, extra: [("PLTE", [1, 2, 3])]))
        == "the part \"PLTE\" is not understood")
  }

  @Test(
    "Other kinds of pictures are refused by name",
    arguments: [
      ([0, 0, 0, 16, 0, 0, 0, 17, 8, 0, 0, 0, 0], "the picture has 16 x 17 pixels, not 16 x 16"),
      ([0, 0, 0, 16, 0, 0, 0, 16, 8, 2, 0, 0, 0], "the picture has colour, not grey alone"),
      ([0, 0, 0, 16, 0, 0, 0, 16, 8, 3, 0, 0, 0], "the picture has a palette, not grey alone"),
      ([0, 0, 0, 16, 0, 0, 0, 16, 8, 4, 0, 0, 0], "the picture has transparency, not grey alone"),
      ([0, 0, 0, 16, 0, 0, 0, 16, 16, 0, 0, 0, 0], "the picture has 16 bits a pixel, not 8"),
      (
        [0, 0, 0, 16, 0, 0, 0, 16, 8, 0, 0, 0, 1],
        "the picture is interlaced, or compressed in an unknown way"
      ),
      ([0, 0, 0, 16], "the picture's header is damaged"),
    ])
  func refused(header: [UInt8], problem: String) {
    #expect(fault(Self.file(header: header, rows: Self.plainRows(Self.pixels))) == problem)
  }

  @Test("Files that are cut short or damaged are refused")
  func damaged() {
    let file = Self.file(rows: Self.plainRows(Self.pixels))
    #expect(fault([]) == "this is not a PNG file")
    #expect(fault(Array("GIF89a, something else".utf8)) == "this is not a PNG file")
    for count in 8..<file.count { #expect(fault(Array(file.prefix(count))) != nil, "\(count)") }
    #expect(fault(Array(file.prefix(40))) == "the picture is cut short")
    var changed = file
    changed[60] ^= 1
    #expect(fault(changed) == "the picture is damaged, a checksum does not fit")
    let unpacked = "the picture is damaged, its pixels cannot be unpacked"
    #expect(fault(Self.file(rows: Array(Self.plainRows(Self.pixels).dropLast()))) == unpacked)
    #expect(fault(Self.file(rows: Self.plainRows(Self.pixels) + [0])) == unpacked)
    let filter = [5] + Self.plainRows(Self.pixels).dropFirst()
    #expect(fault(Self.file(rows: filter)) == "the picture has a row with an unknown filter")
    #expect(
      fault(Array(file.prefix(8) + file.dropFirst(33))) == "the picture's header is missing")
  }

  @Test("Changed files end in a picture or in an error, never in a crash")
  func fuzz() {
    var random = RandomStream(seed: 5, stream: fnv1a("png"))
    let file = Self.file(rows: Self.plainRows(Self.pixels))
    for _ in 0..<2000 {
      var bytes = file
      for _ in 0...random.integer(below: 4) {
        let place = random.integer(below: bytes.count)
        switch random.integer(below: 3) {
        case 0: bytes[place] = UInt8(random.integer(below: 256))
        case 1: bytes.remove(at: place)
        default: bytes.insert(bytes[place], at: place)
        }
      }
      // With the checksums put right, what they hide comes to light.
      let repaired = Self.file(
        header: Array(bytes.dropFirst(16).prefix(13)), rows: Array(bytes.dropFirst(41)))
      for candidate in [bytes, repaired] { _ = fault(candidate) }
    }
  }
}
