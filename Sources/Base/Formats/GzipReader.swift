// SPDX-License-Identifier: Apache-2.0

import CZlib
import Foundation

/// Reads a gzip-compressed file in blocks, so that memory does not grow with its content.
package final class GzipReader {
  private let path: String
  private let file: gzFile

  /// Opens a file.
  ///
  /// - Throws: `UserError` of kind `missingInput`.
  package init(_ path: String) throws {
    self.path = path
    guard let file = gzopen(path, "rbe") else {
      throw UserError.system(.missingInput, "cannot read \(path)")
    }
    self.file = file
    gzbuffer(file, 1 << 18)
  }

  /// The next bytes, an empty array at the end.
  ///
  /// - Throws: `UserError` of kind `badData` when the file is cut short or damaged.
  package func read(atMost count: Int) throws -> [UInt8] {
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = max(0, Int(gzread(file, buffer.baseAddress, UInt32(count))))
    }
    var status: Int32 = 0
    let reason = gzerror(file, &status)
    guard status == Z_OK || status == Z_STREAM_END else {
      let text = reason.map { String(cString: $0) } ?? ""
      throw UserError(
        .badData, "\(path): the compressed file is damaged or cut short (\(text))",
        remedy: "fetch it again")
    }
    return bytes
  }

  deinit { gzclose(file) }
}
