"""What the penalties share: a layer whose inputs are the weights."""

from reference.layers.layer import Layer


class Penalty(Layer):
    """A loss term of the weights alone; each weight is penalised by itself and the terms are added."""

    OUTPUT = "penalty"
    GRAD_INPUT = "dw"
    SETTINGS = ("lam", "m")

    def __init__(self, lam, m=1):
        if not lam >= 0:
            raise ValueError(f"Invalid lam value: {lam}")
        if not m >= 1:
            raise ValueError(f"Invalid m value: {m}")
        super().__init__(lam=lam, m=m)
        self.weights: tuple = ()

    def forward(self, *weights):
        """The sum of the terms of all weights, arrays of any shape."""
        self.weights = weights
        first, *others = [super(Penalty, self).forward(w) for w in weights]
        return sum(others, start=first)

    __call__ = forward

    def backward(self, grad_output=1.0):
        """The gradients: of one weight an array, of several a tuple."""
        lines = [self.evaluate((w,), w.dtype.type(grad_output))[1] for w in self.weights]
        grads = tuple(getattr(line, self.GRAD_INPUT) for line in lines)
        return grads[0] if len(grads) == 1 else grads
