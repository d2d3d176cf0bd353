"""Writes networks with random weights as ONNX models, as `torch.onnx.export` makes them: channels first, batch 1.

    python3 bench/pytorch/onnxModels.py DIRECTORY [NAME ...]

Weights are seeded. Batch normalization is folded by the exporter, as in published models.
"""

import os
import sys

import torch
from torch import nn
from torch.nn import functional as F


def conv_norm(channels, filters, kernel=1, stride=1, groups=1, activation=None):
    layers = [
        nn.Conv2d(channels, filters, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(filters),
    ]
    return nn.Sequential(*layers, *([] if activation is None else [activation()]))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut (He et al., 2015)."""

    def __init__(self, channels, width, stride):
        super().__init__()
        self.body = nn.Sequential(
            conv_norm(channels, width, activation=nn.ReLU),
            conv_norm(width, width, 3, stride, activation=nn.ReLU),
            conv_norm(width, 4 * width),
        )
        same = stride == 1 and channels == 4 * width
        self.shortcut = nn.Identity() if same else conv_norm(channels, 4 * width, 1, stride)

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def resnet50():
    channels, blocks = 64, []
    for stage, count in enumerate((3, 4, 6, 3)):
        for i in range(count):
            blocks.append(Bottleneck(channels, 64 << stage, 2 if i == 0 and stage > 0 else 1))
            channels = 256 << stage
    stem = [conv_norm(3, 64, 7, 2, activation=nn.ReLU), nn.MaxPool2d(3, 2, 1)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


class SqueezeExcite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        inner = max(8, channels // 4)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, inner, 1), nn.ReLU(), nn.Conv2d(inner, channels, 1), nn.Hardsigmoid()
        )  # fmt: skip

    def forward(self, x):
        return x * self.gate(x)


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution and projection, with a gate on the channels (Howard et al., 2019)."""

    def __init__(self, channels, kernel, hidden, filters, gated, hard, stride):
        super().__init__()
        activation = nn.Hardswish if hard else nn.ReLU
        expand = [] if hidden == channels else [conv_norm(channels, hidden, activation=activation)]
        depthwise = conv_norm(hidden, hidden, kernel, stride, groups=hidden, activation=activation)
        gate = [SqueezeExcite(hidden)] if gated else []
        self.body = nn.Sequential(*expand, depthwise, *gate, conv_norm(hidden, filters))
        self.residual = stride == 1 and channels == filters

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


def mobilenet_v3():
    rows = [
        (3, 16, 16, 0, 0, 1), (3, 64, 24, 0, 0, 2), (3, 72, 24, 0, 0, 1), (5, 72, 40, 1, 0, 2), (5, 120, 40, 1, 0, 1),
        (5, 120, 40, 1, 0, 1), (3, 240, 80, 0, 1, 2), (3, 200, 80, 0, 1, 1), (3, 184, 80, 0, 1, 1), (3, 184, 80, 0, 1, 1),
        (3, 480, 112, 1, 1, 1), (3, 672, 112, 1, 1, 1), (5, 672, 160, 1, 1, 2), (5, 960, 160, 1, 1, 1), (5, 960, 160, 1, 1, 1),
    ]  # fmt: skip
    channels, blocks = 16, [conv_norm(3, 16, 3, 2, activation=nn.Hardswish)]
    for kernel, hidden, filters, gated, hard, stride in rows:
        blocks.append(InvertedResidual(channels, kernel, hidden, filters, gated, hard, stride))
        channels = filters
    head = [conv_norm(channels, 960, activation=nn.Hardswish), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*blocks, *head, nn.Linear(960, 1280), nn.Hardswish(), nn.Linear(1280, 1000))


class Attention(nn.Module):
    def __init__(self, width, heads, causal_length=None):
        super().__init__()
        self.heads, self.project, self.join = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.causal = causal_length is not None
        if self.causal:
            self.register_buffer("mask", torch.full((causal_length, causal_length), -1e9).triu(1))

    def forward(self, x):
        _, time, width = x.shape
        queries, keys, values = (
            part.view(1, time, self.heads, width // self.heads).transpose(1, 2) for part in self.project(x).split(width, dim=2)
        )
        scores = queries @ keys.transpose(2, 3) * (width // self.heads) ** -0.5
        if self.causal:
            scores = scores + self.mask
        joined = torch.softmax(scores, dim=-1) @ values
        return self.join(joined.transpose(1, 2).reshape(1, time, width))


class TransformerBlock(nn.Module):
    def __init__(self, width, heads, causal_length=None):
        super().__init__()
        self.attend = Attention(width, heads, causal_length)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        return x + self.feed(self.norm2(x))


class Encoder(nn.Module):
    """Token and position embeddings and a stack of blocks; a decoder when `causal`."""

    def __init__(self, width, heads, layers, length=128, vocabulary=8192, causal=False):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Parameter(torch.randn(1, length, width))
        self.blocks = nn.Sequential(*(TransformerBlock(width, heads, length if causal else None) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)

    def forward(self, ids):
        return self.norm(self.blocks(self.tokens(ids) + self.positions))


class VisionTransformer(nn.Module):
    """Patches of 16, width 192, 3 heads, 12 layers (Dosovitskiy et al., 2020; the size of DeiT-Ti)."""

    def __init__(self, width=192):
        super().__init__()
        self.patches, self.token = nn.Conv2d(3, width, 16, 16), nn.Parameter(torch.randn(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, 197, width))
        self.blocks = nn.Sequential(*(TransformerBlock(width, 3) for _ in range(12)))
        self.norm, self.classify = nn.LayerNorm(width), nn.Linear(width, 1000)

    def forward(self, image):
        patches = self.patches(image).flatten(2).transpose(1, 2)
        x = self.blocks(torch.cat([self.token, patches], dim=1) + self.positions)
        return self.classify(self.norm(x)[:, 0])


class UNet(nn.Module):
    """Four levels from 16 to 128 channels, transposed convolutions upwards (Ronneberger et al., 2015)."""

    def __init__(self, widths=(16, 32, 64, 128)):
        super().__init__()
        pair = lambda a, b: nn.Sequential(conv_norm(a, b, 3, activation=nn.ReLU), conv_norm(b, b, 3, activation=nn.ReLU))
        self.down = nn.ModuleList(pair(a, b) for a, b in zip((3, *widths), widths))
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2) for a, b in zip(widths, widths[1:]))
        self.join = nn.ModuleList(pair(2 * a, a) for a in widths[:-1])
        self.head = nn.Conv2d(widths[0], 2, 1)

    def forward(self, x):
        kept = []
        for level in self.down:
            x = level(x if not kept else F.max_pool2d(x, 2))
            kept.append(x)
        for up, join, skip in reversed(list(zip(self.up, self.join, kept))):
            x = join(torch.cat([skip, up(x)], dim=1))
        return self.head(x)


class Csp(nn.Module):
    """Half of the channels through a residual pair of convolutions, then both joined, as detectors of the YOLO family have it."""

    def __init__(self, channels):
        super().__init__()
        half = channels // 2
        self.split = conv_norm(channels, channels, activation=nn.SiLU)
        self.body = nn.Sequential(conv_norm(half, half, 3, activation=nn.SiLU), conv_norm(half, half, 3, activation=nn.SiLU))
        self.join = conv_norm(3 * half, channels, activation=nn.SiLU)

    def forward(self, x):
        a, b = self.split(x).chunk(2, dim=1)
        return self.join(torch.cat([a, b, b + self.body(b)], dim=1))


class Detector(nn.Module):
    """A detector's shape: strides 8 to 32, features upsampled and joined, one head per scale, all boxes in one tensor."""

    def __init__(self, base=16, outputs=84):
        super().__init__()
        wide = [base * 2**i for i in range(5)]
        self.stem = conv_norm(3, wide[0], 3, 2, activation=nn.SiLU)
        self.down = nn.ModuleList(
            nn.Sequential(conv_norm(a, b, 3, 2, activation=nn.SiLU), Csp(b)) for a, b in zip(wide, wide[1:])
        )
        self.lateral = nn.ModuleList(
            nn.Sequential(conv_norm(a + b, a, activation=nn.SiLU), Csp(a)) for a, b in zip(wide[2:], wide[3:])
        )
        self.heads = nn.ModuleList(nn.Conv2d(a, outputs, 1) for a in wide[2:])

    def forward(self, x):
        x, features = self.stem(x), []
        for level in self.down:
            x = level(x)
            features.append(x)
        _, eighth, sixteenth, last = features
        middle = self.lateral[1](torch.cat([F.interpolate(last, scale_factor=2.0), sixteenth], dim=1))
        fine = self.lateral[0](torch.cat([F.interpolate(middle, scale_factor=2.0), eighth], dim=1))
        boxes = [head(each).flatten(2) for head, each in zip(self.heads, (fine, middle, last))]
        every = torch.cat(boxes, dim=2)
        return torch.cat([every[:, :4], torch.sigmoid(every[:, 4:])], dim=1)


class Recurrent(nn.Module):
    """A recurrent layer over 100 rows of 40 features, and a classifier of its last row."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        wide = layer.hidden_size * (2 if layer.bidirectional else 1)
        self.classify = nn.Linear(wide, 12)

    def forward(self, rows):
        return self.classify(self.layer(rows)[0][:, -1])


def image(size):
    return torch.rand(1, 3, size, size)


def ids():
    return torch.arange(128).reshape(1, 128) % 100


NETWORKS = {
    "resnet50": (resnet50, lambda: image(224)),
    "mobilenetV3": (mobilenet_v3, lambda: image(224)),
    "unet": (UNet, lambda: image(256)),
    "detector": (Detector, lambda: image(320)),
    "vitTiny": (VisionTransformer, lambda: image(224)),
    "bertSmall": (lambda: Encoder(512, 8, 4), ids),
    "gpt2Block": (lambda: Encoder(768, 12, 1, causal=True), ids),
    "gru": (lambda: Recurrent(nn.GRU(40, 128, 2, batch_first=True)), lambda: torch.rand(1, 100, 40)),
    "biLstm": (lambda: Recurrent(nn.LSTM(40, 128, bidirectional=True, batch_first=True)), lambda: torch.rand(1, 100, 40)),
}


def main():
    directory, *asked = sys.argv[1:]
    os.makedirs(directory, exist_ok=True)
    for name in asked or NETWORKS:
        torch.manual_seed(1)
        make, sample = NETWORKS[name]
        network, x = make().eval(), sample()
        path = os.path.join(directory, f"{name}.onnx")
        torch.onnx.export(network, x, path, input_names=["x"], output_names=["y"], opset_version=17)
        print(path)


main()
