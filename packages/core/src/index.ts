// The public API of @credmon/core: names only.
export * from './base/index.ts';
export { originText } from './config/config.ts';
export type { Config, ConfigWarning, Origin } from './config/config.ts';
