// SPDX-License-Identifier: Apache-2.0

import Base

/// Weights of which many are removed, as files keep them: the numbers that are left, and a bit for each
/// place.
///
///     NAME.mask   U8 [⌈count/8⌉]   bit i of byte j is set where element 8j + i is kept
///     NAME.kept   F32 [kept]       these elements in their order
///
/// The metadata `lra.format` is `bitmask`, and `NAME.shape` the shape, as `64 128`.
package enum Bitmask {
  private static let format = "lra.format"
  private static let name = "bitmask"

  /// A file with some of its arrays as masks.
  ///
  /// - Parameter kept: by name, whether each element is kept.
  package static func packed(_ file: SafeTensors, kept: [String: [Bool]]) throws -> SafeTensors {
    var result = SafeTensors()
    result.metadata = file.metadata
    result.metadata[format] = name
    for entry in file.entries {
      let values = try file.floats(entry.name)
      guard let mask = kept[entry.name] else {
        result.add(entry.name, shape: entry.shape, values)
        continue
      }
      var bits = [UInt8](repeating: 0, count: (values.count + 7) / 8)
      for place in mask.indices where mask[place] { bits[place / 8] |= 1 << (place % 8) }
      let numbers = zip(values, mask).filter(\.1).map(\.0)
      result.metadata["\(entry.name).shape"] = entry.shape.map(String.init).joined(separator: " ")
      result.add("\(entry.name).mask", shape: [bits.count], bits)
      result.add("\(entry.name).kept", shape: [numbers.count], numbers)
    }
    return result
  }

  /// A file with zeros where nothing is kept; one of another format as it is.
  ///
  /// - Parameter path: for messages.
  /// - Throws: `UserError(.badData)` for masks that do not fit their numbers.
  package static func expanded(_ file: SafeTensors, path: String) throws -> SafeTensors {
    guard file.metadata[format] == name else { return file }
    var result = SafeTensors()
    result.metadata = file.metadata.filter { $0.key != format && !$0.key.hasSuffix(".shape") }
    for entry in file.entries where !entry.name.hasSuffix(".kept") {
      guard let name = entry.name.removing(suffix: ".mask") else {
        result.add(entry.name, shape: entry.shape, try file.floats(entry.name))
        continue
      }
      let (shape, mask) = try mask(name, in: file, path: path)
      var numbers = try file.floats("\(name).kept")[...]
      let values = mask.map { $0 ? numbers.popFirst() ?? 0 : 0 }
      result.add(name, shape: shape, values)
    }
    return result
  }

  /// Which elements of each array a file keeps; empty for one of another format.
  package static func masks(_ file: SafeTensors, path: String) throws -> [String: [Bool]] {
    guard file.metadata[format] == name else { return [:] }
    let names = file.entries.compactMap { $0.name.removing(suffix: ".mask") }
    return try names.reduce(into: [:]) { $0[$1] = try mask($1, in: file, path: path).mask }
  }

  private static func mask(
    _ name: String, in file: SafeTensors, path: String
  ) throws -> (shape: [Int], mask: [Bool]) {
    let bits = try file.bytes("\(name).mask")
    let words = (file.metadata["\(name).shape"] ?? "").split(separator: " ")
    let shape = words.compactMap { Int($0) }
    let room = 8 * bits.count
    // Stops at what no mask of this size can hold, so that no product overflows.
    let count = shape.reduce(shape.isEmpty ? 0 : 1) { product, side in
      product > room || side < 1 || side > room ? room + 1 : product * side
    }
    let mask = (0..<min(count, room)).map { (place: Int) -> Bool in
      bits[place / 8] & (1 << UInt8(place % 8)) != 0
    }
    let kept: Int = mask.reduce(0) { $1 ? $0 + 1 : $0 }
    let all: Int = bits.reduce(0) { $0 + $1.nonzeroBitCount }
    guard count <= room, room - count < 8, kept == all, kept == file["\(name).kept"]?.count
    else {
      throw UserError(
        .badData, "\(path): \(name).mask does not fit \(name).kept and its shape",
        remedy: "restore the file from a copy")
    }
    return (shape, mask)
  }
}

extension String {
  fileprivate func removing(suffix: String) -> String? {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : nil
  }
}
