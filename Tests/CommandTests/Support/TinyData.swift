// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Film reviews as the archive unpacks: ten of each class for training and as many for the test.
enum TinyReviews {
  static func write(to folder: String) throws {
    for part in ["train", "test"] {
      for (name, stars) in [("neg", 2), ("pos", 9)] {
        let place = "\(folder)/\(part)/\(name)"
        try FileManager.default.createDirectory(
          atPath: place, withIntermediateDirectories: true)
        for id in 0..<10 {
          try "It was a film, number \(id) of \(part), \(name).".write(
            toFile: "\(place)/\(id)_\(stars).txt", atomically: false, encoding: .utf8)
        }
      }
    }
  }
}

/// Pairs of papers as the archive unpacks: those of class 1 hold the same word.
enum TinyPairs {
  static func write(to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (split, count) in [("train", 20), ("eval", 6), ("test", 8)] {
      let lines = (0..<count).map { number in
        let words = ["parsing", number % 2 == 1 ? "parsing" : "tagging"]
        return
          "\(number % 2).0\tP\(number)\tN\(number)\tb'On \(words[0])\\n'\tb'On \(words[1])\\n'\n"
      }
      try lines.joined().write(
        toFile: "\(folder)/new_aan_pairs.\(split).tsv", atomically: false, encoding: .utf8)
    }
  }

  /// The same by the papers' names.
  static func writeNames(to folder: String) throws {
    try FileManager.default.createDirectory(
      atPath: "\(folder)/papers_text", withIntermediateDirectories: true)
    for name in ["A", "B"] {
      try "On \(name)".write(
        toFile: "\(folder)/papers_text/\(name).txt", atomically: false, encoding: .utf8)
    }
    for split in ["train", "eval", "test"] {
      try "1.0\tA\tA\n0.0\tA\tB\n".write(
        toFile: "\(folder)/id_pairs.\(split).tsv", atomically: false, encoding: .utf8)
    }
  }
}

/// Pictures as the archive unpacks: eight in each file, one in each class in turn, all white.
enum TinyPictures {
  static func write(to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let names = (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]
    for (file, name) in names.enumerated() {
      var records: [UInt8] = []
      for place in 1...8 {
        records.append(UInt8((8 * file + place) % 10))
        records += [UInt8](repeating: 255, count: 3072)
      }
      try Data(records).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
  }
}
