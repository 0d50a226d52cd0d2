// SPDX-License-Identifier: Apache-2.0

import CZlib

extension Gzip {
  /// The version of the zlib in use, as `1.2.13`.
  package static var libraryVersion: String { String(cString: zlibVersion()) }
}
