// SPDX-License-Identifier: Apache-2.0

import Base
import Models
import Testing

@Suite("Bitmasks")
struct BitmaskTests {
  private func file() -> SafeTensors {
    var file = SafeTensors()
    file.metadata = ["format": "pt"]
    file.add("a", shape: [3, 3], [0, 1, 0, 2, 0, 0, 0, 0, 3] as [Float])
    file.add("b", shape: [2], [4, 5] as [Float])
    return file
  }
  private let kept = ["a": [false, true, false, true, false, false, true, false, true]]

  @Test("Bit i of byte j is element 8j + i; what is kept follows in order, zeros that are kept too")
  func layout() throws {
    let packed = try Bitmask.packed(file(), kept: kept)
    #expect(packed.metadata["lra.format"] == "bitmask")
    #expect(try packed.bytes("a.mask") == [0b0100_1010, 0b0000_0001])
    #expect(try packed.floats("a.kept") == [1, 2, 0, 3])
    #expect(try packed.floats("b") == [4, 5])
  }

  @Test("Packed and expanded it is the same file, masks included")
  func roundTrip() throws {
    let packed = try Bitmask.packed(file(), kept: kept)
    let read = try SafeTensors(packed.serialized(), name: "packed")
    #expect(try Bitmask.expanded(read, path: "x").serialized() == file().serialized())
    #expect(try Bitmask.masks(read, path: "x") == kept)
    #expect(try Bitmask.expanded(file(), path: "x").serialized() == file().serialized())
    #expect(try Bitmask.masks(file(), path: "x").isEmpty)
  }

  @Test("Masks that do not fit their numbers or shape are refused")
  func damaged() throws {
    let changes: [(String, [UInt8], [Float])] = [
      ("3 3", [0b0100_1010, 1], [1, 2, 0]), ("3 3", [0b0100_1010], [1, 2, 0]),
      ("4 5", [0b0100_1010, 1], [1, 2, 0, 3]), ("", [0b0100_1010, 1], [1, 2, 0, 3]),
      ("3 3", [0b0100_1010, 0b11], [1, 2, 0, 3]), ("9223372036854775807 4", [1, 0], [1]),
      ("-3 -3", [0b0100_1010, 1], [1, 2, 0, 3]),
    ]
    for (shape, bits, numbers) in changes {
      var file = SafeTensors()
      file.metadata = ["lra.format": "bitmask", "a.shape": shape]
      file.add("a.mask", shape: [bits.count], bits)
      file.add("a.kept", shape: [numbers.count], numbers)
      #expect(throws: UserError.self) { try Bitmask.expanded(file, path: "x") }
    }
  }
}
