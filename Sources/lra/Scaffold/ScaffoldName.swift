// SPDX-License-Identifier: Apache-2.0

import Base

/// The name of something new, as it is typed and as Swift writes it.
struct ScaffoldName {
  /// On the command line, as `my-attention`.
  let name: String
  /// The Swift type, as `MyAttention`.
  let type: String

  /// - Parameter kind: what is named, for the message.
  /// - Throws: `UserError` for a name that is not lower-case words with hyphens.
  init(_ name: String, of kind: String) throws {
    guard name.wholeMatch(of: /[a-z][a-z0-9]*(-[a-z0-9]+)*/) != nil else {
      throw UserError(
        .usage, "\"\(name)\" is not a name for a \(kind)",
        remedy: "use lower-case letters and digits in words joined by hyphens: my-\(kind)")
    }
    self.name = name
    type = name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  /// The Swift member, as `myAttention`.
  var member: String { type.prefix(1).lowercased() + type.dropFirst() }
}
