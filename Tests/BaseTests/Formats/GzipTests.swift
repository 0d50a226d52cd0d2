// SPDX-License-Identifier: Apache-2.0

import Base
import Testing

@Suite struct GzipTests {
  @Test("No more than the limit comes out, whatever the file says of its size")
  func limit() throws {
    let packed = Gzip.compress([UInt8](repeating: 0, count: 10 << 20))
    #expect(try Gzip.decompress(packed, name: "x", limit: 10 << 20).count == 10 << 20)
    for limit in [0, 1, 70_000, 10 << 20 - 1] {
      let error = userError { _ = try Gzip.decompress(packed, name: "a.gz", limit: limit) }
      #expect(
        error?.problem == "a.gz: the compressed file holds more than the \(limit) bytes that it may"
      )
    }
  }

  private let text = Array(String(repeating: "long range ", count: 30_000).utf8)

  @Test("Compressed bytes come back", arguments: [0, 1, 70_000, 330_000])
  func roundTrip(count: Int) throws {
    let bytes = Array(text.prefix(count))
    #expect(try Gzip.decompress(Gzip.compress(bytes), name: "x") == bytes)
  }

  @Test("Compression makes repeated text small")
  func small() {
    #expect(Gzip.compress(text).count < text.count / 50)
  }

  @Test("Members in a row are joined")
  func members() throws {
    let both = Gzip.compress([1, 2]) + Gzip.compress([3])
    #expect(try Gzip.decompress(both, name: "x") == [1, 2, 3])
  }

  @Test("Truncation at any place is noticed")
  func truncated() {
    let packed = Gzip.compress(Array(text.prefix(5000)))
    for count in 0..<packed.count {
      let error = userError { _ = try Gzip.decompress(Array(packed.prefix(count)), name: "a.gz") }
      #expect(error?.problem == "a.gz: the compressed file is cut short")
    }
  }

  @Test("A changed byte is noticed by the checksum")
  func damaged() {
    // One stored block, so that a changed byte is valid deflate and only the checksum can tell.
    var packed = Gzip.compress([])
    packed.removeSubrange(10...)
    packed += [1, 2, 0, 0xFD, 0xFF, 7, 8] + [0, 0, 0, 0, 2, 0, 0, 0]
    let error = userError { _ = try Gzip.decompress(packed, name: "a.gz") }
    #expect(error?.kind == .badData)
    #expect(error?.problem == "a.gz: the compressed file is damaged or not a gzip file")
  }

  @Test("Other files and trailing bytes are refused")
  func foreign() {
    #expect(userError { _ = try Gzip.decompress(Array("plain text".utf8), name: "x") } != nil)
    let tail = Gzip.compress([1]) + [1, 2, 3]
    #expect(userError { _ = try Gzip.decompress(tail, name: "x") } != nil)
  }
}
