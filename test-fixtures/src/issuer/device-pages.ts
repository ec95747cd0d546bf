// The pages of the issuer for a device login: code form, confirmation and end.
import type { Configuration } from 'oidc-provider';

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

const page = (body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Device login</title></head><body><main>${body}</main></body></html>`;

/** The device flow of oidc-provider with our own pages. */
export const devicePages: DeviceFlow = {
  enabled: true,
  userCodeInputSource: async (context, form, _out, error) => {
    const trouble =
      error === undefined ? '' : '<p>That code is not known, or the login was declined.</p>';
    context.body = page(`<h1>Enter the code</h1>${trouble}${form}`);
  },
  userCodeConfirmSource: async (context, form, _client, _info, userCode) => {
    const button = '<button type="submit" form="op.deviceConfirmForm">Continue</button>';
    context.body = page(
      `<h1>Is this your code?</h1><p><code>${userCode}</code></p>${form}${button}`,
    );
  },
  successSource: async (context) => {
    context.body = page('<h1>Logged in</h1><p>Go back to your terminal.</p>');
  },
};
