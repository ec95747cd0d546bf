// Sends a rendered page with the data that all pages show; and the page of each error:
// HTTP status, what happened, and what to do next.
import errorPages from './error-pages.json' with { type: 'json' };
import type { PortalContext } from '../flow/context.ts';
import type { Settings } from '../settings/settings.ts';
import { isCoded, messageOf } from '@credmon/core/base';
import type { FastifyReply } from 'fastify';

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

/** The templates in views/. */
export type PageName = 'home' | 'login' | 'redirect' | 'confirm' | 'declined' | 'switch' | 'error';

const HTML = 'text/html; charset=utf-8';

/** Renders `page` with `data` and sends it. */
export function sendPage(
  { settings, ports }: PortalContext,
  reply: FastifyReply,
  page: PageName,
  status: number,
  data: Readonly<Record<string, unknown>>,
): FastifyReply {
  const { mount, host, contact } = settings;
  return reply
    .code(status)
    .header('content-type', HTML)
    .send(ports.views.render(page, { mount, host, contact, ...data }));
}

/** How many pages of users are remembered: some KiB each. */
const MOST_REMEMBERED = 200;

/**
 * Returns a function that sends `page`, rendered once for the same data: only the CSRF token
 * differs. `place` is where the token goes: a text that nobody can guess, so that no data
 * contains it.
 */
export function rememberPages(
  context: PortalContext,
  page: PageName,
  place: string,
): (reply: FastifyReply, data: Readonly<Record<string, unknown>>, csrf: string) => FastifyReply {
  const known = new Map<string, readonly string[]>();
  return (reply, data, csrf) => {
    const key = JSON.stringify(data);
    let parts = known.get(key);
    if (!parts) {
      if (known.size >= MOST_REMEMBERED) known.clear();
      parts = prepare(context, page, { ...data, csrf: place }, place);
      known.set(key, parts);
    }
    return reply.code(200).header('content-type', HTML).send(parts.join(csrf));
  };
}

/** In a prepared page, the place of the reference; no text of ours contains it. */
const REFERENCE = '@reference@';
/** The texts around the reference, by key. A reload has new settings. */
const texts = new WeakMap<Settings, Map<string, readonly string[]>>();

/** A page that does not depend on the user or the request. */
export interface PreparedPage {
  readonly page: PageName;
  readonly status: number;
  /** Pages with the same key have the same data; there are few keys. */
  readonly key: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Sends a page that is rendered once for its key: only `reference` differs. */
export function sendPrepared(
  context: PortalContext,
  reply: FastifyReply,
  prepared: PreparedPage,
  reference = '',
): FastifyReply {
  const text = preparedText(context, prepared, reference);
  return reply.code(prepared.status).header('content-type', HTML).send(text);
}

/**
 * Sends a prepared page like {@link sendPrepared}, past Fastify: its headers and hooks would
 * cost more than all else. Only hooks for `onResponse` run.
 * @param headers names and values in turn; type and length are added to them
 */
export function sendBare(
  context: PortalContext,
  reply: FastifyReply,
  prepared: PreparedPage,
  headers: string[],
  reference: string,
): FastifyReply {
  const text = preparedText(context, prepared, reference);
  headers.push('content-type', HTML, 'content-length', String(text.length));
  reply.hijack();
  reply.raw.writeHead(prepared.status, headers).end(text, 'latin1');
  return reply;
}

/**
 * Sends a redirect (303) without Fastify's hooks, as {@link sendBare} sends a page.
 * @param headers names and values in turn; location and length are added to them
 */
export function sendBareRedirect(reply: FastifyReply, location: string, headers: string[]): void {
  headers.push('location', location, 'content-length', '0');
  reply.hijack();
  reply.raw.writeHead(303, headers).end();
}

function preparedText(
  context: PortalContext,
  { page, key, data }: PreparedPage,
  reference: string,
): string {
  const { settings } = context;
  let pages = texts.get(settings);
  if (!pages) texts.set(settings, (pages = new Map()));
  let parts = pages.get(key);
  if (!parts) {
    parts = prepare(context, page, { ...data, reference: REFERENCE }, REFERENCE);
    pages.set(key, parts);
  }
  // A text that is joined is copied, and again when it is sent.
  return parts.reduce((text, part) => text + reference + part);
}

/**
 * Renders a page and splits it at `place`. Characters beyond ASCII become references: a byte
 * each is sent in less time.
 */
function prepare(
  { settings, ports }: PortalContext,
  page: PageName,
  data: PreparedPage['data'],
  place: string,
): readonly string[] {
  const { mount, host, contact } = settings;
  return ports.views
    .render(page, { mount, host, contact, ...data })
    .replace(/[^\0-\x7f]/gu, (character) => `&#${character.codePointAt(0)};`)
    .split(place);
}
