// Finds the forms of an HTML page: just enough for pages that the project and its
// fixtures render themselves.

/**
 * A button that submits its form. `name` and `value` are sent with it when it has a name.
 */
export interface FormButton {
  readonly name?: string;
  readonly value?: string;
  readonly text: string;
}

/** A form with absolute `action`; `fields` are the values that its inputs start with. */
export interface Form {
  readonly method: 'GET' | 'POST';
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly buttons: readonly FormButton[];
}

/** Reads every form of `html`, a page at address `base`. */
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

/** The text of a page without its tags, blanks collapsed: what a reader sees. */
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
