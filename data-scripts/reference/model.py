# SPDX-License-Identifier: Apache-2.0
"""What a model consists of, and the loss of a batch with its gradient."""

from dataclasses import dataclass, field
from types import ModuleType

from . import layers
from .autodiff import Variable, concatenate


@dataclass(frozen=True)
class Model:
    """What is computed, and the sizes."""

    variant: ModuleType  # a file of the folder variants
    options: dict = field(default_factory=dict)  # the variant's own
    pooling: str = "mean"  # mean or cls
    layers: int = 2
    width: int = 16
    heads: int = 2
    feed_forward: int = 24  # 0: blocks and classifier without inner layer
    lengths: tuple = (37, 20, 1)  # of the sequences, real tokens only
    vocabulary: int = 11
    classes: int = 5
    norm: str = "layer"  # layer, batch or batch-after
    input: str = "tokens"  # tokens or numbers
    towers: int = 1  # sequences that are classified together: 1 or 2

    @property
    def name(self):
        """The name of the variant's file, with - for _."""
        return self.variant.__name__.rpartition(".")[2].replace("_", "-")

    @property
    def length(self):
        """The longest sequence, in tokens."""
        return max(self.lengths)

    @property
    def features(self):
        """Columns that the classifier sees of a sequence or of two."""
        return self.width if self.towers == 1 else 4 * self.width

    @property
    def positions(self):
        """Rows of the position table; the CLS vector takes row 0."""
        return self.length + (self.pooling == "cls")

    def part(self, name, default):
        """What the variant declares, called with model and options."""
        return getattr(self.variant, name, default)(self, self.options)

    def shapes(self):
        """Shape of every parameter; matrices are [out, in], row-major."""
        width, inner = self.width, self.feed_forward
        if self.input == "numbers":
            shapes = {"embedding.number.weight": (width, 1),
                      "embedding.number.bias": (width,)}
        else:
            shapes = {"embedding.token": (self.vocabulary, width)}
        shapes["embedding.position"] = (self.positions, width)
        if self.pooling == "cls":
            shapes["embedding.cls"] = (width,)
        shapes.update(self.part("shared_shapes", lambda *_: {}))

        def add(prefix, branch):
            shapes[prefix + "norm.scale"] = (width,)
            shapes[prefix + "norm.shift"] = (width,)
            if self.norm != "layer":
                shapes[prefix + "norm.mean"] = (width,)
                shapes[prefix + "norm.variance"] = (width,)
            for name, shape in branch.items():
                shapes[prefix + name] = shape

        for i in range(self.layers):
            add(f"blocks.{i}.mixer.",
                self.variant.shapes(self, self.options, i))
            if inner:
                add(f"blocks.{i}.feed-forward.",
                    self.part("feed_forward_shapes",
                              layers.feed_forward_shapes))
        if self.norm != "batch-after":
            add("", {})
        if inner:
            shapes["head.hidden.weight"] = (inner, self.features)
            shapes["head.hidden.bias"] = (inner,)
        shapes["head.output.weight"] = (self.classes, inner or self.features)
        shapes["head.output.bias"] = (self.classes,)
        return shapes

    def buffers(self):
        """Full names of the parameters that are not trained."""
        own = set(getattr(self.variant, "BUFFERS", ()))
        return [name for name in self.shapes()
                if name in own or name.partition(".mixer.")[2] in own
                or name.endswith(("norm.mean", "norm.variance"))]

    def metadata(self):
        """The string map at the head of the file."""
        entries = {"model": self.name, "layers": self.layers,
                   "width": self.width, "heads": self.heads,
                   "feed-forward": self.feed_forward, "length": self.length,
                   "vocabulary": self.vocabulary, "classes": self.classes,
                   "pooling": self.pooling, **self.options}
        for key, usual in (("norm", "layer"), ("input", "tokens"),
                           ("towers", 1)):
            if getattr(self, key) != usual:
                entries[key] = getattr(self, key)
        if self.buffers():
            entries["buffers"] = ",".join(self.buffers())
        return {key: str(value).lower() if isinstance(value, bool)
                else str(value) for key, value in entries.items()}


def evaluate(model, parameters, sequences, labels):
    """Return the batch's logits and loss, and the parameters as variables."""
    p = {name: Variable(value) for name, value in parameters.items()}
    examples = [sequences[i:i + model.towers]
                for i in range(0, len(sequences), model.towers)]
    scores = concatenate([layers.logits(model, p, e) for e in examples], 0)
    return scores, layers.cross_entropy(scores, labels), p


def loss_and_gradient(model, parameters, sequences, labels):
    """Return the logits [B, C], the loss, and its gradient by name."""
    scores, loss, p = evaluate(model, parameters, sequences, labels)
    loss.backward()
    buffers = model.buffers()
    gradient = {name: variable.gradient for name, variable in p.items()
                if name not in buffers}
    return scores.value, loss.value.item(), gradient
