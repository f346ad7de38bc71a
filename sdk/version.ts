/** Of the package, as its package.json says too. */
export const version = '0.1.0';
