// The public API of @credmon/webserver: names only.
export type { ErrorCode } from '@credmon/core/base';
