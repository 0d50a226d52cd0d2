import Autodiff
import Base

/// Tensors that the layers of one variant hand on to each other within a pass.
public final class Carried {
  private var tensors: [String: Tensor] = [:]
  /// The other half of the rows in blocks that are reversible; added to the rows after the last one.
  public var secondStream: Tensor?

  /// What was left under this name, nil in the first layer.
  public subscript(name: String) -> Tensor? {
    get { tensors[name] }
    set { tensors[name] = newValue }
  }
}
