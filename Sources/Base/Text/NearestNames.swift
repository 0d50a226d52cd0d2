// SPDX-License-Identifier: Apache-2.0

/// Up to three of the names that a mistyped one may have meant, the closest first.
///
/// A name counts as close when few letters must be inserted, removed, replaced or swapped with
/// their neighbour, when it ends or begins with what was typed (`steps` for `train.steps`), or when
/// its words begin with the letters typed (`train.lr` for `train.learning-rate`).
///
/// - Complexity: O(names × length²) time.
package func nearestNames(to typed: String, among names: [String]) -> [String] {
  let word = Array(typed.lowercased().utf8)
  guard !word.isEmpty else { return [] }
  // Letters so chosen mean nothing else, however near another name is.
  let abbreviated = names.filter { hasInitials($0, typed) }
  if !abbreviated.isEmpty { return Array(abbreviated.prefix(3)) }
  let allowed = max(1, min(3, word.count / 3 + 1))
  let scored = names.enumerated().compactMap { index, name -> (Int, Int, String)? in
    let other = Array(name.lowercased().utf8)
    let part = word.count >= 3 && (other.starts(with: word) || other.ends(with: word))
    let distance = min(editDistance(word, other), part ? 1 : .max)
    return distance <= allowed ? (distance, index, name) : nil
  }
  return scored.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.prefix(3).map(\.2)
}

/// Whether what was typed is a name with its last words cut to their first letters; the section may be
/// missing.
private func hasInitials(_ name: String, _ typed: String) -> Bool {
  let dot = name.lastIndex(of: ".").map { name.index(after: $0) } ?? name.startIndex
  let words = name[dot...].split(separator: "-")
  guard words.count > 1 else { return false }
  let initials = String(words.compactMap(\.first))
  return [initials, name[..<dot] + initials].contains(typed.lowercased())
}

/// What to do about a name that does not exist: the nearest names, or all there are.
package func remedy(unknown name: String, among known: [String]) -> String {
  let near = nearestNames(to: name, among: known)
  return near.isEmpty
    ? "there are: \(known.joined(separator: ", "))"
    : "did you mean \(near.joined(separator: " or "))?"
}

/// The number of edits (insert, remove, replace, swap neighbours) from one word to another.
///
/// Source: Damerau 1964; the restricted form, in which no piece is edited twice.
package func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var earlier: [Int] = []
  var previous = Array(0...b.count)
  for i in 0..<a.count {
    var row = [i + 1]
    for j in 0..<b.count {
      var best = min(row[j] + 1, previous[j + 1] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
        best = min(best, earlier[j - 1] + 1)
      }
      row.append(best)
    }
    (earlier, previous) = (previous, row)
  }
  return previous[b.count]
}

extension Array where Element == UInt8 {
  fileprivate func ends(with suffix: [UInt8]) -> Bool { self.suffix(suffix.count) == suffix[...] }
}
