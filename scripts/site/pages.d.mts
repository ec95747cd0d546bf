// The types of pages.mjs, for its test.

/** Returns the path in the site for each Markdown file of the repository. */
export function sitePages(root: string): Record<string, string>;

/** Returns the text of a page with its links changed for the site. */
export function withSiteLinks(
  text: string,
  source: string,
  pages: Readonly<Record<string, string>>,
  facts: {
    readonly repository: string;
    readonly exists: (path: string) => boolean;
    readonly isDirectory: (path: string) => boolean;
  },
): string;

/** Returns the text with the numbers removed from links to sections that need none. */
export function withoutCounters(text: string, targetOf: (path: string) => string): string;

/** Returns a line about the tests of a page's commands. */
export function commandNote(
  marks: Readonly<Record<string, string>> | undefined,
  repository: string,
): string;
