// SPDX-License-Identifier: Apache-2.0

/// The few protocol buffer messages of TensorBoard's event files, encoded by hand.
///
/// Source: tensorboard 70b76c9, `compat/proto/event.proto`, `summary.proto`, `tensor.proto` and
/// `plugins/hparams/plugin_data.proto`.
package enum EventEncoding {
  /// An `Event`: wall time in seconds, the step, and one of its fields, already encoded.
  package static func event(wallTime: Double, step: Int, _ content: ProtoMessage) -> ProtoMessage {
    var event = ProtoMessage()
    event.add(1, wallTime)
    if step != 0 { event.add(2, step) }
    event.append(content)
    return event
  }

  /// Field `file_version`, which must open every file.
  package static var fileVersion: ProtoMessage {
    var field = ProtoMessage()
    field.add(3, "brain.Event:2")
    return field
  }

  /// Field `session_log` with status START: points from its step on replace older ones.
  package static var sessionStart: ProtoMessage {
    var log = ProtoMessage()
    log.add(1, 1)
    var field = ProtoMessage()
    field.add(7, log)
    return field
  }

  /// Field `summary` with one scalar a value.
  package static func scalars(_ values: [(tag: String, value: Double)]) -> ProtoMessage {
    var summary = ProtoMessage()
    for (tag, value) in values {
      var entry = ProtoMessage()
      entry.add(1, tag)
      entry.add(2, Float(value))
      summary.add(1, entry)
    }
    var field = ProtoMessage()
    field.add(5, summary)
    return field
  }

  /// Field `summary` for the hyper-parameter page: `content` is a `HParamsPluginData` message.
  package static func hyperparameters(tag: String, _ content: ProtoMessage) -> ProtoMessage {
    var plugin = ProtoMessage()
    plugin.add(1, "hparams")
    plugin.add(2, content)
    var metadata = ProtoMessage()
    metadata.add(1, plugin)
    // The page ignores the tensor but wants one: float, shape [0].
    var dimension = ProtoMessage()
    dimension.add(2, ProtoMessage())
    var tensor = ProtoMessage()
    tensor.add(1, 1)
    tensor.add(2, dimension)
    var value = ProtoMessage()
    value.add(1, tag)
    value.add(8, tensor)
    value.add(9, metadata)
    var summary = ProtoMessage()
    summary.add(1, value)
    var field = ProtoMessage()
    field.add(5, summary)
    return field
  }

  /// One record of the file: length, its checksum, the bytes, their checksum.
  package static func record(_ message: ProtoMessage) -> [UInt8] {
    let length = littleEndian(UInt64(message.bytes.count))
    return length + littleEndian(maskedChecksum(length)) + message.bytes
      + littleEndian(maskedChecksum(message.bytes))
  }

  /// The checksum as TFRecord stores it, so that checksums of checksums stay useful.
  package static func maskedChecksum(_ bytes: [UInt8]) -> UInt32 {
    let crc = CRC32C.checksum(bytes)
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }
}

/// The wire form of one protocol buffer message.
package struct ProtoMessage {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func append(_ fields: ProtoMessage) { bytes += fields.bytes }

  /// A variable-length integer: int64, enum or bool.
  package mutating func add(_ field: Int, _ value: Int) {
    key(field, wireType: 0)
    varint(UInt64(bitPattern: Int64(value)))
  }

  package mutating func add(_ field: Int, _ value: Double) {
    key(field, wireType: 1)
    bytes += littleEndian(value.bitPattern)
  }

  package mutating func add(_ field: Int, _ value: Float) {
    key(field, wireType: 5)
    bytes += littleEndian(value.bitPattern)
  }

  package mutating func add(_ field: Int, _ text: String) { add(field, Array(text.utf8)) }

  package mutating func add(_ field: Int, _ message: ProtoMessage) { add(field, message.bytes) }

  private mutating func add(_ field: Int, _ content: [UInt8]) {
    key(field, wireType: 2)
    varint(UInt64(content.count))
    bytes += content
  }

  private mutating func key(_ field: Int, wireType: Int) {
    varint(UInt64(field << 3 | wireType))
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

private func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
  (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}
