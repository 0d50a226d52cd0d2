// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// One file of the binary version of CIFAR-10: records of a label and three planes of 32 × 32 bytes.
///
///     label | 1,024 red | 1,024 green | 1,024 blue, each row by row
///
/// Source: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
package enum CIFARBatch {
  package static let side = 32
  package static let pixels = side * side
  package static let recordSize = 1 + 3 * pixels
  package static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]
  /// Records that are read at once, so that memory holds little more than the grey pictures.
  private static let block = 1000

  /// Adds the grey pictures of a file.
  ///
  /// - Parameter shrink: how many neighbouring pixels, along either side, become one.
  /// - Throws: `UserError` for a file that cannot be read, or whose size or labels are wrong.
  package static func read(
    _ path: String, shrink: Int = 1, into examples: inout PackedExamples
  ) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 { throw UserError.system(.missingInput, "cannot read \(path)") }
    defer { close(descriptor) }
    let count = try recordCount(descriptor, path)
    examples.reserveCapacity(
      examples: examples.count + count,
      tokens: examples.tokens.count + count * pixels / (shrink * shrink))
    var number = 0
    while number < count {
      let wanted = min(block, count - number) * recordSize
      let records = try readBlock(descriptor, atMost: wanted, path)
      if records.count < wanted { throw wrong(path, "the file became shorter while it was read") }
      for start in stride(from: 0, to: wanted, by: recordSize) {
        number += 1
        let label = records[start]
        guard label < classNames.count else {
          throw wrong(path, "record \(number) has the label \(label), not one of 0 to 9")
        }
        append(
          label: label, planes: records[(start + 1)..<(start + recordSize)], shrink: shrink,
          to: &examples)
      }
    }
  }

  /// Adds one picture in grey.
  static func append(
    label: UInt8, planes: ArraySlice<UInt8>, shrink: Int, to examples: inout PackedExamples
  ) {
    var grey = [UInt8](repeating: 0, count: pixels)
    convert(planes, to: &grey)
    examples.append(shrunk(grey, by: shrink)[...], label: label)
  }

  /// Adds the picture of a PNG file, grey as it stands or in colour.
  ///
  /// - Throws: `UserError` for a file that is no such picture of 32 × 32 pixels.
  static func append(
    png path: String, label: UInt8, shrink: Int, to examples: inout PackedExamples
  ) throws {
    let bytes = try readFile(path)
    let pixel = PNG.pixel(bytes) ?? .grey
    do throws(PNG.Fault) {
      let values = try PNG.decode(bytes, width: side, height: side, pixel: pixel)
      guard pixel == .colour else {
        examples.append(shrunk(values, by: shrink)[...], label: label)
        return
      }
      let planes = (0..<3).flatMap { plane in (0..<pixels).map { values[3 * $0 + plane] } }
      append(label: label, planes: planes[...], shrink: shrink, to: &examples)
    } catch {
      throw UserError(
        .badData, "\(path): \(error.text)",
        remedy: "save it as PNG, grey or in colour, with \(side) x \(side) pixels")
    }
  }

  /// Red, green and blue planes to grey, as TensorFlow's `rgb_to_grayscale` does it.
  ///
  ///     ⌊(0.2989 R + 0.5870 G + 0.1140 B) · 255.5 / 255⌋
  ///
  /// Source: tensorflow, image_ops_impl.py: `rgb_to_grayscale`, and `convert_image_dtype`, which
  /// divides by 255, and multiplies by 255.5 before it cuts the fraction off.
  /// Differs: computed exactly; in TensorFlow's 32-bit floats about one colour in 70,000 comes out
  /// one lower or higher.
  package static func convert(_ planes: ArraySlice<UInt8>, to grey: inout [UInt8]) {
    let (red, green) = (planes.startIndex, planes.startIndex + pixels)
    let blue = green + pixels
    for pixel in 0..<pixels {
      let sum =
        2989 * Int(planes[red + pixel]) + 5870 * Int(planes[green + pixel])
        + 1140 * Int(planes[blue + pixel])
      grey[pixel] = UInt8(truncatingIfNeeded: sum * 511 / 5_100_000)
    }
  }

  /// A picture of fewer pixels, each the mean of a square of `factor` × `factor`, rounded.
  package static func shrunk(_ grey: [UInt8], by factor: Int) -> [UInt8] {
    if factor == 1 { return grey }
    let (narrow, area) = (side / factor, factor * factor)
    return (0..<narrow * narrow).map { pixel in
      let first = pixel / narrow * factor * side + pixel % narrow * factor
      let sum = (0..<area).reduce(0) { $0 + Int(grey[first + $1 / factor * side + $1 % factor]) }
      return UInt8((sum + area / 2) / area)
    }
  }

  private static func recordCount(_ descriptor: Int32, _ path: String) throws -> Int {
    var information = stat()
    guard fstat(descriptor, &information) == 0 else {
      throw UserError.system(.missingInput, "cannot read \(path)")
    }
    guard information.st_mode & S_IFMT == S_IFREG else { throw wrong(path, "this is not a file") }
    let size = Int(information.st_size)
    if size == 0 { throw wrong(path, "the file is empty") }
    guard size % recordSize == 0 else {
      throw wrong(path, "\(size) bytes are not a whole number of records of \(recordSize) bytes")
    }
    return size / recordSize
  }

  private static func wrong(_ path: String, _ problem: String) -> UserError {
    UserError(
      .badData, "\(path): \(problem)",
      remedy: "take the file from cifar-10-binary.tar.gz again; \(Image.dataCommand) fetches it")
  }
}
