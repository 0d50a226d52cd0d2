// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs
import Testing
import Training

/// Random features that change during a training.
@Suite("Redrawn features")
struct RedrawTests {
  private func run(
    _ path: String, _ configuration: RunConfiguration, resuming: Bool
  ) throws -> [Data?] {
    let folder = resuming ? try RunFolder.resume(path) : try RunFolder.create(path)
    let run = try TrainingRun(
      configuration, folder: folder, resuming: resuming, timeLimit: nil, console: SilentConsole())
    _ = try run.run()
    return ["model", "optimizer"].map {
      FileManager.default.contents(atPath: "\(path)/checkpoints/last/\($0).safetensors")
    }
  }

  /// Twelve steps with a checkpoint every four.
  ///
  /// Killed after step 8, a run goes on from there: in the middle of a draw, where one ends, or where
  /// each step has its own.
  @Test(
    "A run resumed between two draws, or at one, ends with the same bytes", arguments: [1, 3, 4])
  func resumed(redraw: Int) throws {
    try withTemporaryFolder { folder in
      let configuration = try tinyConfiguration(
        folder, model: "performer", ["model.redraw=\(redraw)", "model.features=12"])
      let path = "\(folder)/run"
      let whole = try run(path, configuration, resuming: false)
      #expect(!whole.contains(nil))
      try FileManager.default.removeItem(atPath: "\(path)/checkpoints/step-00000012")
      try RunFolder.open(path).setStatus(.running)
      #expect(try run(path, configuration, resuming: true) == whole)
    }
  }
}
