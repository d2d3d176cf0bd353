/** Every rule that holds for all ops, checked for every op of the registry. No device is needed. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import {
  FAMILIES,
  Graph,
  InvalidArgumentError,
  OPS,
  TensorShape,
  builders,
  importGraphDef,
  isFloating,
  writeGraphDef,
  type HostValue,
  type OpDef,
  type OpName,
} from '@forerun/graph';
import { KERNELS } from '@forerun/kernels-webgpu';
import {
  REFERENCES,
  SAMPLES,
  checkOpGrad,
  expectClose,
  incompatibilities,
  inferError,
  inferOk,
  makeNode,
  placeholderNode,
  variableNode,
  registrySignatures,
  runReference,
  sampleInputs,
  type OpCases,
  type OpSamples,
  type Sample,
  type Signatures,
} from '@forerun/testing';
import { BUILDER_NAMES, MADE_BY, builderNames } from './builders.js';
import { SELECTED } from './selection.js';

const GOLDEN = new URL('ops.golden.json', import.meta.url);

const references = new Map<OpName, Map<Sample, readonly HostValue[]>>();

/** What the reference gives for a sample, which ops may share; some take seconds, and several tests ask. */
function referenceOf(type: OpName, sample: Sample): readonly HostValue[] {
  const ofType = references.get(type) ?? new Map<Sample, readonly HostValue[]>();
  references.set(type, ofType);
  const inputs = sampleInputs(sample);
  const values = ofType.get(sample) ?? runReference(makeNode(type, inputs, sample.attrs ?? {}), inputs);
  ofType.set(sample, values);
  return values;
}

describe('the registry', () => {
  it('names every op in exactly one family', () => {
    const names = Object.values(FAMILIES).flatMap((family) => Object.keys(family));
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    expect(names.sort()).toEqual(Object.keys(OPS).sort());
  });

  it('has no kernel, sample or reference without an op', () => {
    for (const table of [KERNELS, SAMPLES, REFERENCES]) {
      expect(Object.keys(table).filter((name) => !Object.hasOwn(OPS, name))).toEqual([]);
    }
    expect(Object.keys(OPS).filter((name) => !Object.hasOwn(KERNELS, name))).toEqual([]);
  });

  it('knows the builders of registered ops only, and those that camelCase does not give', () => {
    const listed = [...Object.keys(BUILDER_NAMES), ...Object.keys(MADE_BY)];
    expect(listed.filter((name) => !Object.hasOwn(OPS, name))).toEqual([]);
    const needless = (Object.keys(MADE_BY) as OpName[]).filter(hasBuilder);
    expect(needless).toEqual([]);
  });

  it('keeps the signatures of ops that files may contain', () => {
    const now = registrySignatures();
    if (process.env.FORERUN_UPDATE_GOLDENS === '1') {
      writeFileSync(GOLDEN, `${JSON.stringify(now, null, 1)}\n`);
    }
    const before = JSON.parse(readFileSync(GOLDEN, 'utf8')) as Signatures;
    expect(incompatibilities(before, now)).toEqual([]);
  });
});

function hasBuilder(type: OpName): boolean {
  return builderNames(type).some((name) => Object.hasOwn(builders, name));
}

describe.each(SELECTED)('%s', (type) => {
  const def: OpDef = OPS[type];
  const samples = SAMPLES[type];

  it('is documented, has a builder and tells of its kernel and gradient', () => {
    expect(def.summary).toMatch(/^[A-Z].*\.$/);
    expect(hasBuilder(type) || MADE_BY[type] !== undefined || `${type} has no builder`).toBe(true);
    const kernel = KERNELS[type];
    if (kernel.kind === 'host' || kernel.kind === 'unsupported') expect(kernel.reason).not.toBe('');
    if (typeof def.grad !== 'function') expect(def.grad.notDifferentiable).not.toBe('');
  });

  it('refuses another number of inputs, naming op, node and rule', () => {
    const isList = def.inputs.some((arg) => arg.numberAttr !== undefined || arg.typeListAttr !== undefined);
    const graph = new Graph();
    const inputs = Array.from({ length: isList ? 0 : def.inputs.length + 1 }, () =>
      placeholderNode(graph, 'float32', TensorShape.UNKNOWN),
    );
    expect(() => graph.createOp({ type, name: 'node', inputs, attrs: {} })).toThrow(InvalidArgumentError);
    expect(() => graph.createOp({ type, name: 'node', inputs, attrs: {} })).toThrow(`${type} "node": `);
  });

  it('has samples, a shape case with an unknown dimension and an error case', () => {
    if (samples === undefined) throw new Error(`${type} has no samples`);
    expect(samples.errors.length).toBeGreaterThan(0);
    if ('testedElsewhere' in samples) {
      checkReason(samples);
      if (def.inputs.length > 0) checkUnknown(samples);
      return;
    }
    expect(samples.samples.length).toBeGreaterThan(0);
    const names = samples.samples.map((sample) => sample.name);
    expect(new Set(names).size).toBe(names.length);
    if (def.inputs.length > 0) expect(samples.shapes.some(({ inputs }) => inputs.includes('?'))).toBe(true);
  });

  if (samples !== undefined && !('testedElsewhere' in samples)) checkSamples(type, def, samples);
  if (samples !== undefined) checkCases(type, samples);
});

/** The files that test the op instead must be there. */
function checkReason({ testedElsewhere, tolerance }: OpCases): void {
  const files = testedElsewhere.match(/\w+\/test\/\w+(\.gpu)?\.test\.ts/g) ?? [];
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((file) => !existsSync(new URL(`../../${file}`, import.meta.url)))).toEqual([]);
  expect(tolerance).not.toBe('');
}

/** An unknown dimension and an unknown rank; an op on scalars alone refuses other ranks instead of the former. */
function checkUnknown({ shapes, errors }: OpCases): void {
  const items = shapes.flatMap(({ inputs }) => inputs.split(';'));
  expect(items).toContainEqual(expect.stringMatching(/^(list|)\?$/));
  const isScalar = items.every((item) => item === '?' || item === '[]');
  const [texts, dims] = isScalar
    ? [errors.flatMap(({ inputs }) => inputs.split(';')), /^\[\d/]
    : [items, /\[.*\?.*\]/];
  expect(texts).toContainEqual(expect.stringMatching(dims));
}

function checkSamples(type: OpName, def: OpDef, { samples }: OpSamples): void {
  it.each(samples)('sample $name: inference and host evaluation agree with the reference', (sample) => {
    const inputs = sampleInputs(sample);
    const node = makeNode(type, inputs, sample.attrs ?? {});
    const results = referenceOf(type, sample);
    node.outputs.forEach((output, i) => {
      const value = results[i];
      if (value === undefined) throw new Error(`the reference gives no output ${i}`);
      expect(value.dtype).toBe(output.dtype);
      expect(value.data.length).toBe(value.shape.reduce((size, dim) => size * dim, 1));
      if (!output.shape.isCompatibleWith(new TensorShape(value.shape))) {
        throw new Error(`inferred ${output.shape.toString()}, the reference gives [${value.shape.join()}]`);
      }
    });
    checkEvaluate(type, def, sample, inputs, results);
  });

  for (const sample of samples) {
    it(`sample ${sample.name}: survives being written to a file and read`, () => {
      const written = makeNode(type, sampleInputs(sample), sample.attrs ?? {});
      const bytes = writeGraphDef(written.graph);
      const graph = new Graph();
      importGraphDef(bytes, { graph, name: '' });
      expect(writeGraphDef(graph)).toEqual(bytes);
      expect(graph.getOperationByName('node').outputs.map(String)).toEqual(written.outputs.map(String));
    });
  }

  it.each(samples)('sample $name: is accepted when no shape is known', (sample) => {
    const inputs = sampleInputs(sample);
    const graph = new Graph();
    const known = makeNode(type, inputs, sample.attrs ?? {});
    const tensors = known.inputs.map((input) =>
      input.dtype === 'resource'
        ? variableNode(graph, input.handle?.dtype ?? 'float32', TensorShape.UNKNOWN)
        : placeholderNode(graph, input.dtype, TensorShape.UNKNOWN),
    );
    const node = graph.createOp({ type, name: 'node', inputs: tensors, attrs: sample.attrs ?? {} });
    const results = referenceOf(type, sample);
    node.outputs.forEach((output, i) => {
      const shape = new TensorShape(results[i]?.shape ?? []);
      if (!output.shape.isCompatibleWith(shape)) {
        throw new Error(`inferred ${output.shape.toString()}, the reference gives ${shape.toString()}`);
      }
    });
  });

  const differentiated = samples.filter((sample) => isDifferentiated(def, sample));
  it('has gradients to check, or a reason for having none', () => {
    const excused = samples.every((sample) => sample.skipGradient !== undefined || !hasFloats(sample));
    expect(differentiated.length > 0 || def.stateful || typeof def.grad !== 'function' || excused).toBe(true);
  });

  for (const sample of differentiated) {
    it(`sample ${sample.name}: gradients of first and second order agree with finite differences`, () => {
      checkOpGrad(type, sampleInputs(sample), sample.attrs ?? {}, {
        inputPositions: sample.gradientInputs,
        outputPositions: sample.gradientOutputs,
        label: type,
      });
    });
  }
}

function checkCases(type: OpName, { shapes, errors }: OpSamples | OpCases): void {
  for (const { inputs, outputs, ...options } of shapes) {
    it(`infers ${outputs} from ${inputs} ${JSON.stringify(options)}`, () => {
      inferOk(type, inputs, outputs, options);
    });
  }

  for (const { inputs, message, ...options } of errors) {
    it(`rejects ${inputs} ${JSON.stringify(options)}: ${message.source}`, () => {
      inferError(type, inputs, message, options);
    });
  }
}

function hasFloats(sample: Sample): boolean {
  return sampleInputs(sample).some((input) => isFloating(input.dtype));
}

function isDifferentiated(def: OpDef, sample: Sample): boolean {
  if (sample.skipGradient !== undefined || def.stateful || typeof def.grad !== 'function') return false;
  return hasFloats(sample);
}

/** What folding computes on the host must be what the reference says, rounded to the dtype. */
function checkEvaluate(
  type: OpName,
  def: OpDef,
  sample: Sample,
  inputs: readonly HostValue[],
  results: readonly HostValue[],
): void {
  if (def.evaluate === undefined) return;
  const node = makeNode(type, inputs, sample.attrs ?? {});
  const shapes = inputs.map((input) => new TensorShape(input.shape));
  const values = def.evaluate({
    attrs: node.attrs,
    shapes,
    outputs: node.outputs.map((output) => output.dtype),
    shape: (i) => shapes[i] ?? TensorShape.UNKNOWN,
    value: (i) => inputs[i] ?? null,
  });
  values?.forEach((value, i) => {
    const want = results[i];
    if (want !== undefined) expectClose(value, want, sample.tolerance, `evaluate of output ${i}`);
  });
}
