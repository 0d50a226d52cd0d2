// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Testing

@Suite struct SettingTests {
  @Test("JSON values keep their type")
  func decoding() throws {
    let values = try JSONDecoder().decode([Setting].self, from: Data(#"[true,3,0.5,"mean"]"#.utf8))
    #expect(values == [true, 3, 0.5, "mean"])
    #expect(values.map(\.description) == ["true", "3", "0.5", "mean"])
    #expect(try JSONEncoder().encode(values) == Data(#"[true,3,0.5,"mean"]"#.utf8))
  }

  @Test("An error prints its problem and its remedy on two lines")
  func errors() {
    #expect(UserError(.usage, "wrong", remedy: "do this").description == "wrong\ndo this")
    #expect(UserError(.usage, "wrong", remedy: "").description == "wrong")
  }
}
