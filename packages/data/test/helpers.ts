// What the tests of datasets have in common.
import { dataValue, type Dataset, type DataValue } from '@forerun/data';

/** int32 value [n] of 0 ... n - 1. */
export function iota(n: number): DataValue<'int32'> {
  return dataValue(
    Int32Array.from({ length: n }, (_, i) => i),
    'int32',
  );
}

/** The numbers of a dataset of int32 values, element by element. */
export async function numbersOf(dataset: Dataset<DataValue>, epoch?: number): Promise<number[][]> {
  const elements = await dataset.toArray(epoch === undefined ? {} : { epoch });
  return elements.map((element) => Array.from(element.data, Number));
}

/** The same, flat. */
export async function flatOf(dataset: Dataset<DataValue>, epoch?: number): Promise<number[]> {
  return (await numbersOf(dataset, epoch)).flat();
}

/** Numbers 0 ... n - 1. */
export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
