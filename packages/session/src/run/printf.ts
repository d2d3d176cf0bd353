/** Floating-point numbers as C's `printf` writes them with `%f`, `%e` and `%g`: rounded from the exact value, ties to even. */

/** What stands between `%` and the letter. */
export interface PrintFormat {
  readonly notation: 'f' | 'e' | 'g';
  /** Digits after the point (`f`, `e`), significant ones (`g`); default 6. */
  readonly precision?: number | undefined;
  readonly width?: number | undefined;
  readonly fill?: string | undefined;
}

const DEFAULT_PRECISION = 6;
/** As many digits as JavaScript gives at once; a tie of a double is seen long before. */
const MOST_DIGITS = 100;

export function printFloat(
  value: number,
  { notation, precision, width = 0, fill = '' }: PrintFormat,
): string {
  const sign = signOf(value < 0 || Object.is(value, -0), fill);
  if (!Number.isFinite(value))
    return padded(sign, Number.isNaN(value) ? 'nan' : 'inf', width, fill === '0' ? '' : fill);
  const digits = precision ?? DEFAULT_PRECISION;
  return padded(sign, WRITERS[notation](Math.abs(value), digits, fill === '#'), width, fill);
}

/** What stands before a number. */
export function signOf(negative: boolean, fill: string): string {
  if (negative) return '-';
  return fill === '+' || fill === ' ' ? fill : '';
}

/** A number brought to its least length. */
export function padded(sign: string, text: string, width: number, fill: string): string {
  if (fill === '-') return (sign + text).padEnd(width);
  if (fill === '0') return sign + text.padStart(width - sign.length, '0');
  return (sign + text).padStart(width);
}

type Writer = (value: number, precision: number, keepsPoint: boolean) => string;

const fixed: Writer = (value, precision, keepsPoint) => {
  // Numbers from 2^53 on are whole.
  const whole = value >= 2 ** 53;
  const text = whole ? withZeros(BigInt(value).toString(), precision) : roundedFixed(value, precision);
  return keepsPoint && precision === 0 ? `${text}.` : text;
};

const scientific: Writer = (value, precision, keepsPoint) => {
  const [digits = '', exponent = ''] = roundedExponential(value, precision).split('e');
  const point = keepsPoint && precision === 0 ? '.' : '';
  return `${digits}${point}e${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, '0')}`;
};

/** The shorter of the two, without zeros at the end unless `#` wants them. */
const general: Writer = (value, precision, keepsPoint) => {
  const significant = Math.max(1, precision);
  const exponent = Number(roundedExponential(value, significant - 1).split('e')[1]);
  const isScientific = exponent < -4 || exponent >= significant;
  const text = isScientific
    ? scientific(value, significant - 1, keepsPoint)
    : fixed(value, significant - 1 - exponent, keepsPoint);
  return keepsPoint ? text : text.replace(/(\.\d*?)0+(?=e|$)/, '$1').replace(/\.(?=e|$)/, '');
};

const WRITERS: Readonly<Record<PrintFormat['notation'], Writer>> = {
  f: fixed,
  e: scientific,
  g: general,
};

function withZeros(whole: string, count: number): string {
  return count === 0 ? whole : `${whole}.${'0'.repeat(count)}`;
}

/** `toFixed`, which rounds ties up, with ties to even. */
function roundedFixed(value: number, precision: number): string {
  if (precision >= MOST_DIGITS) return value.toFixed(MOST_DIGITS) + '0'.repeat(precision - MOST_DIGITS);
  const exact = value.toFixed(MOST_DIGITS);
  const kept = exact.slice(0, exact.length - MOST_DIGITS + precision).replace(/\.$/, '');
  return isTie(exact.slice(exact.length - MOST_DIGITS + precision)) && endsEven(kept)
    ? kept
    : value.toFixed(precision);
}

/** `toExponential` with ties to even. */
function roundedExponential(value: number, precision: number): string {
  if (precision >= MOST_DIGITS) {
    const [digits = '', exponent = ''] = value.toExponential(MOST_DIGITS).split('e');
    return `${digits}${'0'.repeat(precision - MOST_DIGITS)}e${exponent}`;
  }
  const [exact = '', exponent = ''] = value.toExponential(MOST_DIGITS).split('e');
  const kept = exact.slice(0, exact.length - MOST_DIGITS + precision).replace(/\.$/, '');
  return isTie(exact.slice(exact.length - MOST_DIGITS + precision)) && endsEven(kept)
    ? `${kept}e${exponent}`
    : value.toExponential(precision);
}

function isTie(rest: string): boolean {
  return /^50*$/.test(rest);
}

function endsEven(digits: string): boolean {
  return /[02468]$/.test(digits);
}
