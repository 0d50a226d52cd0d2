// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import TestSupport
import Testing

/// Forward pass, loss and every gradient against fixtures that `data-scripts/fixtures.py` computes in
/// double precision from the papers' formulas.
@Suite("Parity with the reference")
struct ParityTests {
  @Test("Every variant has a fixture", arguments: VariantCatalog.all)
  func coverage(entry: VariantEntry) throws {
    let models = try Fixture.names.map { try Fixture.file($0).metadata["model"] }
    let file = entry.name.map { $0 == "-" ? "_" : $0 }
    #expect(
      models.contains(entry.name),
      """
      \(entry.name) has no reference values: state its formulas in \
      data-scripts/reference/variants/\(String(file)).py, then run \
      python3 data-scripts/fixtures.py Tests/ModelsTests/Fixtures NAME for each of its fixtures
      """)
  }

  @Test("Logits, loss and gradients agree", arguments: Fixture.names)
  func agreement(name: String) throws {
    let fixture = try Fixture(name)
    let model = try fixture.makeModel()
    let logits = model(fixture.input)
    #expect(distance(logits.values, try fixture.file.floats("logits")) < 5e-6)
    let loss = crossEntropy(logits, labels: fixture.labels)
    #expect(abs(loss.scalar - (try fixture.file.floats("loss")[0])) < 2e-6)
    loss.backward()
    model.parameters.values.completeGradients()
    for parameter in model.parameters.all {
      let key = "gradient.\(parameter.name)"
      if fixture.buffers.contains(parameter.name) && fixture.file[key] == nil { continue }
      let expected = try fixture.file.floats(key)
      let found = model.parameters.values.gradient(parameter.range)
      let scale = expected.map(abs).max() ?? 0
      #expect(distance(found, expected) <= 1e-5 * max(scale, 1e-3), "\(parameter.name)")
    }
  }

  @Test("Parameter names and shapes are the documented ones", arguments: Fixture.names)
  func parameterNames(name: String) throws {
    let fixture = try Fixture(name)
    let model = try fixture.makeModel()
    let expected = fixture.file.entries.map(\.name).filter { $0.hasPrefix("parameter.") }
    #expect(Set(model.parameters.all.map { "parameter.\($0.name)" }) == Set(expected))
  }
}
