/** Samples of patches: steps wider and narrower than windows, gaps within them, both paddings. */
import type { AttrInputs } from '@forerun/graph';
import type { FamilySamples } from '../sample.js';
import { bytes, numbers } from './imageInputs.js';

function image(k: [number, number], s: [number, number], r: [number, number], padding: string): AttrInputs {
  return { ksizes: [1, ...k, 1], strides: [1, ...s, 1], rates: [1, ...r, 1], padding };
}

function volume(k: [number, number, number], s: [number, number, number], padding: string): AttrInputs {
  return { ksizes: [1, ...k, 1], strides: [1, ...s, 1], padding };
}

const PLAIN = image([2, 2], [1, 1], [1, 1], 'VALID');
const CUBE = volume([2, 2, 2], [1, 1, 1], 'VALID');

export const IMAGE_PATCHES_SAMPLES = {
  ExtractImagePatches: {
    samples: [
      { name: '3x3 SAME', inputs: [numbers([2, 4, 5, 3])], attrs: image([3, 3], [1, 1], [1, 1], 'SAME') },
      {
        name: '2x3 in steps',
        inputs: [numbers([1, 7, 6, 4])],
        attrs: image([2, 3], [2, 1], [1, 1], 'VALID'),
      },
      { name: 'with gaps', inputs: [numbers([1, 6, 7, 2])], attrs: image([2, 3], [1, 2], [2, 2], 'SAME') },
      { name: 'gaps, VALID', inputs: [numbers([1, 6, 7, 1])], attrs: image([2, 2], [3, 2], [3, 2], 'VALID') },
      { name: 'apart', inputs: [numbers([1, 7, 7, 1])], attrs: image([2, 2], [4, 4], [1, 1], 'VALID') },
      { name: 'one pixel', inputs: [numbers([1, 1, 1, 1])], attrs: image([3, 3], [2, 2], [1, 1], 'SAME') },
      { name: 'empty batch', inputs: [numbers([0, 4, 4, 2])], attrs: PLAIN },
      { name: 'of int32', inputs: [bytes([1, 3, 3, 2], 'int32')], attrs: PLAIN },
      { name: 'of uint8', inputs: [bytes([1, 3, 3, 4], 'uint8')], attrs: PLAIN },
    ],
    shapes: [
      { inputs: '[?,5,6,3]', outputs: '[?,4,5,12]', attrs: PLAIN },
      { inputs: '[2,?,6,?]', outputs: '[2,?,5,?]', attrs: PLAIN },
      { inputs: '?', outputs: '[?,?,?,?]', attrs: PLAIN },
    ],
    errors: [
      { inputs: '[4,4,3]', attrs: PLAIN, message: /images must have rank 4, got shape \[4,4,3\]/ },
      {
        inputs: '[1,4,4,3]',
        attrs: { ...PLAIN, ksizes: [1, 2, 2, 2] },
        message: /ksizes must be 4 positive numbers, 1 for batch and channels, got \[1,2,2,2\]/,
      },
      { inputs: '[1,4,4,3]', attrs: { ...PLAIN, rates: [1, 0, 1, 1] }, message: /rates must be 4 positive/ },
      { inputs: '[1,4,4,3]', attrs: { ...PLAIN, strides: [1, 1, 1] }, message: /strides/ },
      {
        inputs: '[1,2,8,3]',
        attrs: image([3, 3], [1, 1], [3, 1], 'VALID'),
        message: /a patch of size 3 does not fit dimension 1 of shape \[1,2,8,3\]/,
      },
    ],
  },
  ExtractVolumePatches: {
    samples: [
      { name: 'SAME', inputs: [numbers([1, 3, 4, 5, 2])], attrs: volume([2, 3, 2], [1, 2, 2], 'SAME') },
      { name: 'VALID', inputs: [numbers([2, 4, 3, 3, 4])], attrs: volume([3, 2, 2], [1, 1, 1], 'VALID') },
      {
        name: 'layers only',
        inputs: [numbers([1, 5, 2, 2, 1])],
        attrs: volume([2, 1, 1], [2, 1, 1], 'VALID'),
      },
      { name: 'of int32', inputs: [bytes([1, 2, 2, 3, 1], 'int32')], attrs: CUBE },
    ],
    shapes: [
      { inputs: '[?,5,6,4,3]', outputs: '[?,4,5,3,24]', attrs: CUBE },
      { inputs: '?', outputs: '[?,?,?,?,?]', attrs: CUBE },
    ],
    errors: [
      { inputs: '[1,4,4,3]', attrs: CUBE, message: /input must have rank 5, got shape \[1,4,4,3\]/ },
      {
        inputs: '[1,4,4,4,3]',
        attrs: { ...CUBE, strides: [2, 1, 1, 1, 1] },
        message: /strides must be 5 positive numbers, 1 for batch and channels, got \[2,1,1,1,1\]/,
      },
    ],
  },
} satisfies FamilySamples;
