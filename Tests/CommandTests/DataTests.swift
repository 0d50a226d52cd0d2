// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@Suite("lra data")
struct DataTests {
  private let small = "listops --train-count 30 --val-count 5 --test-count 5"

  @Test("make, then check shows counts, classes, lengths and an example")
  func makeAndCheck() throws {
    try withScratchFolder { folder in
      let made = try CommandRunner.lra("data make \(small)", environment: ["LRA_DATA": folder])
      #expect(made.status == 0)
      #expect(made.output.contains("train 30, val 5, test 5"))
      let card = try CommandRunner.lra("data check \(small) --data \(folder)")
      #expect(card.status == 0)
      for text in ["always the same", "Lengths", "#", "First training example, label "] {
        #expect(card.output.contains(text), "\(text)")
      }
      #expect(!card.errors.contains("generating"))
    }
  }

  @Test("the JSON card adds up, and its example has its label")
  func jsonCard() throws {
    try withScratchFolder { folder in
      _ = try CommandRunner.lra("data make \(small) --data \(folder)")
      let card = try CommandRunner.lra("data check \(small) --data \(folder) --json").object()
      let parts = try #require(card["parts"] as? [[String: Any]])
      #expect(parts.map { $0["examples"] as? Int } == [30, 5, 5])
      for part in parts {
        for name in ["label_counts", "length_histogram"] {
          let sum = try #require(part[name] as? [Int]).reduce(0, +)
          #expect(sum == part["examples"] as? Int, "\(name)")
        }
      }
      let majority = try #require(parts[0]["majority_share"] as? Double)
      let most = try #require((parts[0]["label_counts"] as? [Int])?.max())
      #expect(abs(majority - Double(most) / 30) < 1e-12)
      let loading = try #require(card["loading"] as? [String: Any])
      let speed = try #require(loading["batches_per_second"] as? Double)
      #expect(loading["batch"] as? Int == 32 && speed > 0)
      let example = try #require(card["first_example"] as? [String: Any])
      let sequence = try #require((example["sequences"] as? [String])?.first)
      #expect(evaluate(sequence) == example["label"] as? Int)
    }
  }

  @Test("exported files read back as the same data")
  func export() throws {
    try withScratchFolder { folder in
      let exported = "\(folder)/other/listops"
      let run = try CommandRunner.lra(
        "data export \(small) --data \(folder)/own --output \(exported)")
      #expect(run.status == 0)
      let text = try String(contentsOfFile: "\(exported)/basic_val.tsv", encoding: .utf8)
      #expect(text.hasPrefix("Source\tTarget\r\n"))
      let hashes = try ["own", "other"].map { name in
        let card = try CommandRunner.lra("data check \(small) --data \(folder)/\(name) --json")
        return try #require(try card.object()["content_hash"] as? String)
      }
      #expect(hashes[0] == hashes[1])
    }
  }

  @Test(
    "another seed and another length make other data",
    arguments: ["--seed 1", "--length 1000"])
  func options(_ option: String) throws {
    try withScratchFolder { folder in
      let hashes = try ["", option].map { option in
        let run = try CommandRunner.lra("data make \(small) \(option) --data \(folder)")
        return try #require(run.lines.last { $0.hasPrefix("content ") }?.prefix(24))
      }
      #expect(hashes[0] != hashes[1])
    }
  }

  @Test("a card shows reviews as text, and the settings of the task count")
  func reviews() throws {
    try withScratchFolder { folder in
      try TinyReviews.write(to: "\(folder)/text/aclImdb")
      let card = try CommandRunner.lra("data check text --data \(folder)")
      for text in ["0 negative", "1 positive", "held out, seed 0", "It was a film, number "] {
        #expect(card.output.contains(text), "\(text)")
      }
      let counts = try ["", "--set task.validation=test"].map { option in
        let card = try CommandRunner.lra("data check text \(option) --data \(folder) --json")
        let parts = try #require(try card.object()["parts"] as? [[String: Any]])
        return parts.compactMap { $0["examples"] as? Int }
      }
      #expect(counts == [[18, 2, 20], [20, 20, 20]])
      let mistake = try CommandRunner.lra("data check text --set task.validaton=test")
      #expect(mistake.status == 78 && mistake.errors.contains("task.validation"))
    }
  }

  @Test("a card shows both texts of a pair, as they stand or undone")
  func pairs() throws {
    try withScratchFolder { folder in
      try TinyPairs.write(to: "\(folder)/retrieval/tsv_data")
      for (option, text) in [
        ("", "b'On parsing\\n'"), ("--set task.literals=undone", "On parsing\\n"),
      ] {
        let card = try CommandRunner.lra("data check retrieval \(option) --data \(folder)")
        #expect(card.status == 0)
        #expect(card.lines.first?.contains("2 sequences of up to 4000 tokens") == true)
        #expect(card.output.contains("0 unrelated") && card.output.contains("1 cited"))
        let tagging = text.replacing("parsing", with: "tagging")
        #expect(card.output.hasSuffix("label 0 unrelated\n  \(text)\n  \(tagging)\n"))
      }
      let json = try CommandRunner.lra("data check retrieval --data \(folder) --json").object()
      #expect(json["towers"] as? Int == 2)
      let parts = try #require(json["parts"] as? [[String: Any]])
      #expect(parts.map { $0["examples"] as? Int } == [20, 6, 8])
      #expect((parts[0]["length_histogram"] as? [Int])?.reduce(0, +) == 40)
    }
  }

  @Test("several processes that index at once agree and leave one index a split")
  func pairsTogether() throws {
    try withScratchFolder { folder in
      try TinyPairs.write(to: "\(folder)/retrieval")
      let outputs = Mutex<[String]>([])
      DispatchQueue.concurrentPerform(iterations: 4) { _ in
        let run = try? CommandRunner.lra("data make retrieval --data \(folder)")
        outputs.withLock { $0.append(run?.output ?? "") }
      }
      #expect(Set(outputs.withLock { $0 }).count == 1)
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/retrieval")
      #expect(names.count == 6 && names.allSatisfy { !$0.contains("tmp") })
      let again = try CommandRunner.lra("data make retrieval --data \(folder)")
      #expect(again.status == 0 && !again.errors.contains("reading"))
    }
  }

  @Test("a card draws a picture, and its JSON has the numbers")
  func picture() throws {
    try withScratchFolder { folder in
      try TinyPictures.write(to: "\(folder)/image/cifar-10-batches-bin")
      let card = try CommandRunner.lra("data check image --data \(folder)")
      #expect(card.output.contains("label 1 automobile\n  █"))
      #expect(card.output.contains("all 1024"))
      #expect(!card.output.contains("\u{1B}"))
      let json = try CommandRunner.lra("data check image --data \(folder) --json").object()
      let example = try #require(json["first_example"] as? [String: Any])
      let numbers = try #require((example["sequences"] as? [String])?.first)
      #expect(numbers.split(separator: " ").count == 1024 && numbers.hasPrefix("255 255"))
      #expect((json["class_names"] as? [String])?.last == "truck")
    }
  }

  @Test("two dots are generated and drawn, and their level counts")
  func dots() throws {
    try withScratchFolder { folder in
      let small = "pathfinder --train-count 8 --val-count 1 --test-count 1 --data \(folder)"
      let made = try CommandRunner.lra("data make \(small) --set task.level=easy")
      #expect(made.status == 0, "\(made.errors)")
      #expect(made.output.contains("generated with seed 0, easy, 32 x 32"))
      let card = try CommandRunner.lra("data check \(small)")
      #expect(card.output.contains("generated with seed 0, hard, 32 x 32"))
      #expect(card.output.contains("all 1024"))
      let drawing = card.lines.drop { !$0.hasPrefix("First training example") }.dropFirst()
      #expect(drawing.count == 16 && drawing.contains { $0.contains("█") })
    }
  }

  @Test(
    "mistakes have their status and name what is wrong",
    arguments: [
      ("make lstops", 64, "listops"), ("make listops --length 0", 64, "--length"),
      ("make listops --train-count -5", 64, "--train-count"),
      ("check listops --data /nowhere", 66, "lra data make listops"),
      ("check text --data /nowhere", 66, "make data TASK=text"),
      ("check retrieval --data /nowhere", 66, "make data TASK=retrieval"),
      ("check retrieval --set task.literals=both", 64, "kept or undone"),
      ("make image --data /nowhere", 66, "make data TASK=image"),
      ("make image --length 100", 64, "1024 pixels"),
      ("make pathfinder --length 100", 64, "4096"),
      ("make pathx --length 1024", 64, "16384 pixels"),
      ("make pathfinder --set task.level=mid", 64, "easy, intermediate or hard"),
      ("check pathx --data /nowhere", 66, "lra data make pathx"),
      ("make listops --data /dev/null --train-count 5", 73, "/dev/null"),
      ("export listops", 64, "--output"),
    ])
  func mistakes(arguments: String, status: Int, told: String) throws {
    let run = try CommandRunner.lra("data \(arguments)")
    #expect(run.status == Int32(status))
    #expect(run.errors.contains(told))
    #expect(run.output.isEmpty)
  }

  @Test("a wrong file is named with its line, in two lines")
  func badFile() throws {
    try withScratchFolder { folder in
      let listOps = "\(folder)/listops"
      try FileManager.default.createDirectory(
        atPath: listOps, withIntermediateDirectories: true)
      for split in ["train", "val", "test"] {
        let label = split == "val" ? "11" : "3"
        try "Source\tTarget\n[MAX 3 1 ]\t\(label)\n".write(
          toFile: "\(listOps)/basic_\(split).tsv", atomically: true, encoding: .utf8)
      }
      let run = try CommandRunner.lra("data check listops --data \(folder)")
      #expect(run.status == 65)
      let complaint = run.errors.split(separator: "\n").drop { !$0.hasPrefix("error: ") }
      #expect(complaint.count == 2)
      #expect(complaint.first?.contains("basic_val.tsv:2") == true)
    }
  }

  /// The value of an expression, computed apart from the program's own code.
  private func evaluate(_ text: String) -> Int? {
    var stack: [(name: String, values: [Int])] = [("", [])]
    for word in text.split(separator: " ").map(String.init) {
      if word.hasPrefix("[") {
        stack.append((word, []))
      } else if let digit = Int(word) {
        stack[stack.count - 1].values.append(digit)
      } else {
        let (name, values) = stack.removeLast()
        let sorted = values.sorted()
        let middle = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        let results = [
          "[MIN": sorted[0], "[MAX": sorted[sorted.count - 1], "[MED": middle,
          "[SM": values.reduce(0, +) % 10,
        ]
        guard let result = results[name], !stack.isEmpty else { return nil }
        stack[stack.count - 1].values.append(result)
      }
    }
    return stack.count == 1 && stack[0].values.count == 1 ? stack[0].values[0] : nil
  }
}
