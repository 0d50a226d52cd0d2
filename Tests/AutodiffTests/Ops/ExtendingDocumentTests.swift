// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Foundation
import Testing

/// `docs/extending.md`, which lists the operations that a model is put together from.
@Suite("The document of the operations")
struct ExtendingDocumentTests {
  private let text: String

  init() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    text = try String(contentsOf: root.appending(path: "docs/extending.md"), encoding: .utf8)
  }

  @Test("Every elementwise function is listed")
  func functions() {
    for name in ElementwiseFunction.allCases.map({ "\($0)" })
      + ElementwisePair.allCases.map({ "\($0)" })
    {
      #expect(text.contains(".\(name),") || text.contains(".\(name)`"), "\(name)")
    }
  }

  @Test("Every operation that is listed has a case, or is one of the engine's own")
  func operations() throws {
    let listed = text.matches(of: /`([a-z][A-Za-z]+)\(/).map { String($0.output.1) }
    #expect(Set(listed).count > 20)
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Cases")
    let cases = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil
    ).map { try String(contentsOf: $0, encoding: .utf8) }.joined()
    for name in Set(listed) { #expect(cases.contains("\(name)("), "\(name)") }
  }
}
