/** Reads the cases of `oracle/` and names the ops that they are for. */
import { readFileSync, readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { OPS, type AttrInput, type AttrInputs, type DType, type HostValue } from '@forerun/graph';
import { isSelected, testsEverything } from './selection.js';

interface JsonValue {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly (number | boolean | string)[];
}

interface JsonCase {
  readonly name: string;
  readonly op: string;
  readonly attrs: Readonly<Record<string, AttrInput>>;
  readonly inputs: readonly JsonValue[];
  readonly outputs: readonly JsonValue[];
  readonly gradient: {
    readonly upstream: readonly JsonValue[];
    readonly inputs: readonly (JsonValue | null)[];
  } | null;
  readonly tolerance: { readonly rtol: number; readonly atol: number };
  readonly refs?: readonly number[];
  readonly inputs_named?: readonly string[];
}

export interface OracleCase {
  readonly name: string;
  readonly op: string;
  readonly attrs: AttrInputs;
  readonly inputs: readonly HostValue[];
  readonly outputs: readonly HostValue[];
  readonly gradient: {
    readonly upstream: readonly HostValue[];
    readonly inputs: readonly (HostValue | null)[];
  } | null;
  readonly tolerance: { readonly rtol: number; readonly atol: number };
  /** Optimizer cases: positions and names of inputs, and the number of steps. */
  readonly refs: readonly number[];
  readonly inputNames: readonly string[];
  readonly steps: number;
}

/** The op that runs a case: optimizer cases of reference variables run on resource variables. */
function registeredName(op: string): string {
  const plain = op.replace(/^composite:/, '');
  return /^Apply[A-Z]/.test(plain) ? `Resource${plain}` : plain;
}

/** FORERUN_ORACLE names another folder of such files. */
const FOLDER =
  process.env.FORERUN_ORACLE === undefined
    ? new URL('../oracle/', import.meta.url)
    : pathToFileURL(`${process.env.FORERUN_ORACLE}/`);
const ALL: readonly JsonCase[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .sort()
  .flatMap((file) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as JsonCase[]);

/** Cells of recurrent networks, which layers compute and whose cases `rnnOracle` tests run. */
const CELLS: readonly string[] = ['composite:BasicLSTM', 'composite:BasicRNN', 'composite:GRU'];

/** Ops of the files that are not registered: their cases would not run. */
export function unknownOracleOps(): string[] {
  const ops = new Set(ALL.map(({ op }) => op).filter((op) => !CELLS.includes(op)));
  return [...ops].filter((op) => !Object.hasOwn(OPS, registeredName(op)));
}

/** The cases of the selected registered ops. */
export const ORACLE_CASES: readonly OracleCase[] = ALL.filter(({ op }) => {
  const name = registeredName(op);
  return Object.hasOwn(OPS, name) && (testsEverything || isSelected(name));
}).map(readCase);

function readCase(json: JsonCase): OracleCase {
  const { steps = 0, ...attrs } = json.attrs;
  return {
    name: json.name,
    op: registeredName(json.op),
    attrs: knownAttrs(registeredName(json.op), attrs),
    inputs: json.inputs.map(readValue),
    outputs: json.outputs.map(readValue),
    gradient:
      json.gradient === null
        ? null
        : {
            upstream: json.gradient.upstream.map(readValue),
            inputs: json.gradient.inputs.map((value) => (value === null ? null : readValue(value))),
          },
    tolerance: json.tolerance,
    refs: json.refs ?? [],
    inputNames: json.inputs_named ?? [],
    steps: json.op.startsWith('composite:') ? Number(steps) : 0,
  };
}

/** Optimizer cases name attributes of one signature for all; what an op does not declare has no effect. */
function knownAttrs(op: string, attrs: AttrInputs): AttrInputs {
  if (!op.startsWith('ResourceApply')) return attrs;
  const ops: Readonly<Partial<Record<string, { attrs: readonly { name: string }[] }>>> = OPS;
  const declared = ops[op]?.attrs.map(({ name }) => name) ?? [];
  return Object.fromEntries(Object.entries(attrs).filter(([name]) => declared.includes(name)));
}

function readValue({ dtype, shape, data }: JsonValue): HostValue {
  const numbers = Float64Array.from(data, Number);
  return {
    dtype,
    shape,
    data: dtype === 'float32' ? Float64Array.from(Float32Array.from(numbers)) : numbers,
  };
}
