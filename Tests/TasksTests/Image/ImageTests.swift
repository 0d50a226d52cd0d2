// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks
import Testing

@Suite struct ImageTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  private static let trainNames = (1...5).map { "data_batch_\($0).bin" }

  /// A record whose grey value is its label times ten.
  private func record(_ label: UInt8) -> [UInt8] {
    [label] + [UInt8](repeating: label * 10, count: 3072)
  }

  private func write(_ bytes: [UInt8], _ name: String, in place: String = "cifar-10-batches-bin")
    throws
  {
    try folder.write(bytes, "image/\(place)/\(name)")
  }

  /// Four pictures in each of the five files, with the labels 0 to 9 twice, and three for the test.
  private func writePictures() throws {
    for (file, name) in Self.trainNames.enumerated() {
      try write((0..<4).flatMap { record(UInt8((4 * file + $0) % 10)) }, name)
    }
    try write([7, 8, 9].flatMap(record), "test_batch.bin")
  }

  private func task(_ change: (inout TaskOptions) -> Void = { _ in }) throws -> Image {
    var options = TaskOptions(dataFolder: folder.path)
    change(&options)
    return try Image(options)
  }

  @Test("Training, the last tenth for validation, and the test, in the order of the files")
  func splits() throws {
    try writePictures()
    let task = try task()
    let labels = try Split.allCases.map { split in
      let source = try task.examples(split)
      return (0..<source.count).map(source.label)
    }
    #expect(labels == [Array(0...9) + Array(0...7), [8, 9], [7, 8, 9]])
    #expect(try task.examples(.test).labelCounts == [0, 0, 0, 0, 0, 0, 0, 1, 1, 1])
    var tokens: [Int32] = []
    try task.examples(.val).append(1, tower: 0, to: &tokens)
    #expect(tokens == [Int32](repeating: 91, count: 1024))
    #expect(try task.examples(.val).length(1, tower: 0) == 1024)
    #expect(
      try task.provenance()
        == "read from \(folder.path)/image/cifar-10-batches-bin, validated on 2 of the training "
        + "files' last tenth")
    let sizes = [task.classes, task.vocabulary, task.towers, task.length]
    #expect(sizes == [10, 257, 1, 1024])
    #expect(task.classNames.first == "airplane" && task.classNames.last == "truck")
  }

  @Test("A black pixel is token 1, so it is not padding")
  func black() throws {
    try writePictures()
    var tokens: [Int32] = []
    try task().examples(.train).append(0, tower: 0, to: &tokens)
    #expect(tokens == [Int32](repeating: 1, count: 1024))
  }

  @Test("Planes become grey pixels row by row, as TensorFlow weighs and cuts them")
  func grey() throws {
    // The left half red, the right half green, the last row blue, by rows of 32 pixels.
    var planes = [UInt8](repeating: 0, count: 3072)
    for pixel in 0..<992 { planes[(pixel % 32 < 16 ? 0 : 1024) + pixel] = 255 }
    for pixel in 992..<1024 { planes[2048 + pixel] = 255 }
    var grey = [UInt8](repeating: 0, count: 1024)
    CIFARBatch.convert(planes[...], to: &grey)
    let row = [UInt8](repeating: 76, count: 16) + [UInt8](repeating: 149, count: 16)
    #expect(Array(grey[..<32]) == row && Array(grey[960..<992]) == row)
    #expect(Array(grey[992...]) == [UInt8](repeating: 29, count: 32))
  }

  @Test("Grey is what TensorFlow's formula gives in 32-bit floats, but for the last bit of some")
  func greyFormula() throws {
    let levels = stride(from: 0, through: 255, by: 5).map { UInt8($0) }
    var (different, count) = (0, 0)
    for red in levels {
      for green in levels {
        var planes = [UInt8](repeating: 0, count: 3072)
        for (place, blue) in levels.enumerated() {
          (planes[place], planes[1024 + place], planes[2048 + place]) = (red, green, blue)
        }
        var grey = [UInt8](repeating: 0, count: 1024)
        CIFARBatch.convert(planes[...], to: &grey)
        for (place, blue) in levels.enumerated() {
          let scale: Float = 1 / 255
          let sum =
            Float(red) * scale * 0.2989 + Float(green) * scale * 0.587
            + Float(blue) * scale * 0.114
          let expected = Int(sum * 255.5)
          #expect(abs(Int(grey[place]) - expected) <= 1)
          different += Int(grey[place]) == expected ? 0 : 1
          count += 1
        }
      }
    }
    #expect(count == 52 * 52 * 52 && different < 30)
  }

  @Test("A length other than that of a picture is refused; of more than there are all are taken")
  func refused() throws {
    try writePictures()
    let length = userError { _ = try task { $0.length = 512 } }
    #expect(
      length?.problem
        == "task.length is 512, but a picture has 1024 pixels, or 256 or 64 when shrunk")
    #expect(try task { $0.length = 1024 }.length == 1024)
    let more = try task { $0.valCount = 3 }
    #expect(try more.examples(.val).count == 2)
    #expect(try more.provenance().hasSuffix("all 2 val examples (task.val-count is 3)"))
    #expect(try task { $0.trainCount = 5 }.examples(.train).count == 5)
  }

  @Test("A smaller picture has the means of squares", arguments: [256, 64])
  func smaller(length: Int) throws {
    try writePictures()
    let task = try task { $0.length = length }
    #expect(task.length == length)
    var tokens: [Int32] = []
    try task.examples(.val).append(1, tower: 0, to: &tokens)
    #expect(tokens == [Int32](repeating: 91, count: length))
    #expect(
      try task.provenance().contains("shrunk to \(length == 256 ? "16 x 16" : "8 x 8") pixels"))
    var random = RandomStream(seed: 3, stream: fnv1a("grey"))
    let grey = (0..<1024).map { _ in UInt8(random.integer(below: 256)) }
    let side = length == 256 ? 16 : 8
    let factor = 32 / side
    for (place, value) in CIFARBatch.shrunk(grey, by: factor).enumerated() {
      var sum = 0.0
      for row in 0..<factor {
        for column in 0..<factor {
          sum += Double(grey[(place / side * factor + row) * 32 + place % side * factor + column])
        }
      }
      #expect(abs(Double(value) - sum / Double(factor * factor)) <= 0.5)
    }
  }

  @Test("A picture is drawn in half blocks, and told in numbers")
  func drawing() throws {
    let task = try task()
    let tokens = [Int32](repeating: 1, count: 32) + [Int32](repeating: 256, count: 64)
    let plain = try #require(task.drawing(tokens, inColor: false))
    #expect(plain == ["▄", "▀"].map { String(repeating: $0, count: 32) }.joined(separator: "\n"))
    let colored = try #require(task.drawing(tokens, inColor: true))
    #expect(colored.hasPrefix("\u{1B}[38;5;232;48;5;255m▀") && colored.hasSuffix("\u{1B}[0m"))
    #expect(task.describe([1, 256, 0]) == "0 255 <pad>")
  }

  @Test(
    "Files of a wrong size or with a wrong label are named",
    arguments: [
      ([], "the file is empty"),
      (
        [UInt8](repeating: 1, count: 3072),
        "3072 bytes are not a whole number of records of 3073 bytes"
      ),
      (
        [UInt8](repeating: 1, count: 6145),
        "6145 bytes are not a whole number of records of 3073 bytes"
      ),
      (
        [UInt8](repeating: 1, count: 3073) + [UInt8](repeating: 10, count: 3073),
        "record 2 has the label 10, not one of 0 to 9"
      ),
    ])
  func wrong(bytes: [UInt8], problem: String) throws {
    try writePictures()
    try write(bytes, "data_batch_3.bin")
    let error = userError { _ = try task().examples(.train) }
    #expect(error?.kind == .badData)
    #expect(
      error?.problem == "\(folder.path)/image/cifar-10-batches-bin/data_batch_3.bin: \(problem)")
    #expect(error?.remedy.contains("make data TASK=image") == true)
  }

  @Test("Missing files and folders are named")
  func missing() throws {
    let root = "\(folder.path)/image"
    #expect(
      userError { try task().prepare { _ in } }?.problem
        == "there is no folder cifar-10-batches-bin or cifar-10-batches-py in \(root)")
    try writePictures()
    try FileManager.default.removeItem(atPath: "\(root)/cifar-10-batches-bin/test_batch.bin")
    #expect(
      userError { try task().prepare { _ in } }?.problem
        == "\(root)/cifar-10-batches-bin: test_batch.bin not found")
    try createFolder("\(root)/cifar-10-batches-bin/test_batch.bin")
    #expect(
      userError { try task().prepare { _ in } }?.problem
        == "\(root)/cifar-10-batches-bin/test_batch.bin: this is not a file")
  }

  /// A pickle as Python 2 writes the published files.
  private func pickle(_ labels: [UInt8]) -> [UInt8] {
    let text = { (text: String) in [0x55, UInt8(text.utf8.count)] + Array(text.utf8) }
    let global = { (name: String) in Array("cnumpy\n\(name)\n".utf8) }
    let planes = labels.flatMap { record($0).dropFirst() }
    let size = (0..<4).map { UInt8(truncatingIfNeeded: planes.count >> (8 * $0)) }
    var bytes: [UInt8] = [0x80, 2] + Array("}q\u{1}(".utf8)
    bytes += text("labels") + Array("]q\u{2}(".utf8) + labels.flatMap { [0x4B, $0] } + [0x65]
    bytes += text("data") + global("_reconstruct") + global("ndarray") + [0x4B, 0, 0x85]
    bytes += text("b") + [0x87, 0x52, 0x28, 0x4B, 1, 0x4B, UInt8(labels.count), 0x4D, 0, 12, 0x86]
    bytes += global("dtype") + text("u1") + [0x4B, 0, 0x4B, 1, 0x87, 0x52]
    bytes += [0x28, 0x4B, 3] + text("|") + Array("NNNJ\u{7F}\u{7F}\u{7F}\u{7F}K".utf8) + [0]
    bytes += [0x74, 0x62, 0x89, 0x54] + size + planes + [0x74, 0x62]
    return bytes + Array("u.".utf8)
  }

  @Test("The version for Python gives the same pictures", arguments: ["cifar-10-batches-py", ""])
  func python(place: String) throws {
    try writePictures()
    let hash = try task().contentHash()
    try FileManager.default.removeItem(atPath: "\(folder.path)/image/cifar-10-batches-bin")
    for file in 0..<5 {
      try write(
        pickle((0..<4).map { UInt8((4 * file + $0) % 10) }), "data_batch_\(file + 1)", in: place)
    }
    try write(pickle([7, 8, 9]), "test_batch", in: place)
    #expect(try task().contentHash() == hash)
  }

  @Test("A pickle of something else is named with what is wrong, never carried out or crashed on")
  func foreignPickles() throws {
    let genuine = pickle([1, 2])
    let read = { (bytes: [UInt8]) in
      let path = try self.folder.write(bytes, "batch")
      var examples = PackedExamples(classes: 10, shift: 1)
      try CIFARPickle.read(path, into: &examples)
    }
    try read(genuine)
    for (bytes, problem) in [
      (Array("\u{4}\u{2}.".utf8), "no pickle of protocol 2"),
      ([0x80, 2] + Array("cos\nsystem\n(U\u{2}ls".utf8) + [0x74, 0x52, 0x2E], "no NumPy array"),
      ([0x80, 2] + Array("ios\nsystem\n.".utf8), "the instruction 0x69"),
      (pickle([1, 12]), "record 2 has a label"), (Array(genuine.dropLast(9)), "ends too early"),
      ([0x80, 2, 0x65], "a mark that is not there"), ([0x80, 2, 0x2E], "a value that is not"),
    ] {
      let error = userError { try read(bytes) }
      #expect(error?.kind == .badData)
      #expect(
        error?.problem.contains(problem) == true || problem == "no NumPy array", "\(error as Any)")
    }
    var random = RandomStream(seed: 2, stream: fnv1a("pickles"))
    for _ in 0..<300 {
      // The instructions, not the pictures, which any bytes are.
      let bytes = mutated(Array(genuine.prefix(190)), &random) + genuine.dropFirst(190)
      _ = userError { try read(bytes) }
    }
  }

  @Test("A file may be a link to elsewhere, as hubs store them, but not to nothing")
  func links() throws {
    try writePictures()
    let hash = try task().contentHash()
    let path = "\(folder.path)/image/cifar-10-batches-bin/test_batch.bin"
    try FileManager.default.moveItem(atPath: path, toPath: "\(folder.path)/blob")
    try FileManager.default.createSymbolicLink(
      atPath: path, withDestinationPath: "\(folder.path)/blob")
    #expect(try task().contentHash() == hash)
    try FileManager.default.removeItem(atPath: "\(folder.path)/blob")
    let error = userError { try task().prepare { _ in } }
    #expect(error?.problem.hasSuffix("cifar-10-batches-bin: test_batch.bin not found") == true)
  }

  @Test("Changed files end in data or in an error, never in a crash")
  func fuzz() throws {
    try writePictures()
    var random = RandomStream(seed: 2, stream: fnv1a("pictures"))
    let genuine = [1, 2].flatMap(record)
    var readable = 0
    for _ in 0..<200 {
      let path = try folder.write(mutated(genuine, &random), "fuzz.bin")
      var examples = PackedExamples(classes: 10, shift: 1)
      do {
        try CIFARBatch.read(path, into: &examples)
        readable += 1
      } catch { #expect(error is UserError) }
    }
    #expect(readable > 20 && readable < 180)
  }
}

/// The whole data set, where it is there.
@Suite struct GenuinePicturesTests {
  @Test(
    "All 60,000 pictures are read, a tenth of each class, with the grey that they should have",
    .enabled(if: hasGenuineData("image/cifar-10-batches-bin")))
  func pictures() throws {
    let task = try Image(TaskOptions(dataFolder: genuineData))
    let sources = try Split.allCases.map { try task.examples($0) }
    #expect(sources.map(\.count) == [45_000, 5000, 10_000])
    let train = zip(sources[0].labelCounts, sources[1].labelCounts).map { $0 + $1 }
    #expect(train == [Int](repeating: 5000, count: 10))
    #expect(sources[2].labelCounts == [Int](repeating: 1000, count: 10))
    // 122.364 and 123.138, by an independent count in Python.
    #expect(try abs(meanGrey(Array(sources[..<2])) - 122.364) < 0.01)
    #expect(try abs(meanGrey([sources[2]]) - 123.138) < 0.01)
  }

  private func meanGrey(_ sources: [any ExampleSource]) throws -> Double {
    var (sum, count) = (0, 0)
    for source in sources {
      for example in 0..<source.count {
        var tokens: [Int32] = []
        try source.append(example, tower: 0, to: &tokens)
        sum += tokens.reduce(0) { $0 + Int($1) - 1 }
        count += tokens.count
      }
    }
    return Double(sum) / Double(count)
  }
}
