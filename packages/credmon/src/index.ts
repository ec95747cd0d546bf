// The public API of @credmon/credmon: names only.
export type { ErrorCode } from '@credmon/core/base';
