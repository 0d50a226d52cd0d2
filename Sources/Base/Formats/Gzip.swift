// SPDX-License-Identifier: Apache-2.0

import CZlib
import Foundation

/// Compression in the gzip format, whose checksum notices truncated and damaged files.
///
/// Source: RFC 1952; the work is done by zlib.
package enum Gzip {
  private static let window: Int32 = 15 + 16  // 15: 32 KiB window; 16: gzip header and checksum
  private static let slice = 1 << 30  // zlib counts in 32 bits, so longer data goes in pieces

  /// Compresses bytes.
  ///
  /// - Parameter level: 1 (fast) to 9 (small).
  package static func compress(_ bytes: [UInt8], level: Int = 1) -> [UInt8] {
    var stream = z_stream()
    let started = deflateInit2_(
      &stream, Int32(level), Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    precondition(started == Z_OK, "deflateInit2: level \(level) refused or no memory")
    defer { deflateEnd(&stream) }
    var output: [UInt8] = []
    _ = drive(&stream, bytes, into: &output, capacity: bytes.count / 2) { stream, last in
      deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH)
    }
    return output
  }

  /// Restores compressed bytes; several gzip members in a row give their joined content.
  ///
  /// - Parameters:
  ///   - name: the file, for the message.
  ///   - limit: the most bytes that may come out; a few bytes can stand for gigabytes.
  /// - Throws: `UserError` of kind `badData` when the data are truncated, damaged, no gzip or too
  ///   many.
  package static func decompress(
    _ bytes: [UInt8], name: String, limit: Int = .max
  ) throws -> [UInt8] {
    var stream = z_stream()
    let started = inflateInit2_(
      &stream, window, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(started == Z_OK, "inflateInit2: no memory")
    defer { inflateEnd(&stream) }
    var output: [UInt8] = []
    let status = drive(
      &stream, bytes, into: &output, capacity: min(expectedSize(bytes), limit), limit: limit
    ) {
      stream, last in
      let status = inflate(&stream, Z_NO_FLUSH)
      // Another member follows directly: go on with a fresh state.
      let more = stream.avail_in > 0 || !last
      return status == Z_STREAM_END && more ? inflateReset(&stream) : status
    }
    guard output.count <= limit else {
      throw UserError(
        .badData, "\(name): the compressed file holds more than the \(limit) bytes that it may",
        remedy: "remove the file and make or fetch it again")
    }
    guard status == Z_STREAM_END else {
      let problem = status == Z_DATA_ERROR ? "is damaged or not a gzip file" : "is cut short"
      throw UserError(
        .badData, "\(name): the compressed file \(problem)",
        remedy: "remove the file and make or fetch it again")
    }
    return output
  }

  /// Reads and restores a compressed file.
  ///
  /// - Parameter limit: the most bytes that may come out.
  /// - Throws: `UserError` of kind `missingInput` or `badData`, naming the file.
  package static func read(_ path: String, limit: Int = .max) throws -> [UInt8] {
    try decompress(readFile(path), name: path, limit: limit)
  }

  /// The size noted at the end of the data, never more than deflate can reach (1032 : 1).
  private static func expectedSize(_ bytes: [UInt8]) -> Int {
    guard bytes.count >= 18 else { return 0 }
    let noted = bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    return min(noted, bytes.count * 1032)
  }

  /// Runs a zlib step over all of the input until it ends, needs more input, fails or has given more
  /// than the limit.
  private static func drive(
    _ stream: inout z_stream, _ input: [UInt8], into output: inout [UInt8], capacity: Int,
    limit: Int = .max, step: (inout z_stream, Bool) -> Int32
  ) -> Int32 {
    var (used, filled, status) = (0, 0, Z_OK)
    output = [UInt8](repeating: 0, count: max(capacity, 1 << 16))
    input.withUnsafeBufferPointer { source in
      repeat {
        if filled == output.count {
          // One byte more than the limit is enough to see that it is passed.
          let room = limit == .max ? .max : max(1, limit + 1 - filled)
          output += [UInt8](repeating: 0, count: min(output.count, room))
        }
        let offered = (min(source.count - used, slice), min(output.count - filled, slice))
        output.withUnsafeMutableBufferPointer { target in
          stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress.map { $0 + used })
          stream.next_out = target.baseAddress.map { $0 + filled }
          (stream.avail_in, stream.avail_out) = (UInt32(offered.0), UInt32(offered.1))
          status = step(&stream, used + offered.0 == source.count)
        }
        used += offered.0 - Int(stream.avail_in)
        filled += offered.1 - Int(stream.avail_out)
      } while status == Z_OK && filled <= limit
    }
    output.removeSubrange(filled...)
    return status
  }
}
