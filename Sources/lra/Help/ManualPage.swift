// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The manual page lra(1), from the same declarations as the help texts.
///
/// Help texts are laid out already, so they stand as they are, in the macros of man(7).
struct ManualPage {
  /// The width of the help texts, which man sets in by seven columns.
  private static let columns = 72

  /// The page, ASCII but for what names and help texts contain.
  var text: String {
    let root = LRA.configuration
    let topics = HelpTopic.allCases.filter { $0 != .settings }
    let lines =
      [
        ".TH LRA 1 \"\" \"lra \(Self.escaped(root.version))\" \"Long Range Arena\"",
        ".SH NAME", "lra \\- \(Self.escaped(root.abstract))",
        ".SH SYNOPSIS", ".B lra", "COMMAND [OPTION ...]", ".br", ".B lra help",
        "[COMMAND | TOPIC | KEY | MODEL | TASK]",
        ".SH DESCRIPTION",
      ] + Self.paragraphs(root.discussion) + [".SH COMMANDS"]
      + CommandTree.root.all.dropFirst().flatMap { command in
        [".SS lra \(Self.escaped(command.name))"] + Self.literal(Self.body(of: command))
      }
      + topics.flatMap { topic in
        [".SH \(Self.escaped(topic.title.uppercased()))"] + Self.literal(topic.text)
      }
      + [".SH SETTINGS"]
      + SettingTables().manual.flatMap { group in
        [".SS \(Self.escaped(group.title))"]
          + group.settings.flatMap { setting in
            [".TP", ".B \(Self.escaped(setting.key))", Self.escaped(setting.text)]
          }
      }
    return lines.joined(separator: "\n")
  }

  /// The help text without the usual flags.
  private static func body(of command: CommandTree) -> String {
    command.help(columns: columns).split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix("  --version ") && !$0.hasPrefix("  -h, --help ") }
      .joined(separator: "\n").replacing("OVERVIEW: ", with: "")
  }

  /// Paragraphs that man lays out.
  private static func paragraphs(_ text: String) -> [String] {
    text.components(separatedBy: "\n\n").flatMap { [".PP", escaped($0)] }
  }

  /// Lines that stand as they are.
  private static func literal(_ text: String) -> [String] {
    let trimmed = text.trimmingCharacters(in: .newlines)
    return [".nf"] + trimmed.components(separatedBy: "\n").map(escaped) + [".fi"]
  }

  /// A line whose characters mean themselves.
  static func escaped(_ line: String) -> String {
    let text = line.replacing("\\", with: "\\e").replacing("-", with: "\\-")
    return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
  }
}
