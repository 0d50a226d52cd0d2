// SPDX-License-Identifier: Apache-2.0

extension Sequence where Element: Hashable {
  /// The elements, each once, in the order in which they come first.
  var distinct: [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
