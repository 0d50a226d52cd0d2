import Base
import Foundation
import Models
import Tasks
import Training

/// Which model to take for a task, a length and a memory, by what the user measured.
///
/// Nothing is guessed: a model whose accuracy was not measured is no candidate, and one whose memory or
/// time at that length was not measured is listed as such.
public struct Advice: Sendable, Encodable {
  /// What is asked.
  public struct Question: Sendable, Encodable {
    /// The task's name.
    public var task: String
    /// The longest sequence, in tokens.
    public var length: Int
    /// The most memory, bytes; nil for any.
    public var memory: Int?
    /// The most training time, seconds; nil for any.
    public var time: Double?

    /// A question.
    public init(task: String, length: Int, memory: Int? = nil, time: Double? = nil) {
      self.task = task
      self.length = length
      self.memory = memory
      self.time = time
    }
  }

  /// A model that was trained on the task at the length.
  public struct Candidate: Sendable, Encodable {
    /// The model's name.
    public let model: String
    /// Mean test accuracy, in 0…1, and its standard error.
    public let accuracy: Double
    /// The standard error of the accuracy.
    public let error: Double
    /// Seeds.
    public let seeds: Int
    /// Training seconds.
    public let seconds: Double
    /// The most memory, bytes.
    public let memory: Int
    /// The steps of its schedule.
    public let steps: Int
    /// The preset and what was changed.
    public let conditions: String
    /// Why it is not taken; empty for one that may be.
    public let objections: [String]
    /// Whether the first of the list is not distinguishably better.
    public let isAsGoodAsTheBest: Bool
  }

  /// What is asked.
  public let question: Question
  /// Models that fit, the one to take first.
  public let candidates: [Candidate]
  /// Models that were measured and do not fit, with what stands against them.
  public let excluded: [Candidate]
  /// Models that were not trained on the task at this length.
  public let unmeasured: [String]

  /// Answers a question.
  ///
  /// Of a model's runs those with the best validation accuracy count, whatever their schedule, which
  /// is told. Among models that are not distinguishable
  /// from the best one at the 5 % level, the fastest to train comes first.
  ///
  /// - Throws: `UserError(.usage)` for a task that does not exist.
  public init(_ question: Question, runs: [RunRecord]) throws {
    self.question = question
    let task = try TaskCatalog.named(question.task).name
    let groups = SeedGroup.all(runs).filter {
      $0.conditions.task == task && $0.conditions.length == question.length
    }
    let models = Dictionary(grouping: groups, by: \.model).compactMapValues { rows in
      rows.max { $0.validationAccuracy < $1.validationAccuracy }
    }
    let fitting = models.values.filter { Self.objections($0, question).isEmpty }
    let best = fitting.max { $0.accuracy < $1.accuracy }
    let isEqual = { (group: SeedGroup) in best.map { !$0.isDistinguishable(from: group) } ?? false }
    let candidate = { (group: SeedGroup) in
      Candidate(group, objections: Self.objections(group, question), isEqual: isEqual(group))
    }
    candidates = fitting.map(candidate).sorted(by: Self.isPreferred)
    excluded = models.values.filter { !Self.objections($0, question).isEmpty }.map(candidate)
      .sorted { $0.accuracy > $1.accuracy }
    unmeasured = VariantCatalog.all.map(\.name).filter { models[$0] == nil }
  }

  private static func isPreferred(_ a: Candidate, _ b: Candidate) -> Bool {
    if a.isAsGoodAsTheBest != b.isAsGoodAsTheBest { return a.isAsGoodAsTheBest }
    return a.isAsGoodAsTheBest ? a.seconds < b.seconds : a.accuracy > b.accuracy
  }

  private static func objections(_ group: SeedGroup, _ question: Question) -> [String] {
    var objections: [String] = []
    if let memory = question.memory, group.peakResidentBytes > memory {
      objections.append("\(formatBytes(group.peakResidentBytes)) > \(formatBytes(memory))")
    }
    if let time = question.time, group.seconds > time {
      objections.append(
        "\(formatDuration(seconds: group.seconds)) > \(formatDuration(seconds: time))")
    }
    if group.escaped == 0 {
      objections.append("no better than chance after \(formatCount(group.steps)) steps")
    }
    return objections
  }
}

extension Advice.Candidate {
  fileprivate init(_ group: SeedGroup, objections: [String], isEqual: Bool) {
    model = group.model
    accuracy = group.accuracy
    error = group.error
    seeds = group.count
    seconds = group.seconds
    memory = group.peakResidentBytes
    steps = group.steps
    conditions = ([group.conditions.preset] + group.deviations).joined(separator: " ")
    self.objections = objections
    isAsGoodAsTheBest = isEqual
  }
}

extension Advice {
  /// What is known beyond one's own measurements, to be weighed with them.
  ///
  /// After what others report of Q. Fournier, G. M. Caron and D. Aloise, "A practical survey on faster
  /// and lighter transformers", ACM Computing Surveys 55, 2023, arXiv 2103.14636, whose full text we
  /// did not have; lines marked "ours" are not from there.
  public static let guide = """
    What to weigh besides (second-hand after Fournier, Caron and Aloise 2023, arXiv 2103.14636)
      - A lower complexity is no promise of a faster model: measure time, memory and operations at
        several lengths, with the same batch on the same machine.
      - Nothing wins on all tasks: patterns (bigbird, longformer) keep accuracy, kernels (performer,
        linear) are fastest, low rank (linformer) is lightest.
      - Up to some 512 tokens the projections cost most, and another attention saves little; low-rank
        factors (lowrank) do. (ours)
      - From there to some 4,000 tokens, where quality comes first: exact attention in tiles; then
        patterns when memory is short. (ours)
      - Long inputs and few weights: linformer, or a state space (s4d, lru). (ours)
      - When training memory is the wall: tiles, then smaller parts of a batch
        (train.accumulation), then reversible blocks (reformer). (ours)
    """

  /// The answer for people.
  public var text: String {
    var parts = [recommendation]
    if !candidates.isEmpty { parts.append("Measured and fitting\n" + Self.table(candidates)) }
    if !excluded.isEmpty { parts.append("Measured, not fitting\n" + Self.table(excluded)) }
    if !unmeasured.isEmpty {
      parts.append(
        """
        Not measured on \(question.task) at \(question.length) tokens: \
        \(unmeasured.joined(separator: ", "))
        measure with: lra leaderboard --tasks \(question.task) --lengths \(question.length) \
        --models \(unmeasured.prefix(2).joined(separator: ",")) --budget 1h
        """)
    }
    return (parts + [Self.guide]).joined(separator: "\n\n")
  }

  private var recommendation: String {
    guard let first = candidates.first else {
      return "No model that was measured fits \(question.task) at \(question.length) tokens."
    }
    let equals = candidates.dropFirst().filter(\.isAsGoodAsTheBest).map(\.model)
    let remark =
      equals.isEmpty
      ? "" : "; not distinguishable in accuracy, slower: \(equals.joined(separator: ", "))"
    return """
      Take \(first.model): \(formatPercent(first.accuracy)) ± \(formatPercent(first.error)) \
      (n = \(first.seeds)) in \(formatDuration(seconds: first.seconds)) and \
      \(formatBytes(first.memory)), with \(first.conditions), \(formatCount(first.steps)) \
      steps\(remark).\(warning)
      """
  }

  /// What to beware of where models were trained for different numbers of steps.
  private var warning: String {
    let steps = Set((candidates + excluded).map(\.steps))
    return steps.count < 2
      ? ""
      : """

      Schedules differ in length, see the column steps: a short one tells how fast a model starts, not \
      how good it ends.
      """
  }

  private static func table(_ candidates: [Candidate]) -> String {
    let rows = candidates.map { candidate in
      [
        candidate.model, formatPercent(candidate.accuracy), "± \(formatPercent(candidate.error))",
        "\(candidate.seeds)", formatCount(candidate.steps),
        formatDuration(seconds: candidate.seconds), formatBytes(candidate.memory),
        candidate.conditions,
        (candidate.objections + (candidate.isAsGoodAsTheBest ? ["as good as the best"] : []))
          .joined(separator: ", "),
      ]
    }
    let heading = [
      "model", "accuracy", "", "n", "steps", "training", "memory", "conditions", "remark",
    ]
    return formatTable([heading] + rows)
  }
}
