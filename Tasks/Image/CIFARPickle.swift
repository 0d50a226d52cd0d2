// SPDX-License-Identifier: Apache-2.0

import Base

/// One file of the version of CIFAR-10 for Python: a pickle of a dictionary with `data`, the records'
/// three planes as rows of a NumPy array [n, 3072] of bytes, and `labels`, a list of n numbers.
///
/// Source: https://www.cs.toronto.edu/~kriz/cifar.html, "Python / Matlab versions".
package enum CIFARPickle {
  /// Adds the grey pictures of a file.
  ///
  /// - Parameter shrink: how many neighbouring pixels, along either side, become one.
  /// - Throws: `UserError` for a file that cannot be read, or that holds something else.
  package static func read(
    _ path: String, shrink: Int = 1, into examples: inout PackedExamples
  ) throws {
    let file = try RandomAccessFile(path)
    let bytes = try file.read(at: 0, count: file.size)
    do throws(PickleReader.Fault) {
      let (labels, planes) = try content(bytes)
      for (number, label) in labels.enumerated() {
        let start = planes.lowerBound + number * 3 * CIFARBatch.pixels
        CIFARBatch.append(
          label: label, planes: bytes[start..<start + 3 * CIFARBatch.pixels], shrink: shrink,
          to: &examples)
      }
    } catch {
      throw UserError(
        .badData, "\(path): \(error.text)",
        remedy: "take the file from cifar-10-python.tar.gz again; \(Image.dataCommand) fetches the "
          + "binary version")
    }
  }

  /// The labels, and the place of all records' planes among the bytes.
  private static func content(
    _ bytes: [UInt8]
  ) throws(PickleReader.Fault) -> (labels: [UInt8], planes: Range<Int>) {
    var reader = PickleReader(bytes)
    guard case .object(let root) = try reader.read() else {
      throw PickleReader.Fault(text: "the pickle holds no dictionary")
    }
    let labels = try labels(root.member("labels", bytes))
    let planes = try planes(root.member("data", bytes), bytes, count: labels.count)
    return (labels, planes)
  }

  private static func labels(
    _ value: PickleReader.Value?
  ) throws(PickleReader.Fault) -> [UInt8] {
    guard case .object(let list)? = value, !list.items.isEmpty else {
      throw PickleReader.Fault(text: "there is no list labels")
    }
    var labels: [UInt8] = []
    for item in list.items {
      guard case .integer(let label) = item, 0..<CIFARBatch.classNames.count ~= label else {
        throw PickleReader.Fault(
          text: "record \(labels.count + 1) has a label that is not one of 0 to 9")
      }
      labels.append(UInt8(label))
    }
    return labels
  }

  /// The bytes of an array `_reconstruct(ndarray, …)` with the state
  /// (version, shape, type, in Fortran's order, bytes).
  private static func planes(
    _ value: PickleReader.Value?, _ bytes: [UInt8], count: Int
  ) throws(PickleReader.Fault) -> Range<Int> {
    guard case .object(let array)? = value, array.isMade(by: "_reconstruct"),
      case .object(let state)? = array.state, state.items.count == 5,
      case .object(let shape) = state.items[1], case .object(let type) = state.items[2],
      case .text(let planes) = state.items[4]
    else { throw PickleReader.Fault(text: "there is no NumPy array data") }
    guard type.isMade(by: "dtype"), case .object(let arguments)? = type.items.last,
      case .text(let name)? = arguments.items.first,
      ["u1", "|u1"].contains(String(decoding: bytes[name], as: UTF8.self)),
      case .boolean(false) = state.items[3]
    else { throw PickleReader.Fault(text: "the array data is not one of bytes, row by row") }
    let size = 3 * CIFARBatch.pixels
    guard shape.items == [.integer(count), .integer(size)], planes.count == count * size else {
      throw PickleReader.Fault(
        text: "the array data has not \(size) bytes for each of \(count) labels")
    }
    return planes
  }
}
