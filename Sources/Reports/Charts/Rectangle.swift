// SPDX-License-Identifier: Apache-2.0

/// A rectangle in a drawing.
struct Rectangle {
  let left: Double
  let top: Double
  let right: Double
  let bottom: Double

  /// Whether two rectangles share an area.
  func intersects(_ other: Rectangle) -> Bool {
    left < other.right && other.left < right && top < other.bottom && other.top < bottom
  }

  /// Whether a rectangle lies in this one.
  func contains(_ other: Rectangle) -> Bool {
    other.left >= left && other.right <= right && other.top >= top && other.bottom <= bottom
  }
}
