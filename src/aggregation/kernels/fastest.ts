/** Which kernels this machine uses. */
import { javascriptKernels } from './javascript.ts';
import type { Kernels } from './kernels.ts';
import { webassemblyKernels } from './webassembly.ts';

/** WebAssembly SIMD where it instantiates, else its JavaScript twin. */
export const kernels: Kernels = webassemblyKernels() ?? javascriptKernels;
