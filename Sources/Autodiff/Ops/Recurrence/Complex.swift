// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A complex number in double precision, for what is computed once a step from a few parameters.
struct Complex {
  var re: Double
  var im: Double

  init(_ re: Double, _ im: Double = 0) {
    self.re = re
    self.im = im
  }

  var conjugate: Complex { Complex(re, -im) }

  static func + (a: Complex, b: Complex) -> Complex { Complex(a.re + b.re, a.im + b.im) }
  static func - (a: Complex, b: Complex) -> Complex { Complex(a.re - b.re, a.im - b.im) }
  static func * (a: Complex, b: Complex) -> Complex {
    Complex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re)
  }
  static func * (a: Double, b: Complex) -> Complex { Complex(a * b.re, a * b.im) }
  static func / (a: Complex, b: Complex) -> Complex {
    (1 / (b.re * b.re + b.im * b.im)) * (a * b.conjugate)
  }
}

/// e to the power of a complex number.
func exp(_ z: Complex) -> Complex {
  Foundation.exp(z.re) * Complex(Foundation.cos(z.im), Foundation.sin(z.im))
}
