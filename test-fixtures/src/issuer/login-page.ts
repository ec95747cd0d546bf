// The login page of the issuer: one form, one POST, no script; logs in and consents, or
// cancels.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';

/** Handles requests below `/interaction/`. */
export async function loginPage(
  provider: Provider,
  { name, account }: { name: string; account: string },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    if (request.method !== 'POST') {
      const { params } = await provider.interactionDetails(request, response);
      return page(response, 200, form(name, account, textOf(params['scope'])));
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const fields = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
    if (fields.get('do') === 'login')
      await finish(provider, fields.get('account') ?? account, request, response);
    else
      await provider.interactionFinished(request, response, {
        error: 'access_denied',
        error_description: 'the user cancelled the login',
      });
  } catch (error) {
    page(response, 400, `<h1>No login here</h1><p>${escape(String(error))}</p>`);
  }
}

/** Login and consent in one step: grants everything that was requested. */
async function finish(
  provider: Provider,
  accountId: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId, clientId: textOf(params['client_id']) });
  const scope = textOf(params['scope']);
  grant.addOIDCScope(scope);
  const asked = params['resource'] ?? `${provider.issuer}/api`;
  for (const resource of Array.isArray(asked) ? asked : [asked])
    grant.addResourceScope(textOf(resource), scope);
  await provider.interactionFinished(request, response, {
    login: { accountId },
    consent: { grantId: await grant.save() },
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function form(name: string, account: string, scope: string): string {
  return `<h1>Log in at ${escape(name)}</h1>
<p>Asked for: ${escape(scope === '' ? 'nothing in particular' : scope)}</p>
<form method="post">
<p><label>Account <input name="account" value="${escape(account)}"></label></p>
<p><button name="do" value="login">Log in</button> <button name="do" value="cancel">Cancel</button></p>
</form>`;
}

function page(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
  });
  response.end(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Log in</title></head><body><main>${body}</main></body></html>`,
  );
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
