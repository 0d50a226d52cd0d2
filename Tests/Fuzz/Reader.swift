// SPDX-License-Identifier: Apache-2.0

import Base

/// A reader under test.
struct Reader: Sendable {
  /// For the command line and file names.
  let name: String
  /// How many times as long as a quick reader it takes; it gets so many times fewer inputs.
  let cost: Int
  /// Whole files to begin with.
  let seeds: @Sendable (Room) throws -> [[UInt8]]
  /// Reads a file; it may throw a `UserError`, and nothing else.
  let read: @Sendable (Room, [UInt8]) throws -> Void

  /// A reader of bytes in memory.
  static func bytes(
    _ name: String, cost: Int = 1, _ seeds: @escaping @Sendable (Room) throws -> [[UInt8]],
    _ read: @escaping @Sendable ([UInt8]) throws -> Void
  ) -> Reader {
    Reader(name: name, cost: cost, seeds: seeds) { _, bytes in try read(bytes) }
  }

  /// A reader of texts in memory.
  static func text(
    _ name: String, cost: Int = 1, _ seeds: [String],
    _ read: @escaping @Sendable (String) throws -> Void
  ) -> Reader {
    Reader(name: name, cost: cost, seeds: { _ in seeds.map { Array($0.utf8) } }) { _, bytes in
      try read(String(decoding: bytes, as: UTF8.self))
    }
  }

  /// A reader of a file in the room, whose seed is that file.
  static func file(
    _ name: String, _ file: String, cost: Int, _ read: @escaping @Sendable (Room) throws -> Void
  ) -> Reader {
    Reader(name: name, cost: cost, seeds: { [try $0.bytes(file)] }) { room, bytes in
      _ = try room.write(bytes, file)
      try read(room)
    }
  }

  /// The reader with this name.
  static func named(_ name: String) throws -> Reader {
    if let reader = all.first(where: { $0.name == name }) { return reader }
    throw UserError(
      .usage, "there is no reader \"\(name)\"", remedy: all.map(\.name).joined(separator: ", "))
  }
}
