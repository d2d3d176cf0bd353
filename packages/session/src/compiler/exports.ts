/** What leaves a program: its fetches, and what deferred operations and later parts of the run need of it. */
import { InternalError, type Tensor } from '@forerun/graph';
import type { IrValue } from './ir.js';
import type { References } from './references.js';
import { FedList, ListValue, type Export, type Value } from './values.js';

/** Gathers exports; values that stay on the device become fetches of the program. */
export class Exports {
  readonly fetches: IrValue[] = [];
  readonly places = new Map<Tensor, Export>();

  constructor(
    private readonly values: ReadonlyMap<Tensor, Value>,
    private readonly references: References,
  ) {}

  add(tensor: Tensor): void {
    this.places.set(tensor, this.placeOf(tensor));
  }

  private placeOf(tensor: Tensor): Export {
    const variable = this.references.get(tensor)?.handle.variable ?? null;
    if (variable !== null) return { kind: 'variable', variable };
    const value = this.values.get(tensor);
    if (value === undefined) throw new InternalError(`${tensor.name} is used before it is made`);
    return this.exported(value);
  }

  private exported(value: Value): Export {
    if (value instanceof FedList) return { kind: 'fed', tensor: value.tensor };
    if (value instanceof ListValue) {
      const elements = value.elements.map((element) => (element === null ? null : this.exported(element)));
      return { kind: 'list', elements, element: value.element };
    }
    if (value.variable !== null) return { kind: 'variable', variable: value.variable };
    return { kind: 'value', index: this.fetches.push(value) - 1 };
  }
}
