// The public API of @credmon/scitokens: names only.
export type { ErrorCode } from '@credmon/core/base';
