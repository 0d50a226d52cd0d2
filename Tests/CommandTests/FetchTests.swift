// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The scripts that bring published data into the data folder, kept off the network.
@Suite("data-scripts/listops, text, retrieval, image, pathfinder and pathx")
struct FetchTests {
  private func fetch(_ task: String, into data: String, from: String = "") throws -> CommandResult {
    try CommandRunner.run(
      "/bin/sh", ["data-scripts/\(task)"],
      environment: ["LRA_DATA": data, "LRA_OFFLINE": "1", "FROM": from])
  }

  private func pack(_ folder: String, _ name: String, into archive: String) throws {
    let packed = try CommandRunner.run(
      "/bin/sh", ["-c", "tar -czf \(archive) -C \(folder) \(name)"])
    #expect(packed.status == 0)
  }

  /// What a folder holds, without the script's lock.
  private func names(_ folder: String) -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return all.filter { $0 != ".fetch.lock" }.sorted()
  }

  @Test("Without the network a missing archive is told in one line, with what to do")
  func missing() throws {
    try withScratchFolder { folder in
      for (task, archive) in [
        ("text", "aclImdb_v1.tar.gz"), ("image", "cifar-10-binary.tar.gz"),
        ("retrieval", "lra_release.gz"),
      ] {
        let run = try fetch(task, into: folder)
        #expect(run.status == 66)
        #expect(run.errors.split(separator: "\n").count == 1)
        for part in [archive, "put it into \(folder)/\(task)", "FROM"] {
          #expect(run.errors.contains(part), "\(part)")
        }
        #expect(names("\(folder)/\(task)").isEmpty)
      }
    }
  }

  @Test(
    "An archive is unpacked, wherever in it the folder is, and then left alone",
    arguments: [("source", "aclImdb"), ("source/aclImdb", "."), (".", "source")])
  func archive(place: String, part: String) throws {
    try withScratchFolder { folder in
      try TinyReviews.write(to: "\(folder)/source/aclImdb")
      try pack("\(folder)/\(place)", part, into: "\(folder)/reviews.tar.gz")
      let data = "\(folder)/data"
      let run = try fetch("text", into: data, from: "\(folder)/reviews.tar.gz")
      #expect(run.status == 0, "\(run.errors)")
      #expect(run.errors.contains("is not the published aclImdb_v1.tar.gz"))
      #expect(names("\(data)/text") == ["aclImdb"])
      let again = try fetch("text", into: data)
      #expect(again.status == 0 && again.errors.isEmpty && again.output.isEmpty)
      let made = try CommandRunner.lra("data make text --data \(data)")
      #expect(made.status == 0 && made.output.contains("train 18, val 2, test 20"))
    }
  }

  @Test("ListOps' tables are taken where they are given, and else nothing is done")
  func listOps() throws {
    try withScratchFolder { folder in
      let data = "\(folder)/data"
      let none = try fetch("listops", into: data)
      #expect(none.status == 0 && none.errors.isEmpty && names(data).isEmpty)
      let mine = "\(folder)/mine"
      try FileManager.default.createDirectory(atPath: mine, withIntermediateDirectories: true)
      for split in ["train", "val", "test"] {
        try "Source\tTarget\n[MAX 4 3 ]\t4\n".write(
          toFile: "\(mine)/basic_\(split).tsv", atomically: false, encoding: .utf8)
      }
      let run = try fetch("listops", into: data, from: mine)
      #expect(run.status == 0, "\(run.errors)")
      #expect(names("\(data)/listops") == ["listops-1000"])
      // Presets ask for more than there are: all are taken, and it is said.
      let made = try CommandRunner.lra("data make listops --train-count 20 --data \(data)")
      #expect(made.output.contains("train 1, val 1, test 1"), "\(made.errors)")
      #expect(made.output.contains("all 1 train examples (task.train-count is 20)"))
    }
  }

  @Test("A folder is linked, the one itself, one above it, or one with the archive in it")
  func folders() throws {
    try withScratchFolder { folder in
      let unpacked = "\(folder)/source/mine/cifar-10-batches-bin"
      try TinyPictures.write(to: unpacked)
      try FileManager.default.createDirectory(
        atPath: "\(folder)/packed", withIntermediateDirectories: true)
      try pack(
        "\(folder)/source/mine", "cifar-10-batches-bin",
        into: "\(folder)/packed/cifar-10-binary.tar.gz")
      for (number, from) in [
        unpacked, "\(folder)/source/mine", "\(folder)/source", "\(folder)/packed",
      ].enumerated() {
        let data = "\(folder)/data\(number)"
        let run = try fetch("image", into: data, from: from)
        #expect(run.status == 0, "\(run.errors)")
        #expect(names("\(data)/image") == ["cifar-10-batches-bin"])
        let made = try CommandRunner.lra("data make image --data \(data)")
        #expect(made.status == 0 && made.output.contains("train 36, val 4, test 8"))
      }
    }
  }

  @Test(
    "Pairs are found where the release and others have them, packed or not",
    arguments: [
      "tsv_data", "lra_release/tsv_data", "lra_release/lra_release/tsv_data", "aan", "",
    ])
  func pairs(place: String) throws {
    try withScratchFolder { folder in
      try TinyPairs.write(to: "\(folder)/source/\(place)")
      try TinyPictures.write(to: "\(folder)/source/lra_release/pathfinder32")
      // The release's name does not tell that it is a tar archive.
      try pack("\(folder)/source", ".", into: "\(folder)/lra_release.gz")
      for (number, from) in ["source", "lra_release.gz", ""].enumerated() {
        let data = "\(folder)/data\(number)"
        if from.isEmpty {
          try FileManager.default.createDirectory(
            atPath: data, withIntermediateDirectories: true)
          try FileManager.default.copyItem(
            atPath: "\(folder)/lra_release.gz", toPath: "\(data)/lra_release.gz")
        }
        let run = try fetch("retrieval", into: data, from: from.isEmpty ? "" : "\(folder)/\(from)")
        #expect(run.status == 0, "\(run.errors)")
        #expect(names("\(data)/retrieval") == ["tsv_data"])
        let made = try CommandRunner.lra("data make retrieval --data \(data)")
        #expect(made.status == 0 && made.output.contains("train 20, val 6, test 8"))
        let again = try fetch("retrieval", into: data)
        #expect(again.status == 0 && again.errors.isEmpty)
      }
    }
  }

  @Test("Pairs by names are taken too, and what is neither is refused")
  func pairsByNames() throws {
    try withScratchFolder { folder in
      try TinyPairs.writeNames(to: "\(folder)/source/aan")
      try pack("\(folder)/source", "aan", into: "\(folder)/papers_text.tar.gz")
      for (number, from) in ["source", "source/aan", "papers_text.tar.gz"].enumerated() {
        let data = "\(folder)/data\(number)"
        let run = try fetch("retrieval", into: data, from: "\(folder)/\(from)")
        #expect(run.status == 0, "\(run.errors)")
        let made = try CommandRunner.lra("data make retrieval --data \(data)")
        #expect(made.status == 0 && made.output.contains("train 2, val 2, test 2"))
      }
      try FileManager.default.removeItem(atPath: "\(folder)/source/aan/papers_text")
      let run = try fetch("retrieval", into: "\(folder)/data", from: "\(folder)/source")
      #expect(run.status == 65 && run.errors.contains("holds no complete tsv_data"))
    }
  }

  @Test("A broken archive leaves nothing behind, nor does one of something else")
  func broken() throws {
    try withScratchFolder { folder in
      try TinyReviews.write(to: "\(folder)/source/aclImdb")
      let archive = "\(folder)/aclImdb_v1.tar.gz"
      try pack("\(folder)/source", "aclImdb", into: archive)
      let bytes = try #require(FileManager.default.contents(atPath: archive))
      try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: archive))
      let data = "\(folder)/data"
      let cut = try fetch("text", into: data, from: archive)
      #expect(cut.status == 65 && cut.errors.contains("cannot be unpacked"))
      #expect(names("\(data)/text").isEmpty)

      try FileManager.default.removeItem(atPath: "\(folder)/source/aclImdb/test/pos")
      try pack("\(folder)/source", "aclImdb", into: archive)
      let part = try fetch("text", into: data, from: archive)
      #expect(part.status == 65 && part.errors.contains("holds no complete aclImdb"))
      #expect(names("\(data)/text").isEmpty)

      let absent = try fetch("text", into: data, from: "\(folder)/none")
      #expect(absent.status == 66 && absent.errors.contains("no such file or folder"))
    }
  }

  @Test("What a killed run left is removed, and an incomplete folder is not taken for data")
  func leftovers() throws {
    try withScratchFolder { folder in
      try TinyReviews.write(to: "\(folder)/source/aclImdb")
      try pack("\(folder)/source", "aclImdb", into: "\(folder)/a.tar.gz")
      let place = "\(folder)/data/text"
      try TinyReviews.write(to: "\(place)/.unpacking-123/aclImdb")
      try FileManager.default.createDirectory(
        atPath: "\(place)/aclImdb/train/pos", withIntermediateDirectories: true)
      let refused = try fetch("text", into: "\(folder)/data", from: "\(folder)/a.tar.gz")
      #expect(refused.status == 65 && refused.errors.contains("aclImdb is not complete"))
      try FileManager.default.removeItem(atPath: "\(place)/aclImdb")
      let taken = try fetch("text", into: "\(folder)/data", from: "\(folder)/a.tar.gz")
      #expect(taken.status == 0, "\(taken.errors)")
      #expect(names(place) == ["aclImdb"])
    }
  }

  @Test("A folder or archive that is refused is told what it lacks, or what it holds instead")
  func refused() throws {
    try withScratchFolder { folder in
      let source = "\(folder)/source/cifar-10-batches-py"
      try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
      for name in (1...5).map({ "data_batch_\($0)" }) {
        try "x".write(toFile: "\(source)/\(name)", atomically: false, encoding: .utf8)
      }
      try pack("\(folder)/source", "cifar-10-batches-py", into: "\(folder)/p.tar.gz")
      for from in ["\(folder)/p.tar.gz", "\(folder)/source"] {
        let run = try fetch("image", into: "\(folder)/data", from: from)
        #expect(run.status == 65)
        #expect(run.errors.contains("cifar-10-batches-py has data_batch_5 but lacks test_batch"))
      }
      try "x".write(toFile: "\(source)/test_batch", atomically: false, encoding: .utf8)
      let taken = try fetch("image", into: "\(folder)/data", from: "\(folder)/source")
      #expect(taken.status == 0, "\(taken.errors)")
      let other = try fetch("text", into: "\(folder)/data", from: "\(folder)/source")
      #expect(other.errors.contains("only: cifar-10-batches-py"))
    }
  }

  @Test("What is unpacked has no set-uid bits, no pipes and no devices")
  func tame() throws {
    try withScratchFolder { folder in
      try TinyReviews.write(to: "\(folder)/source/aclImdb")
      let review = "\(folder)/source/aclImdb/train/pos/0_9.txt"
      chmod(review, 0o6777)
      mkfifo("\(folder)/source/aclImdb/pipe", 0o644)
      try pack("\(folder)/source", "aclImdb", into: "\(folder)/a.tar.gz")
      let run = try fetch("text", into: "\(folder)/data", from: "\(folder)/a.tar.gz")
      #expect(run.status == 0, "\(run.errors)")
      var information = stat()
      #expect(stat("\(folder)/data/text/aclImdb/train/pos/0_9.txt", &information) == 0)
      #expect(information.st_mode & 0o7022 == 0)
      #expect(names("\(folder)/data/text/aclImdb") == ["test", "train"])
    }
  }

  @Test("Pathfinder is taken from wherever it is in the LRA's archive, and else generated")
  func pathfinder() throws {
    try withScratchFolder { folder in
      let none = try fetch("pathfinder", into: "\(folder)/none")
      #expect(none.status == 0 && none.errors.isEmpty && names("\(folder)/none").isEmpty)
      let small = "pathfinder --train-count 8 --val-count 1 --test-count 1"
      let release = "\(folder)/source/lra_release/lra_release"
      let written = try CommandRunner.lra(
        "data export \(small) --output \(release) --data \(folder)/made")
      #expect(written.status == 0, "\(written.errors)")
      // The outer copy is not the one that counts.
      let outer = "\(folder)/source/lra_release/pathfinder32/curv_contour_length_14"
      for part in ["imgs", "metadata"] {
        try FileManager.default.createDirectory(
          atPath: "\(outer)/\(part)", withIntermediateDirectories: true)
      }
      try pack("\(folder)/source", "lra_release", into: "\(folder)/lra_release.gz")
      try pack(release, "pathfinder32", into: "\(folder)/part.tar.gz")
      for (number, from) in [
        "lra_release.gz", "part.tar.gz", "source", "source/lra_release",
        "source/lra_release/lra_release", "source/lra_release/lra_release/pathfinder32",
      ].enumerated() {
        let data = "\(folder)/data\(number)"
        let run = try fetch("pathfinder", into: data, from: "\(folder)/\(from)")
        #expect(run.status == 0, "\(from): \(run.errors)")
        #expect(names("\(data)/pathfinder") == ["pathfinder32"])
        let made = try CommandRunner.lra("data make pathfinder --data \(data)")
        #expect(made.status == 0 && made.output.contains("train 8, val 1, test 1"), "\(from)")
        #expect(made.output.contains("read from \(data)/pathfinder/pathfinder32"))
      }
      let other = try fetch("pathx", into: "\(folder)/data", from: "\(folder)/source")
      #expect(other.status == 65 && other.errors.contains("no complete pathfinder128"))
    }
  }

  @Test("A training on each of them ends with a result that says what it was validated on")
  func trainings() throws {
    try withScratchFolder { folder in
      try TinyReviews.write(to: "\(folder)/data/text/aclImdb")
      try TinyPictures.write(to: "\(folder)/data/image/cifar-10-batches-bin")
      try TinyPairs.write(to: "\(folder)/data/retrieval/tsv_data")
      for (task, told) in [
        ("text", "validated on 2 of the training reviews held out"),
        ("image", "validated on 2 of the training files'"), ("retrieval", "literals kept"),
      ] {
        let run = try CommandRunner.lra(
          "train --task \(task) --model linear --preset quick --steps 2 --batch 4 "
            + "--set task.val-count=2 --set task.test-count=5 --data \(folder)/data "
            + "--output \(folder)/\(task)")
        #expect(run.status == 0, "\(run.errors)")
        let result = try jsonObject(
          String(contentsOfFile: "\(folder)/\(task)/result.json", encoding: .utf8))
        let source = try #require(result["data_source"] as? String)
        #expect(source.contains(told))
        #expect(run.output.contains(source))
      }
    }
  }
}
