"""Makes the files of weights that tests read, with NumPy and Python's own pickle and zipfile.

    python3 packages/formats/scripts/makeFixtures.py [DIRECTORY]      the committed fixtures
    python3 packages/formats/scripts/makeFixtures.py --resnet18 DIR   resnet18.pth and resnet18.safetensors

Where PyTorch is installed, torch.save writes the .pth files and --resnet18 takes torchvision's network (with random
weights). Elsewhere the pickles are made by Python's pickler from classes of the same names, which gives the same opcodes,
globals and archive; the names and shapes of torchvision's ResNet-18 are written out below.
"""
import collections
import io
import json
import pickle
import struct
import sys
import types
import zipfile
from pathlib import Path

import numpy as np

try:
    import torch
except ImportError:
    torch = None

STORAGES = {
    'float32': 'FloatStorage', 'float64': 'DoubleStorage', 'float16': 'HalfStorage', 'int64': 'LongStorage',
    'int32': 'IntStorage', 'int16': 'ShortStorage', 'int8': 'CharStorage', 'uint8': 'ByteStorage', 'bool': 'BoolStorage',
}


class Storage:
    """Memory that tensors view: its elements and its key in the archive."""

    def __init__(self, array):
        self.array = np.ascontiguousarray(array).reshape(-1)
        self.key = None


class View:
    """A tensor: shape, strides and offset in elements of a storage."""

    def __init__(self, storage, shape=None, strides=None, offset=0):
        self.storage = storage
        self.shape = tuple(storage.array.shape if shape is None else shape)
        if strides is None:
            strides = [1] * len(self.shape)
            for axis in range(len(self.shape) - 2, -1, -1):
                strides[axis] = strides[axis + 1] * self.shape[axis + 1]
        self.strides, self.offset = tuple(strides), offset

    def __reduce__(self):
        hooks = collections.OrderedDict()
        return fake('torch._utils', '_rebuild_tensor_v2'), (self.storage, self.offset, self.shape, self.strides, False, hooks)


def fake(module, name):
    """An importable function called `module.name`, as the pickler wants it for a global."""
    package = module.split('.')[0]
    for part in (package, module):
        if part not in sys.modules:
            sys.modules[part] = types.ModuleType(part)
            sys.modules[part].__path__ = []
    if not hasattr(sys.modules[module], name):
        def function(*_):
            raise RuntimeError('never called')
        function.__module__, function.__qualname__, function.__name__ = module, name, name
        setattr(sys.modules[module], name, function)
    return getattr(sys.modules[module], name)


class Pickler(pickle.Pickler):
    def __init__(self, file, storages, legacy):
        super().__init__(file, 2)
        self.storages, self.legacy = storages, legacy

    def persistent_id(self, obj):
        if not isinstance(obj, Storage):
            return None
        if obj.key is None or obj not in self.storages:
            obj.key = str(len(self.storages))
            self.storages.append(obj)
        kind = fake('torch', STORAGES[str(obj.array.dtype)])
        rest = (None,) if self.legacy else ()
        return ('storage', kind, obj.key, 'cpu', obj.array.size, *rest)


def view(array):
    array = np.asarray(array)
    return View(Storage(array), array.shape)


def save_torch(path, state, compression=zipfile.ZIP_STORED):
    storages, out = [], io.BytesIO()
    Pickler(out, storages, False).dump(state)
    with zipfile.ZipFile(path, 'w', compression) as archive:
        root = path.stem
        entries = {'data.pkl': out.getvalue(), 'byteorder': b'little', 'version': b'3\n'}
        entries.update({f'data/{s.key}': s.array.tobytes() for s in storages})
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(f'{root}/{name}', (1980, 1, 1, 0, 0, 0)), content, compression)


def save_legacy(path, state):
    storages, body = [], io.BytesIO()
    Pickler(body, storages, True).dump(state)
    with open(path, 'wb') as file:
        system = {'protocol_version': 1001, 'little_endian': True, 'type_sizes': {'short': 2, 'int': 4, 'long': 4}}
        for part in (0x1950A86A20F9469CFC6C, 1001, system):
            pickle.dump(part, file, 2)
        file.write(body.getvalue())
        pickle.dump([s.key for s in storages], file, 2)
        for storage in storages:
            file.write(struct.pack('<q', storage.array.size) + storage.array.tobytes())


SAFE = {'float32': 'F32', 'int64': 'I64', 'float16': 'F16', 'float64': 'F64', 'bool': 'BOOL', 'uint8': 'U8'}


def save_safetensors(path, tensors, metadata=None):
    header, data, offset = {}, [], 0
    if metadata:
        header['__metadata__'] = metadata
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        header[name] = {'dtype': SAFE[str(array.dtype)], 'shape': list(array.shape), 'data_offsets': [offset, offset + len(raw)]}
        data.append(raw)
        offset += len(raw)
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    path.write_bytes(struct.pack('<Q', len(text)) + text + b''.join(data))


def resnet(rng, blocks, widths, classes, expected_stem):
    """Arrays under torchvision's names for a network of basic blocks."""
    tensors = collections.OrderedDict()

    def conv(name, out, inp, size):
        tensors[f'{name}.weight'] = (rng.standard_normal((out, inp, size, size)) / np.sqrt(inp * size * size)).astype(np.float32)

    def norm(name, size):
        tensors[f'{name}.weight'] = (1 + 0.2 * rng.standard_normal(size)).astype(np.float32)
        tensors[f'{name}.bias'] = (0.1 * rng.standard_normal(size)).astype(np.float32)
        tensors[f'{name}.running_mean'] = (0.1 * rng.standard_normal(size)).astype(np.float32)
        tensors[f'{name}.running_var'] = (1 + 0.3 * rng.random(size)).astype(np.float32)
        tensors[f'{name}.num_batches_tracked'] = np.array(100, np.int64)

    conv('conv1', widths[0], 3, expected_stem)
    norm('bn1', widths[0])
    inputs = widths[0]
    for layer, (count, width) in enumerate(zip(blocks, widths), 1):
        for block in range(count):
            root = f'layer{layer}.{block}'
            conv(f'{root}.conv1', width, inputs, 3)
            norm(f'{root}.bn1', width)
            conv(f'{root}.conv2', width, width, 3)
            norm(f'{root}.bn2', width)
            if inputs != width or (layer > 1 and block == 0):
                conv(f'{root}.downsample.0', width, inputs, 1)
                norm(f'{root}.downsample.1', width)
            inputs = width
    tensors['fc.weight'] = (rng.standard_normal((classes, inputs)) / np.sqrt(inputs)).astype(np.float32)
    tensors['fc.bias'] = (0.1 * rng.standard_normal(classes)).astype(np.float32)
    return tensors


def convolve(x, w, stride, pad):
    """x: NCHW, w: OIHW, in float64."""
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))[:, :, ::stride, ::stride]
    return np.einsum('nchwij,ocij->nohw', windows, w)


def run_small(tensors, x):
    """Inference of the small network in float64: stem without a pool, one block a layer."""
    t = {name: array.astype(np.float64) for name, array in tensors.items()}

    def norm(x, name):
        shape = (1, -1, 1, 1)
        scale = t[f'{name}.weight'] / np.sqrt(t[f'{name}.running_var'] + 1e-5)
        return (x - t[f'{name}.running_mean'].reshape(shape)) * scale.reshape(shape) + t[f'{name}.bias'].reshape(shape)

    x = np.maximum(norm(convolve(x, t['conv1.weight'], 1, 1), 'bn1'), 0)
    for layer in (1, 2):
        root, stride = f'layer{layer}.0', layer
        y = np.maximum(norm(convolve(x, t[f'{root}.conv1.weight'], stride, 1), f'{root}.bn1'), 0)
        y = norm(convolve(y, t[f'{root}.conv2.weight'], 1, 1), f'{root}.bn2')
        if f'{root}.downsample.0.weight' in t:
            x = norm(convolve(x, t[f'{root}.downsample.0.weight'], stride, 0), f'{root}.downsample.1')
        x = np.maximum(x + y, 0)
    return x.mean((2, 3)) @ t['fc.weight'].T + t['fc.bias']


def state_dict(tensors):
    """An OrderedDict with the attribute that PyTorch's have."""
    state = collections.OrderedDict((name, view(array)) for name, array in tensors.items())
    state._metadata = collections.OrderedDict([('', {'version': 1})])
    return state


def save_resnet18(directory):
    rng = np.random.default_rng(18)
    tensors = resnet(rng, (2, 2, 2, 2), (64, 128, 256, 512), 1000, 7)
    if torch is not None:
        import torchvision
        torch.manual_seed(18)
        state = torchvision.models.resnet18(weights=None).state_dict()
        torch.save(state, directory / 'resnet18.pth')
        tensors = {name: tensor.numpy() for name, tensor in state.items()}
    else:
        save_torch(directory / 'resnet18.pth', state_dict(tensors))
    save_safetensors(directory / 'resnet18.safetensors', tensors, {'format': 'pt'})


def save_small(directory):
    rng = np.random.default_rng(7)
    tensors = resnet(rng, (1, 1), (4, 8), 5, 3)
    x = rng.standard_normal((2, 3, 8, 8)).astype(np.float32)
    if torch is not None:
        torch.save(collections.OrderedDict((n, torch.from_numpy(a)) for n, a in tensors.items()), directory / 'smallResnet.pth')
    else:
        save_torch(directory / 'smallResnet.pth', state_dict(tensors))
    save_safetensors(directory / 'smallResnet.safetensors', tensors, {'format': 'pt'})
    np.savez(directory / 'smallResnet.npz', x=x.transpose(0, 2, 3, 1), logits=run_small(tensors, x))


def save_views(directory):
    base = Storage(np.arange(24, dtype=np.float32))
    state = collections.OrderedDict()
    state['whole'] = View(base, (4, 6))
    state['transposed'] = View(base, (6, 4), (1, 6))
    state['column'] = View(base, (4,), (6,), 2)
    state['expanded'] = View(base, (3, 2), (0, 1), 5)
    state['half'] = view(np.array([1.5, -2, 65504], np.float16))
    state['mask'] = view(np.array([[True, False], [False, True]]))
    state['empty'] = view(np.zeros((0, 3), np.float32))
    state['scalar'] = view(np.array(2**40, np.int64))
    nested = {'epoch': 3, 'lr': 0.125, 'done': False, 'note': None, 'model': state, 'steps': [view(np.array([1, 2], np.int32))]}
    save_torch(directory / 'views.pth', nested)
    save_torch(directory / 'viewsDeflated.pth', nested, zipfile.ZIP_DEFLATED)
    save_legacy(directory / 'viewsLegacy.pth', nested)


def save_numpy(directory):
    arrays = {}
    for code in ('b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8', 'c8', 'c16'):
        array = (np.arange(6).reshape(2, 3) * 3 % 7 - (0 if code[0] in 'bu' else 2)).astype(code)
        arrays[code] = array
        arrays[f'{code}_big'] = array.astype(array.dtype.newbyteorder('>'))
        arrays[f'{code}_fortran'] = np.asfortranarray(array)
    arrays['cube_fortran'] = np.asfortranarray(np.arange(24, dtype='f4').reshape(2, 3, 4))
    arrays['scalar'] = np.array(2.5, 'f4')
    arrays['bytes'] = np.array([b'ab', b'', b'xyz'])
    arrays['text'] = np.array(['äö', 'x'])
    arrays['text_big'] = np.array(['äö', 'x']).astype('>U2')
    arrays['none'] = np.zeros((0, 4), 'f4')
    np.savez(directory / 'arrays.npz', **arrays)
    np.savez_compressed(directory / 'arraysCompressed.npz', **arrays)
    for version in ((1, 0), (2, 0), (3, 0)):
        with open(directory / f'version{version[0]}.npy', 'wb') as file:
            np.lib.format.write_array(file, np.arange(5, dtype='i4'), version)
    np.save(directory / 'objects.npy', np.array([{}, 1], dtype=object), allow_pickle=True)
    np.save(directory / 'records.npy', np.zeros(2, dtype=[('a', 'i4'), ('b', 'f4')]))


def main():
    args = sys.argv[1:]
    if args[:1] == ['--resnet18']:
        target = Path(args[1])
        target.mkdir(parents=True, exist_ok=True)
        save_resnet18(target)
        return
    target = Path(args[0]) if args else Path(__file__).parents[1] / 'test' / 'fixtures'
    target.mkdir(parents=True, exist_ok=True)
    for save in (save_small, save_views, save_numpy):
        save(target)


main()
