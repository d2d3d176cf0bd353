/** `docs/ops.md`: every op with its dtypes, gradient, kernel and tolerance, made from the registry. */
import { FAMILIES, type ArgSpec, type AttrSpec, type OpDef, type OpName } from '@forerun/graph';
import { computesHalf, KERNELS, type Kernel } from '@forerun/kernels-webgpu';
import { MISSING_NAMES, MISSING_OPS, type MissingOps } from './missingOps.js';
import type { OpCases, OpSamples } from './sample.js';
import { SAMPLES } from './samples/index.js';

/** Dtypes that the device computes with; those that only files have are left out. */
const DEVICE_DTYPES: readonly string[] = [
  'float32',
  'float16',
  'int32',
  'int64',
  'uint8',
  'int8',
  'uint32',
  'bool',
];
const HOST_DTYPES: readonly string[] = ['string', 'resource', 'variant'];

function dtypesOf(op: OpName, def: OpDef): string {
  const args = def.outputs.length > 0 ? def.outputs : def.inputs;
  const names = new Set(args.flatMap((arg) => argDTypes(arg, def.attrs)));
  const known = [...DEVICE_DTYPES, ...HOST_DTYPES].filter(
    (name) => names.has(name) && (name !== 'float16' || computesHalf(op)),
  );
  return names.has('any') ? 'any' : known.join(', ');
}

function argDTypes(arg: ArgSpec, attrs: readonly AttrSpec[]): readonly string[] {
  if (arg.dtype !== undefined) return [arg.dtype];
  const spec = attrs.find(({ name }) => name === (arg.typeAttr ?? arg.typeListAttr));
  return spec?.allowed ?? ['any'];
}

function gradientOf({ grad }: OpDef): string {
  if (typeof grad === 'function') return 'every order';
  return grad.blocking ? `missing: ${grad.notDifferentiable}` : `none: ${grad.notDifferentiable}`;
}

const KINDS: Readonly<Record<Kernel['kind'], string>> = {
  elementwise: 'elementwise, fused',
  device: 'device',
  view: 'view, costs nothing',
  composed: 'made of other ops',
  host: 'host',
  unsupported: 'none',
};

function kernelOf(kernel: Kernel): string {
  const reason = 'reason' in kernel ? `: ${kernel.reason}` : '';
  return `${KINDS[kernel.kind]}${reason}`;
}

/** The widest tolerance that a sample of the op has, relative and absolute. */
function toleranceOf(samples: OpSamples | OpCases | undefined, def: OpDef): string {
  if (samples === undefined) return '';
  if ('testedElsewhere' in samples) return samples.tolerance;
  const floats = def.outputs.some((arg) =>
    argDTypes(arg, def.attrs).some((name) => name === 'float32' || name === 'any'),
  );
  if (!floats && def.outputs.length > 0) return 'exact';
  const rtol = Math.max(...samples.samples.map(({ tolerance }) => tolerance?.rtol ?? 1e-5));
  const atol = Math.max(...samples.samples.map(({ tolerance }) => tolerance?.atol ?? 1e-6));
  return `${rtol} rel, ${atol} abs`;
}

function row(name: OpName, def: OpDef): string {
  const cells = [
    `\`${name}\``,
    def.summary,
    dtypesOf(name, def),
    gradientOf(def),
    kernelOf(KERNELS[name]),
    toleranceOf(SAMPLES[name], def),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

const HEADER = `# Ops

All ops that Forerun knows by the names that graph files have, family by family; the functions that make them are in
the API reference (\`npm run docs:api\`). This page is made from the registry: \`FORERUN_UPDATE_GOLDENS=1 npm test --
packages/testing/test/opsDocument.test.ts\`.

- **Dtypes** are those of the results (of the operands, where there are none) that can be computed with. Files may
  have others: such nodes are read, shown and written back. float16 is kept in 16 bits and computed in float32. int64 is kept as int32 on the device and range-checked.
- **Gradient**: \`every order\` means that the gradient consists of ops that have gradients again; first and second
  order are compared with finite differences. Where there is none, the reason.
- **Kernel**: what computes it. Elementwise kernels are fused with their neighbours.
- **Tolerance**: how far a device may be from the float64 reference in the tests, |difference| <= abs + rel * |value|,
  the widest of the op's samples; integers and booleans are exact.
`;

function family(name: string, ops: Readonly<Record<string, OpDef>>): string {
  const rows = Object.entries(ops).map(([op, def]) => row(op as OpName, def));
  const head = '| op | what it gives | dtypes | gradient | kernel | tolerance |\n|---|---|---|---|---|---|';
  return `## ${name}\n\n${head}\n${rows.join('\n')}\n`;
}

function byReason(groups: readonly MissingOps[]): string {
  return groups
    .map(({ group, reason, ops }) => `**${group}.** ${reason}\n\n${ops.map((op) => `\`${op}\``).join(' ')}\n`)
    .join('\n');
}

function missing(): string {
  const ops = `## Ops of TensorFlow 1.15 that are not here\n\nA graph with one of these can be read, inspected and written back; a run that needs it says so.\n\n`;
  const names = `\n## Functions of TensorFlow 1.15 that are not here\n\nWhat the other namespaces and the flat names have besides is in \`fr\` under its name in camelCase. [Programs of TensorFlow 1](tensorflow1.md) shows what takes the place of some of these.\n\n`;
  return `${ops}${byReason(MISSING_OPS)}${names}${byReason(MISSING_NAMES)}`;
}

/** The text of \`docs/ops.md\`. */
export function opsDocument(): string {
  const families = Object.entries(FAMILIES).map(([name, ops]) => family(name, ops));
  const count = Object.values(FAMILIES).reduce<number>((sum, ops) => sum + Object.keys(ops).length, 0);
  return `${HEADER}\n${count} ops.\n\n${families.join('\n')}\n${missing()}`;
}
