// SPDX-License-Identifier: Apache-2.0

/// The JSON at the start of a safetensors file, read strictly and written as the reference does.
struct SafeTensorsHeader {
  private(set) var metadata: [String: String] = [:]
  /// In the order of their bytes.
  private(set) var entries: [SafeTensors.Entry] = []
  private let name: String

  /// Reads and checks the header of a whole file.
  init(_ file: [UInt8], name: String) throws {
    self.name = name
    guard file.count >= 8 else { throw problem("it has \(file.count) bytes, a header needs 8") }
    let length = file[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= 100_000_000 else {
      throw problem("the header would have \(length) bytes, more than the format allows")
    }
    let start = 8 + Int(length)
    guard start <= file.count else {
      throw problem("the header has \(length) bytes, but only \(file.count - 8) follow")
    }
    guard start > 8 && file[8] == UInt8(ascii: "{") else {
      throw problem("the header does not begin with {")
    }
    try read(parse(file[8..<start]), data: start..<file.count)
    try checkTiling(start..<file.count)
  }

  /// The header's bytes: length, JSON, spaces up to a multiple of eight.
  static func serialized(_ metadata: [String: String], _ entries: [SafeTensors.Entry]) -> [UInt8] {
    var items: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }
        .map { "\(JSONText.quoted($0.key)):\(JSONText.quoted($0.value))" }
      items.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var begin = 0
    for entry in entries {
      let end = begin + entry.bytes.count
      let shape = entry.shape.map(String.init).joined(separator: ",")
      items.append(
        "\(JSONText.quoted(entry.name)):{\"dtype\":\"\(entry.kind.rawValue)\","
          + "\"shape\":[\(shape)],\"data_offsets\":[\(begin),\(end)]}")
      begin = end
    }
    var json = Array("{\(items.joined(separator: ","))}".utf8)
    while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
    return (0..<8).map { UInt8(truncatingIfNeeded: json.count >> ($0 * 8)) } + json
  }

  private func parse(_ bytes: ArraySlice<UInt8>) throws -> JSONText.Value {
    do {
      return try JSONText.parse(bytes)
    } catch let error as JSONText.Failure {
      throw problem("the header is not valid JSON: \(error.reason)")
    }
  }

  private mutating func read(_ root: JSONText.Value, data: Range<Int>) throws {
    guard case .object(let members) = root else { throw problem("the header is no JSON object") }
    for (key, value) in members {
      guard case .object(let fields) = value else { throw problem("\(key) is no JSON object") }
      if key == "__metadata__" {
        for (key, value) in fields {
          guard case .string(let text) = value else {
            throw problem("the metadata \(key) is not a text")
          }
          metadata[key] = text
        }
      } else {
        entries.append(try entry(key, Dictionary(uniqueKeysWithValues: fields), data))
      }
    }
    entries.sort {
      ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound)
    }
  }

  private func entry(
    _ key: String, _ fields: [String: JSONText.Value], _ data: Range<Int>
  ) throws -> SafeTensors.Entry {
    guard case .string(let type)? = fields["dtype"],
      let shape = fields["shape"]?.integers,
      let offsets = fields["data_offsets"]?.integers, offsets.count == 2
    else { throw problem("\(key) needs dtype, shape and two data_offsets") }
    guard let kind = SafeTensors.Kind(rawValue: type) else {
      throw problem("\(key) has the unknown dtype \(type)")
    }
    let (begin, end) = (offsets[0], offsets[1])
    guard begin <= end && end <= data.count else {
      throw problem(
        "\(key) lies at \(begin) to \(end), but there are \(data.count) bytes of data")
    }
    var size = kind.size
    for dimension in shape {
      let product = size.multipliedReportingOverflow(by: dimension)
      if product.overflow { throw problem("the shape \(shape) of \(key) is too large") }
      size = product.partialValue
    }
    guard size == end - begin else {
      throw problem("\(key) of shape \(shape) needs \(size) bytes, but has \(end - begin)")
    }
    return SafeTensors.Entry(
      name: key, kind: kind, shape: shape,
      bytes: data.lowerBound + begin..<data.lowerBound + end)
  }

  /// No hole, no overlap, nothing behind the last array.
  private func checkTiling(_ data: Range<Int>) throws {
    var position = data.lowerBound
    for entry in entries {
      guard entry.bytes.lowerBound == position else {
        let what = entry.bytes.lowerBound > position ? "a hole" : "an overlap"
        throw problem("there is \(what) before \(entry.name)")
      }
      position = entry.bytes.upperBound
    }
    guard position == data.upperBound else {
      throw problem("\(data.upperBound - position) bytes follow the last array")
    }
  }

  private func problem(_ text: String) -> UserError {
    UserError(
      .badData, "\(name): not a valid safetensors file: \(text)",
      remedy: "the file is damaged, cut short or of another format; make or fetch it again")
  }
}
