// Scopes from a template with the user's name in it, as the knobs AUTHZ_TEMPLATE write
// them.

/**
 * The template with `{username}` filled in; `{{` and `}}` stand for braces.
 * @see https://htcondor.readthedocs.io/en/latest/admin-manual/file-and-cred-transfer.html
 */
export function scopesFor(template: string, username: string): string {
  return template.replaceAll(/\{\{|\}\}|\{username\}/g, (found) =>
    found === '{username}' ? username : found.slice(1),
  );
}

/**
 * What is wrong with a template, as the end of a sentence; `undefined` when nothing is.
 */
export function templateProblem(template: string): string | undefined {
  const odd = /\{[^{}]*\}|[{}]/.exec(template.replaceAll(/\{\{|\}\}|\{username\}/g, ''))?.[0];
  return odd === undefined
    ? undefined
    : `holds ${JSON.stringify(odd)}; {username} is the only field, {{ and }} are braces`;
}
