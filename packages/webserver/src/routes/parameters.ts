// The parameters of requests, checked against a schema.
import type { ZodType } from 'zod';
import { pageError } from '../pages/page-error.ts';

/**
 * Parses a value with a schema.
 * @throws an error that is shown as the page `bad-request`
 */
export function read<T>(schema: ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw pageError('bad-request');
}
