/** Signatures of all registered ops as text, for the golden file that keeps old graph files readable. */
import { OPS, type ArgSpec, type AttrSpec, type OpDef } from '@forerun/graph';

/** One op's signature: lines in the notation of op declarations. */
export interface Signature {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attrs: readonly string[];
}

export type Signatures = Readonly<Record<string, Signature>>;

/** The signatures of the registry, sorted by op type. */
export function registrySignatures(): Signatures {
  const entries = Object.entries<OpDef>(OPS).map(([type, def]) => [type, signatureOf(def)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function signatureOf(def: OpDef): Signature {
  return {
    inputs: def.inputs.map(formatArg),
    outputs: def.outputs.map(formatArg),
    attrs: def.attrs.map(formatAttr),
  };
}

function formatArg({ name, dtype, typeAttr, numberAttr, typeListAttr, isRef }: ArgSpec): string {
  const type = dtype ?? typeAttr ?? typeListAttr ?? '';
  const repeated = numberAttr === undefined ? '' : `${numberAttr} * `;
  return `${name}: ${repeated}${isRef ? `Ref(${type})` : type}`;
}

function formatAttr({ name, kind, allowed, minimum, default: value }: AttrSpec): string {
  const choices = allowed === undefined ? '' : ` in {${allowed.join(', ')}}`;
  const least = minimum === undefined ? '' : ` >= ${minimum}`;
  const fallback = value === undefined ? '' : ` = ${JSON.stringify(value.value)}`;
  return `${name}: ${kind}${choices}${least}${fallback}`;
}

/**
 * What makes graph files of the older signatures unreadable: a missing op, a changed argument, a
 * changed attribute, a new attribute without default. Wider type lists are additions.
 */
export function incompatibilities(older: Signatures, newer: Signatures): string[] {
  return Object.entries(older).flatMap(([type, before]) => {
    const after = newer[type];
    if (after === undefined) return [`op ${type} is gone`];
    const problems: string[] = [];
    for (const part of ['inputs', 'outputs'] as const) {
      if (before[part].join(', ') !== after[part].join(', ')) {
        problems.push(`${type}: ${part} were (${before[part].join(', ')}), are (${after[part].join(', ')})`);
      }
    }
    for (const attr of before.attrs) {
      const now = after.attrs.find((other) => nameOf(other) === nameOf(attr));
      if (now === undefined || !accepts(attr, now))
        problems.push(`${type}: attribute "${attr}" became "${now ?? ''}"`);
    }
    for (const attr of after.attrs) {
      const isNew = !before.attrs.some((other) => nameOf(other) === nameOf(attr));
      if (isNew && !attr.includes(' = ')) problems.push(`${type}: new attribute "${attr}" has no default`);
    }
    return problems;
  });
}

function nameOf(attr: string): string {
  return attr.slice(0, attr.indexOf(':'));
}

const CHOICES = / in \{([^}]*)\}/;

/** Equal but for choices that were added. */
function accepts(before: string, after: string): boolean {
  if (before.replace(CHOICES, '') !== after.replace(CHOICES, '')) return false;
  const now = CHOICES.exec(after)?.[1]?.split(', ');
  const old = CHOICES.exec(before)?.[1]?.split(', ');
  if (now === undefined || old === undefined) return now === old;
  return old.every((choice) => now.includes(choice));
}
