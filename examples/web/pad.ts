/** Where a digit is drawn, and how it becomes an image like MNIST's: 20 pixels high or wide, its mass in the middle of 28. */

/** Width of an MNIST image, and of the box that its digit fills. */
const SIZE = 28;
const BOX = 20;
const STROKE = 18;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

export class Pad {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;

  /** `onStroke` is called after every move of the pen. */
  constructor(canvas: HTMLCanvasElement, onStroke: () => void) {
    this.#canvas = canvas;
    this.#context = contextOf(canvas);
    this.clear();
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.begin(event);
      onStroke();
    });
    canvas.addEventListener('pointermove', (event) => {
      if (event.buttons === 0) return;
      this.extend(event);
      onStroke();
    });
  }

  clear(): void {
    const { width, height } = this.#canvas;
    this.#context.fillStyle = 'black';
    this.#context.fillRect(0, 0, width, height);
  }

  /** The drawing as 28 x 28 values from 0 to 1; `null` when nothing is drawn. */
  pixels(): Float32Array | null {
    const box = this.bounds();
    if (box === null) return null;
    const scaled = contextOf(new OffscreenCanvas(SIZE, SIZE));
    const margin = (SIZE - BOX) / 2;
    scaled.imageSmoothingQuality = 'high';
    scaled.drawImage(this.#canvas, box.x, box.y, box.size, box.size, margin, margin, BOX, BOX);
    return centred(scaled.getImageData(0, 0, SIZE, SIZE).data);
  }

  private begin(event: PointerEvent): void {
    const [x, y] = this.place(event);
    const context = this.#context;
    Object.assign(context, { strokeStyle: 'white', lineWidth: STROKE, lineCap: 'round', lineJoin: 'round' });
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x, y);
    context.stroke();
  }

  private extend(event: PointerEvent): void {
    const [x, y] = this.place(event);
    this.#context.lineTo(x, y);
    this.#context.stroke();
  }

  private place({ offsetX, offsetY }: PointerEvent): [number, number] {
    const { width, height, clientWidth, clientHeight } = this.#canvas;
    return [(offsetX * width) / clientWidth, (offsetY * height) / clientHeight];
  }

  /** The smallest square around what is drawn. */
  private bounds(): Box | null {
    const { width, height } = this.#canvas;
    const { data } = this.#context.getImageData(0, 0, width, height);
    let [left, right, top, bottom] = [width, -1, height, -1];
    for (let i = 0; i < width * height; i++) {
      if ((data[4 * i] ?? 0) === 0) continue;
      left = Math.min(left, i % width);
      right = Math.max(right, i % width);
      top = Math.min(top, Math.floor(i / width));
      bottom = Math.floor(i / width);
    }
    if (right < 0) return null;
    const size = Math.max(right - left, bottom - top) + 1;
    return { x: (left + right + 1 - size) / 2, y: (top + bottom + 1 - size) / 2, size };
  }
}

/** Red of RGBA pixels as 0 to 1, moved by whole pixels so that the centre of mass is in the middle. */
function centred(rgba: Uint8ClampedArray): Float32Array {
  let [mass, x, y] = [0, 0, 0];
  for (let i = 0; i < SIZE * SIZE; i++) {
    const value = rgba[4 * i] ?? 0;
    mass += value;
    x += value * (i % SIZE);
    y += value * Math.floor(i / SIZE);
  }
  const middle = (SIZE - 1) / 2;
  const [right, down] = mass === 0 ? [0, 0] : [Math.round(middle - x / mass), Math.round(middle - y / mass)];
  const pixels = new Float32Array(SIZE * SIZE);
  for (let i = 0; i < SIZE * SIZE; i++) {
    const column = (i % SIZE) - right;
    const row = Math.floor(i / SIZE) - down;
    if (column < 0 || column >= SIZE || row < 0 || row >= SIZE) continue;
    pixels[i] = (rgba[4 * (row * SIZE + column)] ?? 0) / 255;
  }
  return pixels;
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D;
function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D;
function contextOf(canvas: HTMLCanvasElement | OffscreenCanvas) {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('this browser draws on no canvas');
  return context;
}
