// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Values that are made when they are asked for first, and then kept; one thread at a time makes one.
final class Cache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let values = Mutex<[Key: Value]>([:])

  /// The value of a key.
  func value(_ key: Key, make: () throws -> Value) rethrows -> Value {
    try values.withLock { values in
      if let known = values[key] { return known }
      let made = try make()
      values[key] = made
      return made
    }
  }

  /// The value of a key that is made together with those of other keys; nil when it is not among them.
  func value(_ key: Key, makingAll make: () throws -> [Key: Value]) rethrows -> Value? {
    try values.withLock { values in
      if values[key] == nil { values.merge(try make()) { $1 } }
      return values[key]
    }
  }
}
