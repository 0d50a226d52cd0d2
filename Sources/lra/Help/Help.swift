// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Base
import Models
import Tasks

/// `lra help`: a command, a topic, a setting, a model or a task.
struct Help: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Explain a command, a topic, a setting, a model or a task.",
    usage: "lra help [COMMAND | TOPIC | KEY | MODEL | TASK]",
    discussion: """
      lra help leaderboard
      lra help exit-status

      Topics: \(HelpTopic.allCases.map(\.rawValue).joined(separator: ", ")).
      """)

  @Argument(
    help: "What to explain; nothing for the list of commands.",
    completion: .list(Help.subjects))
  var subject: [String] = []
  @Flag(help: "Print the manual page instead, for man.")
  var man = false

  func run() throws {
    try printResult(man ? ManualPage().text : Self.explanation(subject))
  }

  /// Everything of one word that can be asked for.
  private static var subjects: [String] {
    CommandTree.root.children.map(\.name).filter { !$0.contains(" ") }
      + HelpTopic.allCases.map(\.rawValue)
      + VariantCatalog.all.map(\.name) + TaskCatalog.all.map(\.name)
  }

  /// - Throws: `UserError(.usage)` with the nearest subjects for one that is not known.
  private static func explanation(_ words: [String]) throws -> String {
    if let command = CommandTree.root.descendant(words) { return command.help(columns: nil) }
    guard words.count == 1, let word = words.first else { throw unknown(words) }
    if let topic = HelpTopic(rawValue: word) { return topic.text }
    if word.contains(".") { return try SettingExplanation(word).text }
    if let model = VariantCatalog.all.first(where: { $0.name == word }) {
      return try Explanation(model).text
    }
    if let task = TaskCatalog.all.first(where: { $0.name == word }) {
      return try Listing.TaskLine(task).lines.joined(separator: "\n")
    }
    throw unknown(words)
  }

  private static func unknown(_ words: [String]) -> UserError {
    let asked = words.joined(separator: " ")
    let near = nearestNames(to: asked, among: subjects).joined(separator: " or ")
    return UserError(
      .usage, "there is no help on \"\(asked)\"",
      remedy: (near.isEmpty ? "" : "did you mean \(near)? ")
        + "lra help lists the commands and topics")
  }
}

/// A command with those below it.
struct CommandTree {
  let type: any ParsableCommand.Type
  /// What is typed: `data make`; empty for the program.
  let name: String

  static let root = CommandTree(type: LRA.self, name: "")

  /// The commands right below; a hyphen in a name stands for a space that is typed.
  var children: [CommandTree] {
    type.configuration.subcommands.map { child in
      let name = child.configuration.commandName ?? child._commandName
      let word = name.replacing("-", with: " ")
      return CommandTree(type: child, name: self.name.isEmpty ? word : "\(self.name) \(word)")
    }
  }

  /// This command and all below.
  var all: [CommandTree] { [self] + children.flatMap(\.all) }

  /// The command that words name, this one for none.
  func descendant(_ words: [String]) -> CommandTree? {
    let wanted = words.joined(separator: " ")
    return all.first { $0.name == wanted }
  }

  /// The text of `--help`.
  ///
  /// - Parameter columns: nil for the screen's.
  func help(columns: Int?) -> String { LRA.helpMessage(for: type, columns: columns) }
}
