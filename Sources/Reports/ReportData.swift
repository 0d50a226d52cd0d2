import Base
import Foundation
import Training

/// Everything that a report is made from.
public struct ReportData: Sendable {
  /// The runs.
  public var runs: [RunRecord]
  /// Speed and memory as measured.
  public var speed: [BenchmarkResult]
  /// What could not be read, a line each.
  public var problems: [String]

  /// Takes what is given.
  public init(runs: [RunRecord], speed: [BenchmarkResult] = [], problems: [String] = []) {
    self.runs = runs
    self.speed = speed
    self.problems = problems
  }

  /// Reads the runs in folders, and the `speed.jsonl` directly in them.
  ///
  /// - Throws: `UserError(.missingInput)` for a folder that does not exist, or when there is neither a
  ///   run nor a measurement.
  public init(folders: [String]) throws {
    let collection = try RunCollection(folders)
    var log = SpeedLog()
    for folder in folders { log.add("\(folder)/speed.jsonl") }
    runs = collection.runs
    speed = log.results
    problems = collection.problems + log.problems + runs.compactMap(Self.problem)
    if runs.isEmpty && speed.isEmpty {
      throw UserError(
        .missingInput, "\(folders.joined(separator: ", ")): holds no run and no speed.jsonl",
        remedy: "train something first: make train TASK=listops MODEL=linformer PRESET=quick")
    }
  }

  /// What is wrong with the answers that a run keeps, nil when they can be read.
  private static func problem(_ run: RunRecord) -> String? {
    do {
      _ = try Confusion(run)
      return nil
    } catch let error as UserError {
      return error.problem
    } catch {
      return "\(run.path): \(error.localizedDescription)"
    }
  }

  /// All tables: those of accuracy, length and speed, and the list of runs.
  public var tables: [ReportTable] { ReportTables.all(runs, speed: speed) }
}
