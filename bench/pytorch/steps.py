"""One workload's training steps in PyTorch on the CPU, with as many threads as the machine has cores.

Reads a JSON object from standard input (name, batch, steps, input, labels, classes, learning_rate and the sizes of the
models) and prints {"firstStepMilliseconds", "stepMilliseconds", "finalLoss", "threads"}. Layouts are PyTorch's own: channels
come first.
"""

import json
import math
import os
import sys
import time

STARTED = time.perf_counter()

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

ASKED = json.load(sys.stdin)


def mlp():
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def mnist_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(3136, 1024), nn.ReLU(), nn.Linear(1024, 10),
    )  # fmt: skip


def conv_norm(channels, filters, kernel, stride):
    conv = nn.Conv2d(channels, filters, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(filters))


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.inner = conv_norm(channels, filters, 3, stride)
        self.outer = conv_norm(filters, filters, 3, 1)
        self.shortcut = nn.Identity() if stride == 1 else conv_norm(channels, filters, 1, stride)

    def forward(self, x):
        return F.relu(self.outer(F.relu(self.inner(x))) + self.shortcut(x))


class ResNet18(nn.Module):
    def __init__(self, stages):
        super().__init__()
        channels, blocks = stages[0], []
        for stage, filters in enumerate(stages):
            blocks += [Block(channels, filters, 1 if stage == 0 else 2), Block(filters, filters, 1)]
            channels = filters
        self.stem, self.blocks = conv_norm(3, stages[0], 3, 1), nn.Sequential(*blocks)
        self.classify = nn.Linear(channels, 10)

    def forward(self, x):
        return self.classify(self.blocks(F.relu(self.stem(x))).mean(dim=(2, 3)))


class Lstm(nn.Module):
    def __init__(self, features, units):
        super().__init__()
        self.recurrent, self.classify = nn.LSTM(features, units, batch_first=True), nn.Linear(units, 10)

    def forward(self, rows):
        return self.classify(self.recurrent(rows)[0][:, -1])


class Transformer(nn.Module):
    """One decoder block with layer normalization in front of both halves, between a projection and a classifier."""

    def __init__(self, time, features, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.project, self.join, self.classify = nn.Linear(features, width), nn.Linear(width, width), nn.Linear(width, 64)
        self.queries, self.keys, self.values = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.widen, self.narrow = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.mask = torch.full((time, time), -1e9).triu(1)

    def split(self, x):
        batch, positions, width = x.shape
        return x.view(batch, positions, self.heads, width // self.heads).transpose(1, 2)

    def attend(self, x):
        queries, keys, values = (self.split(part(x)) for part in (self.queries, self.keys, self.values))
        scores = queries @ keys.transpose(2, 3) / math.sqrt(queries.shape[-1])
        joined = torch.softmax(scores + self.mask, dim=-1) @ values
        return self.join(joined.transpose(1, 2).reshape(x.shape))

    def forward(self, sequence):
        x = self.project(sequence)
        x = x + self.attend(self.norm1(x))
        x = x + self.narrow(F.relu(self.widen(self.norm2(x))))
        return self.classify(self.norm3(x))


def model():
    lstm, transformer = ASKED["lstm"], ASKED["transformer"]
    return {
        "mlp": mlp,
        "mnistCnn": mnist_cnn,
        "resnet18": lambda: ResNet18(ASKED["stages"]),
        "lstm": lambda: Lstm(lstm["features"], lstm["units"]),
        "transformer": lambda: Transformer(**transformer),
    }[ASKED["name"]]()


def channels_first(shape):
    return [shape[-1], *shape[:-1]] if len(shape) == 3 else shape


def main():
    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(1)
    net = model()
    optimizer = torch.optim.Adam(net.parameters(), ASKED["learning_rate"])
    x = torch.rand(ASKED["batch"], *channels_first(ASKED["input"]))
    count = ASKED["batch"] * math.prod(ASKED["labels"])
    labels = torch.arange(count) % ASKED["classes"]

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(net(x).reshape(-1, ASKED["classes"]), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    step()
    first = 1000 * (time.perf_counter() - STARTED)
    step()
    steps = []
    for _ in range(ASKED["steps"]):
        before = time.perf_counter()
        loss = step()
        steps.append(1000 * (time.perf_counter() - before))
    threads = torch.get_num_threads()
    print(json.dumps({"firstStepMilliseconds": first, "stepMilliseconds": steps, "finalLoss": loss, "threads": threads}))


main()
