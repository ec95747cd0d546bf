// Every failure as a page: which status, what happened, what to do next.
import { isCoded, messageOf } from '@credmon/core/base';
import errorPages from './error-pages.json' with { type: 'json' };

/**
 * One row of error-pages.json. `detail`: the error's own message may be shown, because it
 * is written for the user's eyes.
 */
export interface ErrorPage {
  readonly status: number;
  readonly title: string;
  readonly happened: string;
  readonly next: string;
  readonly detail?: boolean;
}

/**
 * The name of a row: a code of the catalogue, or a condition that only the web server
 * knows.
 */
export type ErrorPageName = keyof typeof errorPages;

const PAGES: Readonly<Record<ErrorPageName, ErrorPage>> = errorPages;

/** An error that names its own page. */
class PageError extends Error {
  readonly page: ErrorPageName;

  constructor(page: ErrorPageName) {
    super(PAGES[page].happened);
    this.name = 'PageError';
    this.page = page;
  }
}

/** Makes an error that is shown as the page of this name. */
export function pageError(page: ErrorPageName): Error {
  return new PageError(page);
}

/** The page for anything that was thrown: its name, the row, and the detail to show. */
export function pageFor(error: unknown): { name: ErrorPageName; page: ErrorPage; detail?: string } {
  const name = pageName(error);
  const page = PAGES[name];
  return isCoded(error) && page.detail === true
    ? { name, page, detail: messageOf(error) }
    : { name, page };
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
