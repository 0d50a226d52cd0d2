// SPDX-License-Identifier: Apache-2.0

import Base

/// Labelled examples in a file or folder that a user names, apart from the splits of a task.
package struct GivenExamples: Sendable {
  /// The examples, in the order of the file, or of the folders and names.
  package let source: any ExampleSource
  /// Where they come from and what was done with them, one line.
  package let provenance: String

  /// Examples and where they come from.
  package init(_ source: any ExampleSource, provenance: String) {
    self.source = source
    self.provenance = provenance
  }

  /// The examples of a file of which some lost their end.
  init(_ source: any ExampleSource, of path: String, cut: Int, to length: Int) {
    let remark = cut > 0 ? ", \(cut) examples cut to \(length) tokens" : ""
    self.init(source, provenance: "read from \(path)\(remark)")
  }

  /// A hash of every token, boundary and label, other than that of a split.
  package var contentHash: String {
    var hash = FNV1a()
    hash.add("given".utf8)
    source.add(to: &hash)
    return hash.hexadecimal
  }
}
