"""Layers and losses in other people's conventions, rewritten: right ones, and ones with a single thing wrong."""

import numpy as np


class Dropout:
    """Inverted, with masks of its own; the variants below draw otherwise."""

    def __init__(self, p=0.5):
        self.p, self.training, self.draws = p, True, np.random.default_rng(7)

    def kept(self, shape):
        return self.draws.random(shape) >= self.p

    def forward(self, x):
        scale = 1 / (1 - self.p) if self.p < 1 else 0.0
        self.factor = (self.kept(x.shape) * scale if self.training else np.ones(x.shape)).astype(x.dtype)
        return x * self.factor

    def backward(self, upstream):
        return upstream * self.factor


class KeepsWhatItSays(Dropout):
    """Right: it is told what to keep."""

    def __init__(self, keep_prob=0.5):
        super().__init__(1 - keep_prob)


class DropsNothing(Dropout):
    def kept(self, shape):
        return np.full(shape, True)


class DropsAll(Dropout):
    def kept(self, shape):
        return np.full(shape, self.p == 0)


class DrawsOnce(Dropout):
    def kept(self, shape):
        return np.random.default_rng(3).random(shape) >= self.p


class DrawsTwice(Dropout):
    """Every mask is used in two calls that follow each other."""

    calls = 0

    def kept(self, shape):
        self.calls += 1
        if self.calls % 2:
            self.last = super().kept(shape)
        return self.last


class DrawsForRows(Dropout):
    """All units of a sample together."""

    def kept(self, shape):
        return np.broadcast_to(super().kept((shape[0], *(1 for _ in shape[1:]))), shape)


class DrawsForTheBatch(Dropout):
    def kept(self, shape):
        return np.broadcast_to(super().kept((1, *shape[1:])), shape)


class DrawsForChannels(Dropout):
    def kept(self, shape):
        return np.broadcast_to(super().kept((*shape[:2], *(1 for _ in shape[2:]))), shape)


class DropsExactly(Dropout):
    """Always the same number of units."""

    def kept(self, shape):
        size = int(np.prod(shape))
        return (self.draws.permutation(size) >= round(self.p * size)).reshape(shape)


class DropsExactlyOfEachRow(Dropout):
    def kept(self, shape):
        order = self.draws.permuted(np.broadcast_to(np.arange(shape[-1]), shape), axis=-1)
        return order >= round(self.p * shape[-1])


class DropsABitMore(Dropout):
    """Five hundredths too much, whatever p is."""

    def kept(self, shape):
        return self.draws.random(shape) >= (min(1, self.p + 0.05) if 0 < self.p < 1 else self.p)


class MirrorsMasks(DrawsTwice):
    """Every second mask is the opposite of the one before, which keeps the shares at p = ½."""

    def kept(self, shape):
        mask = super().kept(shape)
        return mask if self.calls % 2 else (~mask if self.p == 0.5 else Dropout.kept(self, shape))


class SparesTheFirst(Dropout):
    """One unit is never dropped, which no share tells."""

    def kept(self, shape):
        mask = super().kept(shape)
        mask.reshape(-1)[:1] = self.p < 1
        return mask


class AlwaysHalf(Dropout):
    """p scales, and does not choose."""

    def kept(self, shape):
        return self.draws.random(shape) >= (0.5 if 0 < self.p < 1 else self.p)


class NotANumberAtOne(Dropout):
    def forward(self, x):
        with np.errstate(all="ignore"):
            factor = self.kept(x.shape) / np.float64(1 - self.p) if self.training else np.ones(x.shape)
        self.factor = factor.astype(x.dtype)
        return x * self.factor


class Normalise:
    """Batch normalisation, right, under names of its own; no gradient of its parameters can be seen by its name."""

    begin = 1.0

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.stretch, self.lift = np.ones((1, num_features)), np.zeros((1, num_features))
        self.centre, self.spread = np.zeros(num_features), np.full(num_features, self.begin)
        self.eps, self.momentum, self.training = eps, momentum, True

    def forward(self, x):
        self.of_batch = self.training
        if self.training:
            n, m, v = len(x), x.mean(0), x.var(0)
            self.centre = self.centre + self.momentum * (m - self.centre)
            self.spread = self.spread + self.momentum * (v * n / (n - 1) - self.spread)
        else:
            m, v = self.centre, self.spread
        self.root = np.sqrt(v + self.eps)
        self.standard = (x - m) / self.root
        return self.stretch * self.standard + self.lift

    def backward(self, up):
        self.for_stretch, self.for_lift = (up * self.standard).sum(0), up.sum(0)
        g = up * self.stretch
        if self.of_batch:
            g = g - g.mean(0) - self.standard * (g * self.standard).mean(0)
        return g / self.root


class Promotes(Normalise):
    """Right, and float64 whatever comes in."""

    def forward(self, x):
        return super().forward(x).astype(np.float64)

    def backward(self, up):
        return super().backward(up.astype(np.float64))


class BeginsAtHalf(Normalise):
    begin = 0.5


class TwoScales(Normalise):
    """Two factors, either of which may be the weight."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__(num_features, eps, momentum)
        self.second = np.ones(num_features)

    def forward(self, x):
        return super().forward(x) * self.second


class SwapsStatistics(Normalise):
    """Wrong: in evaluation each of both stands where the other should."""

    def forward(self, x):
        if self.training:
            return super().forward(x)
        self.of_batch, self.root = False, np.sqrt(np.abs(self.centre) + self.eps)
        self.standard = (x - self.spread) / self.root
        return self.stretch * self.standard + self.lift


class ChannelsLast:
    """Batch normalisation of (n, h, w, c): right."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.eps, self.momentum, self.training = eps, momentum, True

    def forward(self, x):
        axes = tuple(range(x.ndim - 1))
        self.axes, self.of_batch = axes, self.training
        if self.training:
            n, m, v = x.size // x.shape[-1], x.mean(axes), x.var(axes)
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * m
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * v * n / (n - 1)
        else:
            m, v = self.running_mean, self.running_var
        self.root = np.sqrt(v + self.eps)
        self.standard = (x - m) / self.root
        return self.gamma * self.standard + self.beta

    def backward(self, up):
        self.dgamma, self.dbeta = (up * self.standard).sum(self.axes), up.sum(self.axes)
        g = up * self.gamma
        if self.of_batch:
            g = g - g.mean(self.axes) - self.standard * (g * self.standard).mean(self.axes)
        return g / self.root


class Dense:
    """y = x W + c with W (in, out), gradients divided by the batch as in a well-known course: right by its lights."""

    def __init__(self, n_inputs, n_units):
        self.W, self.c = np.ones((n_inputs, n_units)), np.zeros((1, n_units))

    def forward(self, x):
        self.x = x
        return x @ self.W + self.c

    def backward(self, up):
        self.dW, self.dc = self.x.T @ up / len(up), up.mean(axis=0, keepdims=True)
        return up @ self.W.T


class DenseOfTheTranspose(Dense):
    """Wrong: the way back takes the weights as they are, which only a square matrix lets pass."""

    def backward(self, up):
        super().backward(up)
        return up @ np.resize(self.W, self.W.shape[::-1])


class LeavesOutput:
    """Returns nothing; right."""

    def __init__(self, n_inputs, n_neurons):
        self.weights, self.biases = np.zeros((n_inputs, n_neurons)), np.zeros((1, n_neurons))

    def forward(self, inputs):
        self.inputs, self.output = inputs, inputs @ self.weights + self.biases

    def backward(self, dvalues):
        self.dweights, self.dbiases = self.inputs.T @ dvalues, dvalues.sum(axis=0, keepdims=True)
        self.dinputs = dvalues @ self.weights.T


class MayHaveABias:
    """Right: without a bias where it is told so."""

    heeds = True

    def __init__(self, in_features, out_features, bias=True):
        self.W = np.zeros((in_features, out_features))
        if bias or not self.heeds:
            self.b = np.zeros(out_features)

    def forward(self, x):
        self.x = x
        return x @ self.W + (self.b if hasattr(self, "b") else 0)

    def backward(self, up):
        rows, above = self.x.reshape(-1, len(self.W)), up.reshape(-1, self.W.shape[1])
        self.dW = rows.T @ above
        if hasattr(self, "b"):
            self.db = above.sum(axis=0)
        return up @ self.W.T


class AlwaysHasABias(MayHaveABias):
    """Wrong, which no number shows: the bias that it should not have begins at 0."""

    heeds = False


class AlwaysTracks(Normalise):
    """Wrong: takes the option, and evaluates with running statistics all the same."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1, track_running_stats=True):
        super().__init__(num_features, eps, momentum)


class BySecant:
    """The hyperbolic tangent; its slope in another form, right where 1 - y² has no digit left."""

    def forward(self, x):
        self.x = x
        return np.tanh(x)

    def backward(self, up):
        with np.errstate(over="ignore"):
            return up / np.cosh(self.x) ** 2


def score_loss(scores, labels):
    """A loss that returns its gradient beside it: right."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))
    grad = np.exp(log_p)
    grad[rows, labels] -= 1
    return -log_p[rows, labels].mean(), grad / len(labels)


def score_loss_of_half(scores, labels):
    """Wrong on the way back."""
    loss, grad = score_loss(scores, labels)
    return loss, grad / 2


class Parameter:
    def __init__(self, data):
        self.data, self.grad = data, np.zeros_like(data)


class DenseOfParameters:
    """Right; its parameters are objects that hold their gradients."""

    def __init__(self, n_inputs, n_units):
        self.W, self.b = Parameter(np.ones((n_inputs, n_units))), Parameter(np.zeros(n_units))

    def forward(self, x):
        self.x = x
        return x @ self.W.data + self.b.data

    def backward(self, up):
        self.W.grad, self.b.grad = self.x.T @ up, up.sum(axis=0)
        return up @ self.W.data.T


class RowsOfOnes:
    """Softmax cross-entropy of one-hot rows; right wherever no probability is 0."""

    def forward(self, scores, labels):
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        self.p, self.labels = e / e.sum(axis=1, keepdims=True), labels
        with np.errstate(all="ignore"):
            return -(labels * np.log(self.p)).sum() / len(labels)

    def backward(self, up=1.0):
        return up * (self.p - self.labels) / len(self.labels)


class LeavesAveraging(RowsOfOnes):
    """The gradient of each sample, not divided by how many there are."""

    def backward(self):
        return self.p - self.labels


class SumsAlways(RowsOfOnes):
    """Wrong by its own default, which one class alone does not show."""

    def forward(self, scores, labels):
        return super().forward(scores, labels) * len(labels)

    def backward(self, up=1.0):
        return super().backward(up) * len(self.labels)


class Overflows(RowsOfOnes):
    """Wrong: nothing is taken off before the exponential."""

    def forward(self, scores, labels):
        with np.errstate(all="ignore"):
            e = np.exp(scores)
            self.p, self.labels = e / e.sum(axis=1, keepdims=True), labels
            return -(labels * np.log(self.p)).sum() / len(labels)


class Logistic:
    """Cross-entropy of logits by the logarithms of both probabilities: right, in a form of its own."""

    def __init__(self, reduction="mean"):
        self.reduction = reduction

    def forward(self, z, target):
        self.z, self.t = z, target
        each = target * np.logaddexp(0, -z) + (1 - target) * np.logaddexp(0, z)
        return {"mean": each.mean, "sum": each.sum, "none": lambda: each}[self.reduction]()

    def backward(self, up=1.0):
        z, t = self.z, self.t
        each = (1 - t) * np.exp(z - np.logaddexp(0, z)) - t * np.exp(-z - np.logaddexp(0, -z))
        return up * each / (z.size if self.reduction == "mean" else 1)


class AlwaysMean(Logistic):
    """Takes a reduction, and does without."""

    def __init__(self, reduction="mean"):
        super().__init__()


class AlwaysSum(Logistic):
    """Cannot be told, and sums."""

    def __init__(self):
        super().__init__("sum")


class HalfPrecise(Logistic):
    """A slope that is right to nine digits."""

    def backward(self, up=1.0):
        return super().backward(up) * (1 + 1e-9)


class Guarded:
    """A sigmoid that keeps its exponent from overflowing, and what lies far out at e⁻⁵⁰⁰."""

    def forward(self, z):
        self.out = 1 / (1 + np.exp(-np.clip(z, -500, 500)))
        return self.out

    def backward(self, above):
        return above * self.out * (1 - self.out)
