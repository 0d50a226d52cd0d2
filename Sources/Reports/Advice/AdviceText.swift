// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

extension Advice {
  /// What is known beyond one's own measurements, to be weighed with them.
  ///
  /// After what others report of Q. Fournier, G. M. Caron and D. Aloise, "A practical survey on faster
  /// and lighter transformers", ACM Computing Surveys 55, 2023, arXiv 2103.14636, whose full text we
  /// did not have; lines marked "ours" are not from there.
  package static let guide = """
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
  package var text: String {
    var parts = [recommendation]
    if !candidates.isEmpty { parts.append("Measured and fitting\n" + Self.table(candidates)) }
    if !excluded.isEmpty { parts.append("Measured, not fitting\n" + Self.table(excluded)) }
    if let costs {
      parts.append(
        "Accuracy not measured at this length; a training step (\(costs.size))\n"
          + Self.table(costs.rows, memory: question.memory, time: question.time))
    }
    if !unmeasured.isEmpty {
      parts.append(
        """
        Not trained on \(question.task) at \(question.length) tokens: \
        \(unmeasured.joined(separator: ", "))
        train them with: \(programWord) leaderboard --tasks \(question.task) --lengths \(question.length) \
        --models \(unmeasured.prefix(2).joined(separator: ",")) --budget 1h
        """)
    }
    return (parts + [Self.guide]).joined(separator: "\n\n")
  }

  private var recommendation: String {
    guard let first = candidates.first else {
      let place = "\(question.task) at \(question.length) tokens"
      return excluded.isEmpty
        ? "No model was trained on \(place) yet." : "No model that was measured fits \(place)."
    }
    let equals = candidates.dropFirst().filter(\.isAsGoodAsTheBest).map { other in
      let schedule = other.isWhole ? "" : ", only \(Self.steps(other)) steps"
      return "\(other.model) (\(formatDuration(seconds: other.seconds))\(schedule))"
    }
    let remark =
      equals.isEmpty ? "" : "; not distinguishable on validation: \(equals.joined(separator: ", "))"
    return """
      Take \(first.model): \(formatPercent(first.accuracy)) ± \(formatPercent(first.error)) \
      (n = \(first.seeds)) in \(formatDuration(seconds: first.seconds)) and \
      \(formatBytes(first.memory)), with \(first.conditions), \(Self.steps(first)) \
      steps\(remark).\(origin)\(warning)
      """
  }

  /// What to beware of where runs are not the user's own.
  private var origin: String {
    let published = (candidates + excluded).filter(\.isPublished)
    guard !published.isEmpty else { return "" }
    let processors = Set(published.compactMap(\.processor)).sorted().joined(separator: ", ")
    return """

      Published runs stand in for models without own runs, with the times of their machine\
      \(processors.isEmpty ? "" : " (\(processors))"); train one here to know your own.
      """
  }

  /// What to beware of where models were trained for different numbers of steps.
  private var warning: String {
    let steps = Set((candidates + excluded).map(\.steps))
    return steps.count < 2
      ? ""
      : """

      Schedules differ in length, see the column steps: a short one tells how fast a model starts, not \
      how good it ends. "whole" is the time of the preset's schedule at the speed of the run.
      """
  }

  /// The steps taken, and of how many where the preset has more.
  private static func steps(_ candidate: Candidate) -> String {
    let taken = formatCount(candidate.steps)
    return candidate.isWhole ? taken : "\(taken) of \(formatCount(candidate.wholeSteps ?? 0))"
  }

  private static func table(_ candidates: [Candidate]) -> String {
    let rows = candidates.map { candidate in
      [
        candidate.model, candidate.validation.map(formatPercent) ?? "",
        formatPercent(candidate.accuracy), "± \(formatPercent(candidate.error))",
        "\(candidate.seeds)", steps(candidate), formatDuration(seconds: candidate.seconds),
        candidate.wholeSeconds.map { formatDuration(seconds: $0) } ?? "",
        formatBytes(candidate.memory), candidate.conditions, remarks(candidate),
      ]
    }
    let heading = [
      "model", "val", "test", "", "n", "steps", "training", "whole", "memory", "conditions",
      "remark",
    ]
    return formatTable([heading] + rows)
  }

  private static func remarks(_ candidate: Candidate) -> String {
    (candidate.objections + (candidate.isAsGoodAsTheBest ? ["as good as the best"] : [])
      + (candidate.isPublished ? ["published"] : [])).joined(separator: ", ")
  }

  private static func table(_ costs: [StepCost], memory: Int?, time: Double?) -> String {
    let rows = costs.map { cost in
      let sign = cost.isInterpolated ? "~" : ""
      let limits = [
        memory.flatMap { cost.memory > $0 ? "> \(formatBytes($0))" : nil },
        time.flatMap { limit in
          cost.wholeSeconds.flatMap { $0 > limit ? "> \(formatDuration(seconds: limit))" : nil }
        },
      ]
      return [
        cost.model, "\(sign)\(String(format: "%.3g", cost.seconds)) s",
        sign + formatBytes(cost.memory),
        cost.wholeSeconds.map { "~\(formatDuration(seconds: $0))" } ?? "",
        cost.elsewhere.map { "\(formatPercent($0.accuracy)) at \(formatCount($0.length))" }
          .joined(separator: ", "),
        limits.compactMap(\.self).joined(separator: ", "),
      ]
    }
    let note = """

      ~: computed; a step between two measured lengths on logarithmic scales, "whole", the time of the \
      preset's schedule, from the time of a step and the ratio of the batches
      """
    return formatTable(
      [["model", "a step", "memory", "whole", "accuracy at other lengths", ""]] + rows) + note
  }
}
