// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Models
import Testing
import Training

@Suite("lra train, evaluate and predict")
struct TrainTests {
  @Test("A run ends with a summary, and its checkpoint can be evaluated and compared")
  func wholeRun() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      let trained = try training.run("run")
      #expect(trained.status == 0)
      for text in ["test accuracy", "steps/s", "peak memory", "run folder", "lra evaluate"] {
        #expect(trained.output.contains(text), "\(text)")
      }
      let lines = training.path("predictions.jsonl")
      let evaluated = try CommandRunner.run(
        CommandRunner.program,
        [
          "evaluate", training.path("run"), "--data", "\(folder)/data", "--predictions", lines,
          "--batch", "3", "--json",
        ])
      #expect(evaluated.status == 0)
      let result = try jsonObject(
        String(contentsOfFile: training.path("run/result.json"), encoding: .utf8))
      let best = try #require(result["test_best"] as? [String: Any])
      let answer = try evaluated.object()
      #expect(answer["loss"] as? Double == best["loss"] as? Double)
      #expect(answer["accuracy"] as? Double == best["accuracy"] as? Double)
      let predictions = try String(contentsOfFile: lines, encoding: .utf8).split(separator: "\n")
      #expect(predictions.count == 40)
    }
  }

  @Test("A run that is done says so when it is told to go on, and stays as it is")
  func alreadyDone() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      let first = try training.run("done")
      #expect(first.status == 0, "\(first.errors)")
      let before = try files(training.path("done"))
      let again = try training.resume("done")
      #expect(again.status == 0)
      #expect(
        again.errors.contains("\(training.path("done")): already done; nothing was changed"))
      #expect(again.output == first.output)
      #expect(try files(training.path("done")) == before)
    }
  }

  /// What lies in a folder, with the bytes of files and the targets of links.
  private func files(_ folder: String) throws -> [String: Data] {
    let files = FileManager.default
    let names = try files.subpathsOfDirectory(atPath: folder)
    return names.reduce(into: [:]) { found, name in
      let path = "\(folder)/\(name)"
      let target = try? files.destinationOfSymbolicLink(atPath: path)
      found[name] = target.map { Data($0.utf8) } ?? files.contents(atPath: path) ?? Data()
    }
  }

  @Test("A profile is that of the training steps, without the evaluations between them")
  func profile() throws {
    try withScratchFolder { folder in
      let trained = try TinyTraining(folder: folder).run(
        "run", ["--profile", "--time-limit", "60s"])
      #expect(trained.status == 0)
      let rows = trained.errors.split(separator: "\n").filter { $0.hasPrefix("mean pool  ") }
      #expect(rows.count == 1)
      #expect(rows.first?.hasSuffix(" 1") == true, "\(rows)")
    }
  }

  @Test("The config.json of a run is enough to begin another one")
  func config() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      _ = try training.run("run", ["--steps", "0"])
      let file = training.path("run/config.json")
      let again = try CommandRunner.run(
        CommandRunner.program,
        ["train", "--config", file, "--data", "\(folder)/data", "--output", training.path("other")])
      #expect(again.status == 0, "\(again.errors)")
      #expect(
        try String(contentsOfFile: training.path("other/config.json"), encoding: .utf8)
          == String(contentsOfFile: file, encoding: .utf8))
    }
  }

  @Test("predict gives the model's logits, and refuses padding between tokens")
  func predict() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      _ = try training.run("run", ["--steps", "0"])
      var file = SafeTensors()
      file.add("tokens", shape: [2, 6], [12, 5, 4, 15, 0, 0, 11, 1, 2, 3, 15, 0] as [Int32])
      try file.write(to: training.path("in.safetensors"))
      let arguments = [
        "predict", training.path("run"), "--input", training.path("in.safetensors"), "--output",
        training.path("out.safetensors"),
      ]
      #expect(try CommandRunner.run(CommandRunner.program, arguments).status == 0)
      let logits = try SafeTensors(contentsOf: training.path("out.safetensors"))
      #expect(logits["logits"]?.shape == [2, 10])
      let model = try SavedModel(
        training.path("run"), choice: .last, dataFolder: "\(folder)/data"
      ).model
      let tokens: [Int32] = [12, 5, 4, 15, 11, 1, 2, 3, 15]
      let expected = model(PackedTokens(tokens: tokens, offsets: [0, 4, 9], capacity: 60))
      #expect(try logits.floats("logits") == expected.values)
      var bad = SafeTensors()
      bad.add("tokens", shape: [1, 4], [12, 0, 4, 15] as [Int64])
      try bad.write(to: training.path("in.safetensors"))
      let refused = try CommandRunner.run(CommandRunner.program, arguments)
      #expect(refused.status == 65)
      #expect(refused.errors.contains("row 0 column 1 is 0"))
    }
  }

  @Test(
    "Mistakes end with their status and name what to change",
    arguments: [
      ("train --task listop --model linear", 64, "listops"),
      ("train --task listops --model linaer", 64, "linear"),
      ("train --task listops", 64, "--model is missing"),
      ("train --task listops --model linear --length 0", 64, "length"),
      ("train --task listops --model linear --batch -1", 78, "train.batch is -1"),
      ("train --task listops --model linear --set typo=1", 78, "typo"),
      ("train --task listops --model linear --set model.lyers=1", 78, "model.layers"),
      ("train --task listops --model linear --output /dev/null/run", 73, "/dev/null"),
      ("train --task listops --model linear --time-limit soon", 64, "--time-limit"),
      ("train --resume /nowhere", 66, "/nowhere"),
      ("train --resume /nowhere --steps 3", 64, "--steps"),
      ("evaluate /nowhere", 66, "/nowhere"),
      ("evaluate /nowhere --split tset", 64, "tset"),
    ])
  func mistakes(arguments: String, status: Int32, text: String) throws {
    let result = try CommandRunner.lra(arguments)
    #expect(result.status == status, "\(result.errors)")
    #expect(result.errors.contains(text), "\(result.errors)")
    #expect(result.output.isEmpty)
  }

  @Test(
    "Broken original files are refused with file and line",
    arguments: [
      ("( ( ( [SUM 4 ) 3 ) ] )\t7", "[SUM"), ("( ( ( [MAX 4 ) 3 )\t4", "2"),
      ("( ( ( [MAX 4 ) 3 ) ] )\t11", "11"), ("( ( ( [MAX 4 ) 3 ) ] )\t3", "3"),
      (String(repeating: "4 ", count: 600_000) + "\t4", "line"),
    ])
  func brokenFiles(row: String, text: String) throws {
    try withScratchFolder { folder in
      let data = "\(folder)/data/listops"
      try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
      for split in ["train", "val", "test"] {
        try "Source\tTarget\r\n\(row)\r\n".write(
          toFile: "\(data)/basic_\(split).tsv", atomically: true, encoding: .utf8)
      }
      let result = try TinyTraining(folder: folder).run("run")
      #expect(result.status == 65, "\(result.errors)")
      #expect(result.errors.contains("basic_train.tsv:2"), "\(result.errors)")
      #expect(result.errors.contains(text), "\(result.errors)")
    }
  }

  @Test("--explain prints values and sources and writes nothing")
  func explain() throws {
    try withScratchFolder { folder in
      let result = try TinyTraining(folder: folder).run("run", ["--explain"])
      #expect(result.status == 0)
      #expect(result.output.contains("preset small: mlpen/Nystromformer"))
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
    }
  }
}
