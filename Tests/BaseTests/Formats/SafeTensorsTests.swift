// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Testing

@Suite struct SafeTensorsTests {
  private static let header =
    #"{"__metadata__":{"format":"np"},"a":{"dtype":"I64","shape":[2,2],"data_offsets":[0,32]},"#
    + #""b":{"dtype":"F32","shape":[3],"data_offsets":[32,44]},"#
    + #""s":{"dtype":"F32","shape":[],"data_offsets":[44,48]}}   "#
  private static let data: [UInt8] =
    [1, 2, 3, 4].flatMap { [$0, 0, 0, 0, 0, 0, 0, 0] }
    + [0, 0, 0, 0, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0, 0, 0xE0, 0x40]

  private func file(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
    let length = header.utf8.count
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + header.utf8 + data
  }

  @Test("The bytes equal those of the reference writer")
  func golden() throws {
    var tensors = SafeTensors()
    tensors.add("s", shape: [], [7] as [Float])
    tensors.add("b", shape: [3], [0, 1, 2] as [Float])
    tensors.add("a", shape: [2, 2], [1, 2, 3, 4] as [Int64])
    tensors.metadata["format"] = "np"
    let expected = file(Self.header, Self.data)
    #expect(expected.count == 256)
    #expect(expected[0] == 200)
    #expect(tensors.serialized() == expected)
  }

  @Test("The reference writer's bytes are read")
  func read() throws {
    let tensors = try SafeTensors(file(Self.header, Self.data), name: "golden")
    #expect(tensors.metadata == ["format": "np"])
    #expect(tensors.entries.map(\.name) == ["a", "b", "s"])
    #expect(tensors["a"]?.shape == [2, 2])
    #expect(tensors["s"]?.shape == [])
    #expect(try tensors.integers("a") == [1, 2, 3, 4])
    #expect(try tensors.floats("b") == [0, 1, 2])
    #expect(try tensors.floats("s") == [7])
  }

  @Test("Every type survives a file")
  func roundTrip() throws {
    let path = NSTemporaryDirectory() + "/" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    var tensors = SafeTensors()
    tensors.metadata = ["a \"quoted\" \\ key": "line\nand\ttab \u{1} \u{1F600}"]
    tensors.add("bytes", shape: [3], [1, 2, 255] as [UInt8])
    tensors.add("float", shape: [1, 2], [1.5, -Float.infinity])
    tensors.add("double", shape: [1], [Double.pi])
    tensors.add("i32", shape: [2], [Int32.min, 5])
    tensors.add("i64", shape: [1], [Int64.min])
    tensors.add("u64", shape: [2], [UInt64.max, 0])
    tensors.add("empty", shape: [0, 4], [Float]())
    try tensors.write(to: path)
    let copy = try SafeTensors(contentsOf: path)
    #expect(copy.metadata == tensors.metadata)
    #expect(try copy.bytes("bytes") == [1, 2, 255])
    #expect(try copy.floats("float") == [1.5, -Float.infinity])
    #expect(try copy.doubles("double") == [Double.pi])
    #expect(try copy.integers("i32") == [Int64(Int32.min), 5])
    #expect(try copy.integers("i64") == [Int64.min])
    #expect(try copy.unsigned("u64") == [UInt64.max, 0])
    #expect(try copy.floats("empty") == [])
    #expect(copy["empty"]?.shape == [0, 4])
    #expect(copy.serialized() == tensors.serialized())
  }

  @Test("Numbers of 16 and 64 bits are read as 32-bit ones")
  func otherWidths() throws {
    let header =
      #"{"d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"#
      + #""b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]},"#
      + #""h":{"dtype":"F16","shape":[6],"data_offsets":[12,24]}}"#
    let halves: [UInt16] = [0x3C00, 0xC100, 0x0001, 0x7BFF, 0x8000, 0xFC00]
    let words: [UInt16] = [0x3F80, 0xC000] + halves
    let data =
      (0..<8).map { UInt8(truncatingIfNeeded: (0.1).bitPattern >> ($0 * 8)) }
      + words.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    let tensors = try SafeTensors(file(header, data), name: "f")
    #expect(try tensors.floats("d") == [0.1])
    #expect(try tensors.floats("b") == [1, -2])
    let expected: [Float] = [1, -2.5, 0x1p-24, 65504, -0.0, -.infinity]
    #expect(try tensors.floats("h").map(\.bitPattern) == expected.map(\.bitPattern))
  }

  @Test("A missing array and a wrong type are named")
  func access() throws {
    let tensors = try SafeTensors(file(Self.header, Self.data), name: "golden")
    let missing = userError { _ = try tensors.floats("w") }
    #expect(missing?.problem == "golden: there is no array w")
    let wrong = userError { _ = try tensors.integers("b") }
    #expect(wrong?.problem == "golden: the array b is F32, not I64 or I32")
  }

  private static let broken: [(String, Int, String)] = [
    (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#, 3, "a hole before a"),
    (
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
        + #""b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#, 3, "an overlap before b"
    ),
    (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, 3, "1 bytes follow the last array"),
    (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,2]}}"#, 2, "needs 3 bytes, but has 2"),
    (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,3]}}"#, 3, "needs 12 bytes, but has 3"),
    (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 3, "but there are 3 bytes of data"),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[2,1]}}"#, 3, "lies at 2 to 1"),
    (#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}"#, 1, "a needs dtype, shape"),
    (#"{"a":{"dtype":"U8","shape":[1]}}"#, 1, "a needs dtype, shape and two data_offsets"),
    (#"{"a":{"dtype":"X9","shape":[1],"data_offsets":[0,1]}}"#, 1, "the unknown dtype X9"),
    (
      #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0,
      "is too large"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
        + #""a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, 2, "a occurs twice"
    ),
    (#"{"__metadata__":{"n":1}}"#, 0, "the metadata n is not a text"),
    (#"{"a":1}"#, 0, "a is no JSON object"),
    (#"{"a":{}"#, 0, "not valid JSON: , expected"),
    (#"{} x"#, 0, "text after the end"),
    (#"[]"#, 0, "the header does not begin with {"),
    (#" {}"#, 0, "the header does not begin with {"),
    ("", 0, "the header does not begin with {"),
  ]

  @Test("Every broken rule is refused", arguments: broken)
  func refused(header: String, dataCount: Int, problem: String) {
    let bytes = file(header, [UInt8](repeating: 0, count: dataCount))
    let error = userError { _ = try SafeTensors(bytes, name: "f") }
    #expect(error?.kind == .badData)
    #expect(error?.problem.hasPrefix("f: not a valid safetensors file: ") == true)
    #expect(error?.problem.contains(problem) == true, "\(error?.problem ?? "accepted")")
  }

  @Test("A file cut short anywhere is refused")
  func truncated() {
    let whole = file(Self.header, Self.data)
    for count in 0..<whole.count {
      #expect(userError { _ = try SafeTensors(Array(whole.prefix(count)), name: "f") } != nil)
    }
  }

  @Test("A header length beyond the limit is refused before anything is read")
  func hugeHeader() {
    let bytes: [UInt8] = [1, 225, 245, 5, 0, 0, 0, 0, 123]
    let error = userError { _ = try SafeTensors(bytes, name: "f") }
    #expect(error?.problem.contains("100000001 bytes, more than the format allows") == true)
    let negative = [UInt8](repeating: 255, count: 16)
    #expect(userError { _ = try SafeTensors(negative, name: "f") } != nil)
  }

  @Test("Invalid UTF-8 in the header is refused")
  func invalidText() {
    let bytes: [UInt8] =
      [8, 0, 0, 0, 0, 0, 0, 0] + Array(#"{""#.utf8) + [0xFF] + Array(#"":{}}"#.utf8)
    let error = userError { _ = try SafeTensors(bytes, name: "f") }
    #expect(error?.problem.contains("invalid UTF-8") == true)
  }

  @Test("Escaped names are understood")
  func escapes() throws {
    let header = #"{"__metadata__":{"\u00e9\ud83d\ude00\/":"\b\f"}}"#
    #expect(try SafeTensors(file(header), name: "f").metadata == ["é😀/": "\u{8}\u{C}"])
    let half = #"{"__metadata__":{"\ud83dx":""}}"#
    #expect(userError { _ = try SafeTensors(file(half), name: "f") } != nil)
  }
}
