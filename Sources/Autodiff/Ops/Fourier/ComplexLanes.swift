// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Sixteen complex numbers, side by side in memory: sixteen real parts, then the imaginary parts.
struct ComplexLanes {
  static let count = 2 * laneCount

  var re: Lanes
  var im: Lanes

  @inline(__always)
  init(_ re: Lanes, _ im: Lanes) {
    self.re = re
    self.im = im
  }

  @inline(__always)
  init(_ source: UnsafePointer<Float>) { self.init(load(source), load(source + laneCount)) }

  @inline(__always)
  static func + (a: ComplexLanes, b: ComplexLanes) -> ComplexLanes {
    ComplexLanes(a.re + b.re, a.im + b.im)
  }

  @inline(__always)
  static func - (a: ComplexLanes, b: ComplexLanes) -> ComplexLanes {
    ComplexLanes(a.re - b.re, a.im - b.im)
  }

  /// -i·a.
  @inline(__always)
  var turned: ComplexLanes { ComplexLanes(im, -re) }

  @inline(__always)
  mutating func add(_ a: ComplexLanes, times factor: Float) {
    re.addProduct(a.re, Lanes(repeating: factor))
    im.addProduct(a.im, Lanes(repeating: factor))
  }

  /// Writes this times the complex number at `factor`.
  @inline(__always)
  func store(_ target: UnsafeMutablePointer<Float>, times factor: UnsafePointer<Float>) {
    let (a, b) = (Lanes(repeating: factor[0]), Lanes(repeating: factor[1]))
    Autodiff.store((re * a).addingProduct(-im, b), target)
    Autodiff.store((im * a).addingProduct(re, b), target + laneCount)
  }

  @inline(__always)
  func store(_ target: UnsafeMutablePointer<Float>) {
    Autodiff.store(re, target)
    Autodiff.store(im, target + laneCount)
  }
}
