// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs
import Testing

@Suite("EventWriter")
struct EventWriterTests {
  func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { String(format: "%02x", $0) }.joined()
  }

  @Test("CRC-32C has its published check values")
  func checksum() {
    #expect(CRC32C.checksum("123456789".utf8) == 0xE306_9283)
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 255, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum([]) == 0)
    #expect(EventEncoding.maskedChecksum(Array("123456789".utf8)) == 0xC78A_B0E5)
    #expect(EventEncoding.maskedChecksum([]) == 0xA282_EAD8)
    #expect(EventEncoding.maskedChecksum([24, 0, 0, 0, 0, 0, 0, 0]) == 0x224B_7FA3)
  }

  @Test("A checksum in pieces equals the checksum of the whole")
  func pieces() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 37) }
    var crc = CRC32C()
    for piece in [bytes[..<13], bytes[13..<500], bytes[500...]] { crc.update(Array(piece)) }
    #expect(crc.value == CRC32C.checksum(bytes))
  }

  @Test("The file version record has TensorBoard's bytes")
  func version() {
    let event = EventEncoding.event(wallTime: 1, step: 0, EventEncoding.fileVersion)
    #expect(
      hex(EventEncoding.record(event))
        == "1800000000000000a37f4b2209000000000000f03f1a0d627261696e2e4576656e743a3286bf577a")
  }

  @Test("A scalar record has TensorBoard's bytes")
  func scalar() {
    let content = EventEncoding.scalars([("train/loss", 0.5)])
    let event = EventEncoding.event(wallTime: 2, step: 1, content)
    #expect(
      hex(EventEncoding.record(event))
        == "200000000000000029eda95009000000000000004010012a130a110a0a747261696e2f6c6f7373"
        + "150000003fbe966704")
  }

  @Test("A file opens with its version and a session start, and grows when flushed")
  func file() throws {
    try withTemporaryFolder { folder in
      let writer = try EventWriter(folder: folder, firstStep: 301)
      let second = try EventWriter(folder: folder)
      #expect(writer.path != second.path)
      var payloads = try self.payloads(writer.path)
      #expect(payloads.count == 2)
      #expect(payloads[0].hasSuffix("1a0d627261696e2e4576656e743a32"))
      #expect(payloads[1].hasSuffix("10ad023a020801"))
      writer.scalars(step: 301, ["b": 1, "a": 2])
      #expect(try self.payloads(writer.path).count == 2)
      try writer.flush()
      payloads = try self.payloads(writer.path)
      #expect(payloads.count == 3)
      #expect(payloads[2].hasSuffix("10ad022a140a080a016115000000400a080a0162150000803f"))
    }
  }

  @Test("Hyper-parameters carry each key with its value and the group")
  func hyperparameters() throws {
    try withTemporaryFolder { folder in
      var settings = Settings()
      settings.declare("train.steps", 5)
      settings.declare("model.name", "local")
      let writer = try EventWriter(folder: folder)
      writer.hyperparameters(settings, group: "abcd")
      try writer.flush()
      let payload = try #require(try payloads(writer.path).last)
      #expect(payload.contains(hex("_hparams_/session_start_info".utf8)))
      // Map entries {1: key, 2: {2: 5.0}} and {1: key, 2: {3: "local"}}, then 4: group.
      #expect(payload.contains("0a0b" + hex("train.steps".utf8) + "1209110000000000001440"))
      #expect(payload.contains("0a0a" + hex("model.name".utf8) + "12071a05" + hex("local".utf8)))
      #expect(payload.contains("2204" + hex("abcd".utf8)))
      #expect(payload.contains("42060801120212004a"))
    }
  }

  /// The records of a file as hexadecimal text, after checking their checksums.
  private func payloads(_ path: String) throws -> [String] {
    var rest = [UInt8](try #require(FileManager.default.contents(atPath: path)))[...]
    var found: [String] = []
    while !rest.isEmpty {
      let count = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      let data = Array(rest.dropFirst(12).prefix(count))
      let stored = rest.dropFirst(12 + count).prefix(4).reversed().reduce(0) {
        $0 << 8 | UInt32($1)
      }
      #expect(stored == EventEncoding.maskedChecksum(data))
      found.append(hex(data))
      rest = rest.dropFirst(16 + count)
    }
    return found
  }
}
