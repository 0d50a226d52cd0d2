// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Curves drawn with characters, for a terminal.
package struct TextPlot {
  /// One curve.
  package struct Curve {
    /// The name in the legend.
    package let name: String
    /// The points, by x.
    package let points: [(x: Double, y: Double)]

    /// A curve.
    package init(name: String, points: [(x: Double, y: Double)]) {
      self.name = name
      self.points = points
    }
  }

  private let curves: [Curve]
  private let width: Int
  private let height: Int
  /// Greater numbers, and NaN, are left out.
  private static let largest = 1e100
  private static let marks = Array("*o+x#@%=~^")

  /// A plot of curves.
  ///
  /// - Parameters:
  ///   - width: columns between the axis and the right edge.
  ///   - height: lines.
  package init(_ curves: [Curve], width: Int = 60, height: Int = 14) {
    self.curves = curves.map { curve in
      Curve(
        name: curve.name,
        points: curve.points.filter { abs($0.x) <= Self.largest && abs($0.y) <= Self.largest })
    }.filter { !$0.points.isEmpty }
    self.width = max(width, 2)
    self.height = max(height, 2)
  }

  /// The lines: curves, axis, legend; empty where there is nothing to draw.
  ///
  /// Where curves cross, the one listed first is seen.
  package var text: String {
    let points = curves.flatMap(\.points)
    guard let left = points.map(\.x).min(), let right = points.map(\.x).max(),
      let low = points.map(\.y).min(), let high = points.map(\.y).max()
    else { return "" }
    var rows = Array(repeating: Array(repeating: Character(" "), count: width), count: height)
    for (number, curve) in curves.enumerated().reversed() {
      for column in 0..<width {
        let x = left + (right - left) * Double(column) / Double(width - 1)
        guard let y = Self.value(curve, at: x) else { continue }
        let up = high > low ? min(1, max(0, (y - low) / (high - low))) : 0.5
        rows[height - 1 - Int((up * Double(height - 1)).rounded())][column] =
          Self.marks[number % Self.marks.count]
      }
    }
    let lines = rows.enumerated().map { line, row in
      let value = high - (high - low) * Double(line) / Double(height - 1)
      let label = line % 4 == 0 || line == height - 1 ? String(format: "%8.1f", value) : ""
      return Self.padded(label, 8) + " |" + Self.trimmed(String(row))
    }
    let axis = Self.padded("", 8) + " +" + String(repeating: "-", count: width)
    let end = String(format: "%.0f", right)
    let start = String(format: "%.0f", left)
    let gap = String(repeating: " ", count: max(1, width - start.count - end.count))
    return (lines + [axis, Self.padded("", 10) + start + gap + end] + legend)
      .joined(separator: "\n")
  }

  private var legend: [String] {
    curves.enumerated().map { number, curve in
      Self.padded("", 10) + "\(Self.marks[number % Self.marks.count])  \(curve.name)"
    }
  }

  /// A curve between its points, nil outside of them.
  private static func value(_ curve: Curve, at x: Double) -> Double? {
    guard let after = curve.points.firstIndex(where: { $0.x >= x - 1e-9 }) else { return nil }
    let end = curve.points[after]
    guard after > 0 else { return abs(end.x - x) < 1e-9 || curve.points.count == 1 ? end.y : nil }
    let start = curve.points[after - 1]
    guard end.x > start.x else { return end.y }
    return start.y + (end.y - start.y) * (x - start.x) / (end.x - start.x)
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private static func trimmed(_ line: String) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }
}
