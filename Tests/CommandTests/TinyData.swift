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
