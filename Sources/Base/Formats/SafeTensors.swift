// SPDX-License-Identifier: Apache-2.0

import Foundation

#if _endian(big)
  #error("safetensors data is little-endian and copied without conversion")
#endif

/// Named arrays in one file, in the safetensors format, which Python and Rust read as well.
///
///     u64 header length N | N bytes of JSON, padded with spaces to 8 | data
///
/// Source: huggingface/safetensors, README "Format"; the reading rules follow its version 0.8.
package struct SafeTensors: Sendable {
  /// The types of elements, in the order in which the reference writer sorts them.
  package enum Kind: String, CaseIterable, Sendable {
    case boolean = "BOOL"
    case u8 = "U8"
    case i8 = "I8"
    case i16 = "I16"
    case u16 = "U16"
    case f16 = "F16"
    case bf16 = "BF16"
    case i32 = "I32"
    case u32 = "U32"
    case f32 = "F32"
    case f64 = "F64"
    case i64 = "I64"
    case u64 = "U64"

    /// Bytes in one element.
    package var size: Int {
      switch self {
      case .boolean, .u8, .i8: 1
      case .i16, .u16, .f16, .bf16: 2
      case .i32, .u32, .f32: 4
      case .f64, .i64, .u64: 8
      }
    }
  }

  /// One array: what it is called, and where its elements lie.
  package struct Entry: Sendable, Equatable {
    /// The name, unique in the file.
    package let name: String
    /// The type of its elements.
    package let kind: Kind
    /// Row-major; empty for a single number.
    package let shape: [Int]
    /// The place of the elements among the bytes held in memory.
    package let bytes: Range<Int>

    /// The number of elements.
    package var count: Int { bytes.count / kind.size }
  }

  /// Free text about the file.
  package var metadata: [String: String] = [:]
  /// The arrays, in the order of the file or of the calls of `add`.
  package private(set) var entries: [Entry] = []
  /// Where the bytes come from, for messages.
  private let name: String
  private var storage: [UInt8] = []
  private var indices: [String: Int] = [:]

  /// Nothing yet, to be filled with `add`.
  package init() { name = "new file" }

  /// Reads a file and checks every rule of the format.
  ///
  /// - Throws: `UserError` of kind `missingInput`, or `badData` for a truncated or foreign file.
  package init(contentsOf path: String) throws {
    try self.init(readFile(path), name: path)
  }

  /// Reads bytes that came from `name`.
  ///
  /// - Throws: `UserError` of kind `badData` when a rule of the format is broken.
  package init(_ bytes: [UInt8], name: String) throws {
    let header = try SafeTensorsHeader(bytes, name: name)
    (self.name, storage) = (name, bytes)
    (metadata, entries) = (header.metadata, header.entries)
    for (index, entry) in entries.enumerated() { indices[entry.name] = index }
  }

  /// The array of that name, nil when there is none.
  package subscript(name: String) -> Entry? { indices[name].map { entries[$0] } }

  /// Elements of an array of floating-point numbers: F32 as they stand, F16 and BF16 without loss, F64
  /// rounded; of I8 with an array `NAME.scale` each row's bytes times its scale.
  ///
  /// - Throws: `UserError` of kind `badData` when the array is missing or of another type.
  package func floats(_ name: String) throws -> [Float] {
    let entry = try entry(name, .f32, .f16, .bf16, .f64, .i8)
    return switch entry.kind {
    case .i8: try scaled(entry)
    case .f16: (values(entry) as [UInt16]).map(Float.init(halfBits:))
    case .bf16: (values(entry) as [UInt16]).map { Float(bitPattern: UInt32($0) << 16) }
    case .f64: (values(entry) as [Double]).map(Float.init)
    default: values(entry)
    }
  }

  /// Bytes times the scale of their row.
  private func scaled(_ entry: Entry) throws -> [Float] {
    let scales: [Float] = values(try self.entry("\(entry.name).scale", .f32))
    guard let rows = entry.shape.first, rows == scales.count, entry.count % max(rows, 1) == 0 else {
      throw UserError(
        .badData,
        "\(self.name): \(entry.name).scale has \(scales.count) numbers for the array \(entry.shape)",
        remedy: "the file is damaged, or of another program; make or fetch it again")
    }
    let columns = entry.count / max(rows, 1)
    return (values(entry) as [Int8]).enumerated().map {
      scales[$0.offset / columns] * Float($0.element)
    }
  }

  /// Elements of an F64 array.
  package func doubles(_ name: String) throws -> [Double] { try values(entry(name, .f64)) }

  /// Elements of an I32 or I64 array.
  package func integers(_ name: String) throws -> [Int64] {
    let entry = try entry(name, .i64, .i32)
    return entry.kind == .i64 ? values(entry) : (values(entry) as [Int32]).map(Int64.init)
  }

  /// Elements of a U64 array.
  package func unsigned(_ name: String) throws -> [UInt64] { try values(entry(name, .u64)) }

  /// Elements of a U8 array.
  package func bytes(_ name: String) throws -> [UInt8] { try values(entry(name, .u8)) }

  /// Adds an array of 32-bit floating-point numbers.
  ///
  /// - Precondition: as for every `add`, the name is new and the shape holds `values.count`.
  package mutating func add(_ name: String, shape: [Int], _ values: [Float]) {
    append(name, .f32, shape, values)
  }

  /// Adds an array of 64-bit floating-point numbers.
  package mutating func add(_ name: String, shape: [Int], _ values: [Double]) {
    append(name, .f64, shape, values)
  }

  /// Adds an array of 32-bit integers.
  package mutating func add(_ name: String, shape: [Int], _ values: [Int32]) {
    append(name, .i32, shape, values)
  }

  /// Adds an array of 64-bit integers.
  package mutating func add(_ name: String, shape: [Int], _ values: [Int64]) {
    append(name, .i64, shape, values)
  }

  /// Adds an array of unsigned 64-bit integers.
  package mutating func add(_ name: String, shape: [Int], _ values: [UInt64]) {
    append(name, .u64, shape, values)
  }

  /// Adds an array of signed bytes.
  package mutating func add(_ name: String, shape: [Int], _ values: [Int8]) {
    append(name, .i8, shape, values)
  }

  /// Adds an array of bytes.
  package mutating func add(_ name: String, shape: [Int], _ values: [UInt8]) {
    append(name, .u8, shape, values)
  }

  /// Writes the file at once under its name.
  ///
  /// - Throws: `UserError` of kind `cannotWrite`.
  package func write(to path: String) throws {
    let file = try AtomicFile(path)
    try forEachPart { try file.write($0) }
    try file.commit()
  }

  /// The file's bytes, as `write` writes them.
  package func serialized() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(storage.count + 1024)
    forEachPart { bytes += $0 }
    return bytes
  }

  /// The header, then the arrays with the widest elements first, which keeps all of them aligned.
  private func forEachPart(_ body: (ArraySlice<UInt8>) throws -> Void) rethrows {
    let sorted = entries.sorted { a, b in
      a.kind == b.kind
        ? a.name.utf8.lexicographicallyPrecedes(b.name.utf8) : a.kind.rank > b.kind.rank
    }
    try body(SafeTensorsHeader.serialized(metadata, sorted)[...])
    for entry in sorted { try body(storage[entry.bytes]) }
  }

  private mutating func append<Element>(
    _ name: String, _ kind: Kind, _ shape: [Int], _ values: [Element]
  ) {
    precondition(indices[name] == nil, "SafeTensors.add: the name \(name) is taken")
    precondition(
      shape.reduce(1, *) == values.count,
      "SafeTensors.add: shape \(shape) of \(name) does not hold \(values.count) elements")
    let start = storage.count
    values.withUnsafeBytes { storage += $0 }
    indices[name] = entries.count
    entries.append(Entry(name: name, kind: kind, shape: shape, bytes: start..<storage.count))
  }

  private func entry(_ name: String, _ kinds: Kind...) throws -> Entry {
    guard let entry = self[name] else {
      throw UserError(
        .badData, "\(self.name): there is no array \(name)",
        remedy: "the file belongs to something else, or to another version of this program")
    }
    guard kinds.contains(entry.kind) else {
      throw UserError(
        .badData,
        "\(self.name): the array \(name) is \(entry.kind.rawValue), not "
          + kinds.map(\.rawValue).joined(separator: " or "),
        remedy: "the file belongs to something else, or to another version of this program")
    }
    return entry
  }

  private func values<Element>(_ entry: Entry) -> [Element] {
    [Element](unsafeUninitializedCapacity: entry.count) { target, filled in
      storage.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(target).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: $0[entry.bytes]))
      }
      filled = entry.count
    }
  }
}

extension Float {
  /// The number that 16 bits of IEEE 754's binary16 stand for; Swift's `Float16` is not everywhere.
  init(halfBits bits: UInt16) {
    let sign: Float = bits >> 15 == 0 ? 1 : -1
    let (exponent, fraction) = (Int(bits >> 10 & 0x1F), bits & 0x3FF)
    switch exponent {
    case 0: self = sign * Float(fraction) * 0x1p-24
    case 0x1F: self = fraction == 0 ? sign * .infinity : .nan
    default:
      self =
        sign * Float(sign: .plus, exponent: exponent - 25, significand: Float(fraction | 0x400))
    }
  }
}

extension SafeTensors.Kind {
  fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
