/// A rectangle in a drawing.
struct Box {
  let left: Double
  let top: Double
  let right: Double
  let bottom: Double

  /// Whether two rectangles share an area.
  func meets(_ other: Box) -> Bool {
    left < other.right && other.left < right && top < other.bottom && other.top < bottom
  }

  /// Whether a rectangle lies in this one.
  func holds(_ other: Box) -> Bool {
    other.left >= left && other.right <= right && other.top >= top && other.bottom <= bottom
  }
}
