// SPDX-License-Identifier: Apache-2.0

import CZlib

/// Pictures with one byte of grey or three of colour a pixel in the PNG format, without interlacing.
///
///     89 "PNG" 0D 0A 1A 0A | chunks: u32 length, name, data, u32 CRC of name and data
///     IHDR: u32 width, u32 height, 8 bits, colour type 0 or 2, 0, 0, no interlacing
///     IDAT: zlib stream of rows, each after its filter
///
/// Source: W3C, "Portable Network Graphics Specification", third edition; zlib does the compression.
package enum PNG {
  /// What is wrong with a file, to follow its name and a colon.
  package struct Fault: Error {
    /// Without a full stop.
    package let text: String
  }

  private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  // MARK: Reading

  /// What a pixel consists of; the raw value is the format's colour type.
  package enum Pixel: UInt8, Sendable {
    case grey = 0
    /// Red, green and blue.
    case colour = 2

    /// Bytes of a pixel.
    package var bytes: Int { self == .grey ? 1 : 3 }
  }

  /// What the header says of the pixels; nil where it says neither, or is none.
  package static func pixel(_ bytes: [UInt8]) -> Pixel? {
    // The header's chunk follows the signature: length, name, width, height, bits, colour type.
    bytes.count > 25 ? Pixel(rawValue: bytes[25]) : nil
  }

  /// The values of a picture, pixel by pixel, row by row.
  ///
  /// - Parameters:
  ///   - width: pixels of a row that the picture must have.
  ///   - height: rows that the picture must have.
  ///   - pixel: what a pixel must consist of.
  package static func decode(
    _ bytes: [UInt8], width: Int, height: Int, pixel: Pixel = .grey
  ) throws(Fault) -> [UInt8] {
    guard bytes.starts(with: signature) else { throw Fault(text: "this is not a PNG file") }
    var (place, compressed) = (signature.count, [UInt8]())
    var (isFirst, isComplete) = (true, false)
    while !isComplete {
      let chunk = try chunk(bytes, at: place)
      switch (isFirst, chunk.name) {
      case (true, "IHDR"): try check(header: Array(chunk.data), width, height, pixel)
      case (true, _): throw Fault(text: "the picture's header is missing")
      case (false, "IDAT"): compressed += chunk.data
      case (false, "IEND"): isComplete = true
      case (false, _):
        // A small first letter marks what may be passed over.
        guard chunk.name.first?.isLowercase == true else {
          throw Fault(text: "the part \(chunk.name.debugDescription) is not understood")
        }
      }
      isFirst = false
      place = chunk.data.endIndex + 4
    }
    let row = width * pixel.bytes
    let rows = try inflated(compressed, count: (row + 1) * height)
    return try unfiltered(rows, width: row, step: pixel.bytes)
  }

  private static func chunk(
    _ bytes: [UInt8], at place: Int
  ) throws(Fault) -> (name: String, data: ArraySlice<UInt8>) {
    let cut = Fault(text: "the picture is cut short")
    guard place + 12 <= bytes.count else { throw cut }
    let length = number(bytes[place..<(place + 4)])
    guard length <= bytes.count - place - 12 else { throw cut }
    let data = (place + 8)..<(place + 8 + length)
    let sum = checksum(bytes[(place + 4)..<data.upperBound])
    guard number(bytes[data.upperBound..<(data.upperBound + 4)]) == Int(sum) else {
      throw Fault(text: "the picture is damaged, a checksum does not fit")
    }
    let name = String(decoding: bytes[(place + 4)..<(place + 8)], as: UTF8.self)
    return (name, bytes[data])
  }

  private static func check(
    header: [UInt8], _ width: Int, _ height: Int, _ pixel: Pixel
  ) throws(Fault) {
    guard header.count == 13 else { throw Fault(text: "the picture's header is damaged") }
    let (columns, rows) = (number(header[..<4]), number(header[4..<8]))
    guard columns == width, rows == height else {
      throw Fault(text: "the picture has \(columns) x \(rows) pixels, not \(width) x \(height)")
    }
    let kinds: [UInt8: String] = [
      0: "grey alone", 2: "colour", 3: "a palette", 4: "transparency", 6: "colour and transparency",
    ]
    guard header[9] == pixel.rawValue else {
      let (found, wanted) = (kinds[header[9]] ?? "unknown colours", kinds[pixel.rawValue] ?? "")
      throw Fault(text: "the picture has \(found), not \(wanted)")
    }
    guard header[8] == 8 else {
      throw Fault(text: "the picture has \(header[8]) bits a pixel, not 8")
    }
    guard header[10] == 0, header[11] == 0, header[12] == 0 else {
      throw Fault(text: "the picture is interlaced, or compressed in an unknown way")
    }
  }

  private static func inflated(_ bytes: [UInt8], count: Int) throws(Fault) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: count)
    var filled = uLong(count)
    let status = uncompress(&result, &filled, bytes, uLong(bytes.count))
    guard status == Z_OK, filled == count else {
      throw Fault(text: "the picture is damaged, its pixels cannot be unpacked")
    }
    return result
  }

  /// Undoes the filters of the rows.
  ///
  /// - Parameters:
  ///   - width: bytes of a row.
  ///   - step: bytes of a pixel: a filter predicts a byte from that of the pixel to its left.
  private static func unfiltered(
    _ rows: [UInt8], width: Int, step: Int
  ) throws(Fault) -> [UInt8] {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(rows.count)
    for start in stride(from: 0, to: rows.count, by: width + 1) {
      let (filter, above) = (rows[start], pixels.count - width)
      guard filter <= 4 else { throw Fault(text: "the picture has a row with an unknown filter") }
      for column in 0..<width {
        let left = column >= step ? pixels[pixels.count - step] : 0
        let up = above >= 0 ? pixels[above + column] : 0
        let corner = column >= step && above >= 0 ? pixels[above + column - step] : 0
        pixels.append(rows[start + 1 + column] &+ predicted(filter, left, up, corner))
      }
    }
    return pixels
  }

  private static func predicted(
    _ filter: UInt8, _ left: UInt8, _ up: UInt8, _ corner: UInt8
  ) -> UInt8 {
    switch filter {
    case 0: return 0
    case 1: return left
    case 2: return up
    case 3: return UInt8((Int(left) + Int(up)) / 2)
    default:
      let estimate = Int(left) + Int(up) - Int(corner)
      let (toLeft, toUp) = (abs(estimate - Int(left)), abs(estimate - Int(up)))
      let toCorner = abs(estimate - Int(corner))
      if toLeft <= toUp && toLeft <= toCorner { return left }
      return toUp <= toCorner ? up : corner
    }
  }

  // MARK: Writing

  /// A file with the grey values, row by row.
  ///
  /// - Precondition: the values fill whole rows.
  package static func encode(_ pixels: [UInt8], width: Int) -> [UInt8] {
    precondition(pixels.count % width == 0, "PNG: \(pixels.count) pixels in rows of \(width)")
    let height = pixels.count / width
    let rows = (0..<height).flatMap { row in [0] + pixels[(row * width)..<((row + 1) * width)] }
    let header = big(width) + big(height) + [8, 0, 0, 0, 0]
    return signature + chunk("IHDR", header) + chunk("IDAT", deflated(rows)) + chunk("IEND", [])
  }

  private static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
    let content = Array(name.utf8) + data
    return big(data.count) + content + big(Int(checksum(content[...])))
  }

  private static func deflated(_ bytes: [UInt8]) -> [UInt8] {
    var size = compressBound(uLong(bytes.count))
    var result = [UInt8](repeating: 0, count: Int(size))
    let status = compress2(&result, &size, bytes, uLong(bytes.count), 6)
    precondition(status == Z_OK, "compress2: no memory")
    return Array(result.prefix(Int(size)))
  }

  // MARK: Numbers

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reduce(0) { $0 << 8 | Int($1) }
  }

  private static func big(_ number: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt {
    bytes.withUnsafeBufferPointer { crc32(0, $0.baseAddress, UInt32($0.count)) }
  }
}
