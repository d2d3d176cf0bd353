/** `fr.image`: batches of images. */
export {};
