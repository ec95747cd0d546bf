// Scope templates in Python's format syntax: `{username}` is filled in, `{{` and `}}` are
// braces, anything else is refused when read.
import type { Parsed } from '@credmon/core/credential';

/** A template taken apart: text, and the names of fields. */
export type Template = readonly ({ readonly text: string } | { readonly field: string })[];

/**
 * Reads a template that may use the field `field` only. Conversions, format
 * specifications, attributes and positions of Python's syntax are refused: none of them
 * makes sense in a scope.
 * @see https://docs.python.org/3/library/string.html#format-string-syntax
 */
export function parseTemplate(source: string, field: string): Parsed<Template> {
  const parts: Exclude<Template[number], undefined>[] = [];
  let at = 0;
  for (const match of source.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g)) {
    if (match.index > at) parts.push({ text: source.slice(at, match.index) });
    at = match.index + match[0].length;
    if (match[0] === '{{' || match[0] === '}}') parts.push({ text: match[0].charAt(0) });
    else if (match[1] === field) parts.push({ field });
    else return refuse(match[0], match[1], field);
  }
  if (at < source.length) parts.push({ text: source.slice(at) });
  return { ok: true, value: parts };
}

function refuse(found: string, name: string | undefined, field: string): Parsed<Template> {
  return name === undefined
    ? {
        ok: false,
        reason: `has a single ${found}; write ${found}${found} for the character itself`,
      }
    : { ok: false, reason: `uses ${found}; only {${field}} is known here` };
}

/** The text of a template with `value` in its field. */
export function fillTemplate(template: Template, value: string): string {
  return template.map((part) => ('text' in part ? part.text : value)).join('');
}
