// Finds the forms of an HTML page. Supports only the pages of the project and its
// fixtures.

/** A button that submits its form. If it has a name, `name` and `value` are sent too. */
export interface FormButton {
  readonly name?: string;
  readonly value?: string;
  readonly text: string;
}

/** A form with an absolute `action`; `fields` are the initial values of its inputs. */
export interface Form {
  readonly method: 'GET' | 'POST';
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly buttons: readonly FormButton[];
}

/** Returns the forms of `html`, a page with the URL `base`. */
export function readForms(html: string, base: string): Form[] {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(
    ([, head = '', inside = '']) => {
      const form = attributesOf(head);
      const inputs = [...inside.matchAll(/<input\b([^>]*?)\/?>/gi)].map(([, text = '']) =>
        attributesOf(text),
      );
      return {
        method: form['method']?.toUpperCase() === 'POST' ? 'POST' : 'GET',
        action: new URL(form['action'] ?? base, base).href,
        fields: Object.fromEntries(
          inputs.flatMap(({ name, value, type }) =>
            name === undefined || type === 'submit' ? [] : [[name, value ?? '']],
          ),
        ),
        buttons: [
          ...[...inside.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/gi)].map(
            ([, head = '', text = '']) => button(attributesOf(head), text),
          ),
          ...inputs
            .filter(({ type }) => type === 'submit')
            .map((input) => button(input, input['value'] ?? '')),
        ],
      };
    },
  );
}

/** Returns the visible text of a page: without tags, and with single spaces. */
export function visibleText(html: string): string {
  const body = html.replace(/<(script|style|head)\b[\s\S]*?<\/\1>/gi, ' ').replace(/<[^>]*>/g, ' ');
  return decode(body).replace(/\s+/g, ' ').trim();
}

function button({ name, value }: Record<string, string>, text: string): FormButton {
  return {
    ...(name === undefined ? {} : { name }),
    ...(value === undefined ? {} : { value }),
    text: visibleText(text),
  };
}

function attributesOf(tag: string): Record<string, string> {
  const pairs = tag.matchAll(/([a-z][\w-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/gi);
  return Object.fromEntries(
    [...pairs].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      decode(double ?? single ?? bare ?? ''),
    ]),
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

function decode(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
      return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
    },
  );
}
