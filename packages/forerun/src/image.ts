/** `fr.image`: batches of images. */
export { resizeArea, resizeBicubic, resizeBilinear, resizeNearestNeighbor } from '@forerun/graph';
