/** The network with its session: training steps, answers, and its files. */
import * as fr from 'forerun';
import { buildModel, type Model } from './model.js';

const BATCH = 64;
/** Test images that the accuracy is measured on while training. */
const SAMPLE = 500;
const STEPS_BETWEEN_TESTS = 20;

type Mnist = Awaited<ReturnType<typeof fr.data.loadMnist>>;

/** One training step. */
export interface Step {
  readonly step: number;
  readonly loss: number;
  /** On test images, in percent; `null` in steps that do not measure it. */
  readonly accuracy: number | null;
}

export class Digits {
  #step = 0;
  #batches: AsyncIterator<Mnist['train']> | null = null;

  private constructor(
    private readonly model: Model,
    private readonly sess: fr.Session,
    private readonly mnist: Mnist,
  ) {}

  /** Loads the images from `folder` and opens a session. */
  static async open(folder: string): Promise<Digits> {
    const readFile = async (name: string): Promise<Uint8Array<ArrayBuffer>> => {
      const response = await fetch(`${folder}/${name}`);
      if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
      return new Uint8Array(await response.arrayBuffer());
    };
    const model = buildModel();
    const sess = await fr.Session.create({ graph: model.graph });
    const digits = new Digits(model, sess, await fr.data.loadMnist({ readFile }));
    await digits.reset();
    return digits;
  }

  get adapter(): string {
    return this.sess.adapterName;
  }

  /** Starts over with new weights. */
  async reset(): Promise<void> {
    await this.sess.run(this.model.init);
    this.#step = 0;
    this.#batches = null;
  }

  async train(): Promise<Step> {
    const { loss, train } = this.model;
    // A batch has the placeholders' names: images and labels.
    const result = await this.sess.run({ loss, train }, await this.nextBatch());
    const step = ++this.#step;
    const accuracy = step % STEPS_BETWEEN_TESTS === 0 ? await this.test() : null;
    return { step, loss: result.loss.item(), accuracy };
  }

  /** Probabilities of the ten digits for an image of 28 x 28 values. */
  async classify(pixels: Float32Array): Promise<number[]> {
    const image = new fr.TensorValue('float32', [1, 28, 28, 1], pixels);
    const answer = await this.sess.run(this.model.probabilities, { images: image });
    return Array.from(answer.data as Float32Array);
  }

  /** A GraphDef from `images` to `probabilities`, with the weights as constants. */
  async frozen(): Promise<Uint8Array> {
    const graphDef = await fr.graphUtil.convertVariablesToConstants(this.sess, null, ['probabilities']);
    return fr.io.writeGraphDef(graphDef);
  }

  /** The weights as a safetensors file, under the variables' names. */
  async weights(): Promise<Uint8Array> {
    const names = this.variables.map((variable) => variable.op.name);
    const values = await this.sess.run(this.variables);
    return fr.io.writeSafetensors(values.map((value, i) => [names[i] ?? '', value] as const));
  }

  /** Sets the weights from a safetensors file. Throws, and changes nothing, where it holds others. */
  async load(file: Uint8Array): Promise<void> {
    await fr.train.loadWeights(this.sess, await fr.io.openSafetensors(file), { varList: this.variables });
  }

  private get variables(): readonly fr.Variable[] {
    return this.model.graph.asDefault(() => fr.trainableVariables());
  }

  private async nextBatch() {
    const { train } = this.mnist;
    if (this.#batches === null) {
      const shuffled = fr.data.Dataset.fromTensorSlices(train).shuffle(train.labels.data.length, { seed: 1 });
      this.#batches = shuffled.repeat().batch(BATCH)[Symbol.asyncIterator]();
    }
    const next = await this.#batches.next();
    if (next.done === true) throw new Error('the images of MNIST ended although they repeat');
    return next.value;
  }

  /** The part of the first test images that is told right, in percent. */
  private async test(): Promise<number> {
    const { images, labels } = this.mnist.test;
    const feeds = {
      images: new fr.TensorValue('float32', [SAMPLE, 28, 28, 1], images.data.subarray(0, SAMPLE * 28 * 28)),
      labels: new fr.TensorValue('int32', [SAMPLE], labels.data.subarray(0, SAMPLE)),
    };
    return 100 * (await this.sess.run(this.model.accuracy, feeds)).item();
  }
}
