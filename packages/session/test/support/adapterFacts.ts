/** The facts of an adapter, for tests of compiler stages without a device. */
import type { AdapterFacts } from '@forerun/kernels-webgpu';

/** Mesa's lavapipe, with fewer bindings. */
export const FACTS: AdapterFacts = {
  subgroupSize: 8,
  software: true,
  shaderF16: false,
  maxBindings: 8,
  maxBindingBytes: 2 ** 27,
  maxWorkgroups: 65535,
  maxInvocations: 256,
};
