// Maps each error to a page: HTTP status, what happened, and what to do next.
import { isCoded, messageOf } from '@credmon/core/base';
import type { PreparedPage } from './send-page.ts';
import errorPages from './error-pages.json' with { type: 'json' };

/**
 * One entry of error-pages.json. `detail`: the page also shows the message of the error,
 * because it is written for users.
 */
export interface ErrorPage {
  readonly status: number;
  readonly title: string;
  readonly happened: string;
  readonly next: string;
  readonly detail?: boolean;
}

/** The name of an entry: an error code, or a condition that only the portal has. */
export type ErrorPageName = keyof typeof errorPages;

const PAGES: Readonly<Record<ErrorPageName, ErrorPage>> = errorPages;

class PageError extends Error {
  readonly page: ErrorPageName;

  constructor(page: ErrorPageName, forLog?: string) {
    super(forLog ?? PAGES[page].happened);
    this.name = 'PageError';
    this.page = page;
  }
}

/**
 * Creates an error that is shown as the page of this name. Its message is `forLog`, or what
 * the page says; it must not contain a secret.
 */
export function pageError(page: ErrorPageName, forLog?: string): Error {
  return new PageError(page, forLog);
}

/** Returns whether the error is from {@link pageError}: its message can be logged. */
export function isPageError(error: unknown): error is Error {
  return error instanceof PageError;
}

/** Returns the page for any thrown value: its name, the entry, and the detail to show. */
export function pageFor(error: unknown): { name: ErrorPageName; page: ErrorPage; detail?: string } {
  const name = pageName(error);
  const page = PAGES[name];
  return isCoded(error) && page.detail === true
    ? { name, page, detail: messageOf(error) }
    : { name, page };
}

const prepared = new Map<string, PreparedPage>();

/** Returns the page of an error that shows no detail; `hasList`: it links to the list. */
export function preparedError(name: ErrorPageName, hasList: boolean): PreparedPage {
  const key = hasList ? `${name} list` : name;
  const known = prepared.get(key);
  if (known) return known;
  const page = PAGES[name];
  const made: PreparedPage = {
    page: 'error',
    status: page.status,
    key,
    data: { ...page, name, hasList },
  };
  prepared.set(key, made);
  return made;
}

function pageName(error: unknown): ErrorPageName {
  if (error instanceof PageError) return error.page;
  if (isCoded(error)) return isPageName(error.code) ? error.code : 'unexpected';
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  if (typeof code === 'string' && code.startsWith('FST_CSRF_')) return 'form-expired';
  if (statusCode === 404) return 'no-such-page';
  if (statusCode === 429) return 'too-many-requests';
  if (statusCode === 503) return 'busy';
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
    ? 'bad-request'
    : 'unexpected';
}

function isPageName(name: string): name is ErrorPageName {
  return Object.hasOwn(PAGES, name);
}
