// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Base
import Foundation
import Models

/// `lra new`: starts something in a checkout.
struct New: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Start a model or a task of your own in a checkout.",
    discussion: "lra new model my-attention", subcommands: [NewModel.self, NewTask.self])
}

/// `lra new task`: a task that works, to be changed.
struct NewTask: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "task", abstract: "Write a task to start from, and add it to the catalog.",
    discussion: """
      lra new task my-task

      To be run in the root of a checkout. The task is generated from a seed: which of two tokens is \
      more frequent. Your own labelled sequences need no task: see docs/tasks.md#sequences.
      """)

  @Argument(help: "Lower-case words with hyphens, such as my-task.")
  var name: String

  func run() throws {
    let template = try TaskTemplate(name)
    try template.add(to: ".")
    try printResult(
      """
      written  \(template.swiftPath)
      changed  \(TaskTemplate.catalogPath)

      Build it, look at it, and train on it:
        make build && .build/release/lra data check \(name)
        make train TASK=\(name) MODEL=linear PRESET=quick
      Then change what it asks; describe it in docs/tasks.md.
      """)
  }
}

/// `lra new model`: a model that works, to be changed.
struct NewModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Write a model to start from, and add it to the catalog.",
    discussion: """
      lra new model my-attention

      To be run in the root of a checkout. The model is attention with one trained number; it passes
      every test once its reference values are written, which the command tells how to do.
      """)

  @Argument(help: "Lower-case words with hyphens, such as my-attention.")
  var name: String

  func run() throws {
    let template = try ModelTemplate(name)
    try Checkout(".").add(template)
    try printResult(
      """
      written  \(template.swiftPath)
      written  \(template.pythonPath)
      changed  \(Checkout.catalogPath)

      Build it and look at it:
        make build && .build/release/lra explain \(name)
      Write its reference values, with the NumPy of Python 3, and test it:
        python3 data-scripts/fixtures.py Tests/ModelsTests/Fixtures \(name)
        make test
      Then change the formula in both files, and repeat; docs/extending.md lists the operations. \
      Once its paper's number stands in `about`, the tests ask for a section of docs/models.md, its \
      settings in docs/settings.md, and its cost on record. A variant with other heads or sizes may \
      need a line in Tests/Support/VariantCase.swift.
      """)
  }
}

/// The sources that a new model is added to.
struct Checkout {
  static let catalogPath = "Sources/Models/Catalog/VariantCatalog.swift"

  private let root: String
  private let catalog: String

  /// - Throws: `UserError` if the folder is not a checkout.
  init(_ root: String) throws {
    self.root = root
    for path in ["Package.swift", Self.catalogPath, ModelTemplate.pythonFolder]
    where !FileManager.default.fileExists(atPath: "\(root)/\(path)") {
      throw UserError(
        .missingInput, "this folder is not a checkout: there is no \(path)",
        remedy: "run the command in the root of a clone of the repository")
    }
    catalog = try Self.text("\(root)/\(Self.catalogPath)")
  }

  private static func text(_ path: String) throws -> String {
    String(decoding: try readFile(path), as: UTF8.self)
  }

  /// Writes the model's files and its line in the catalog, once nothing speaks against it.
  ///
  /// - Throws: `UserError` if the name or the type is taken, or a file cannot be written.
  func add(_ template: ModelTemplate) throws {
    let longer = try catalogWithLine(of: template)
    try refuseTaken(template)
    try writeAtomically(Array(template.swift.utf8), to: "\(root)/\(template.swiftPath)")
    try writeAtomically(Array(template.python.utf8), to: "\(root)/\(template.pythonPath)")
    try writeAtomically(Array(longer.utf8), to: "\(root)/\(Self.catalogPath)")
  }

  private func refuseTaken(_ template: ModelTemplate) throws {
    let known = VariantCatalog.all.contains { $0.name == template.name }
    let files = [template.swiftPath, template.pythonPath].filter {
      FileManager.default.fileExists(atPath: "\(root)/\($0)")
    }
    if known || !files.isEmpty {
      throw UserError(
        .usage, "there is a model \(template.name)\(files.first.map { ": \($0)" } ?? "") already",
        remedy: "choose another name")
    }
    let declaration = "(struct|class|enum|protocol|actor|typealias) \(template.type)\\b"
    for path in try swiftFiles()
    where try Self.text(path).range(of: declaration, options: .regularExpression) != nil {
      throw UserError(
        .usage, "the type \(template.type) is declared already, in \(path)",
        remedy: "choose another name, such as \(template.name)-attention")
    }
  }

  /// Everything that a model sees.
  private func swiftFiles() throws -> [String] {
    ["Models", "Autodiff", "Base"].flatMap { module in
      let folder = "\(root)/Sources/\(module)"
      let names = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String]
      return (names ?? []).filter { $0.hasSuffix(".swift") }.sorted().map { "\(folder)/\($0)" }
    }
  }

  private func catalogWithLine(of template: ModelTemplate) throws -> String {
    var lines = catalog.components(separatedBy: "\n")
    guard
      let start = lines.firstIndex(where: { $0.hasSuffix("let all: [VariantEntry] = [") }),
      let end = lines[start...].firstIndex(of: "  ]")
    else {
      throw UserError(
        .badData, "\(Self.catalogPath) has no list of variants to add to",
        remedy: "restore it: git checkout \(Self.catalogPath)")
    }
    lines.insert("    VariantEntry(\(template.type).self),", at: end)
    return lines.joined(separator: "\n")
  }
}
