// The memory of one issuer for grants, sessions and clients, so that issuers in one
// process share nothing.
import type { Adapter, AdapterPayload } from 'oidc-provider';

/** The store of one issuer: the adapter that oidc-provider needs for each model. */
export function memoryStorage(): (model: string) => Adapter {
  const rows = new Map<string, { payload: AdapterPayload; model: string; id: string }>();
  const now = (): number => Math.floor(Date.now() / 1000);
  const find = (
    wanted: (row: { payload: AdapterPayload; model: string }) => boolean,
  ): AdapterPayload | undefined => [...rows.values()].find(wanted)?.payload;

  return (model) => {
    const key = (id: string): string => `${model}:${id}`;
    return {
      upsert: async (id, payload) => void rows.set(key(id), { payload, model, id }),
      find: async (id) => rows.get(key(id))?.payload,
      findByUid: async (uid) => find((row) => row.model === model && row.payload.uid === uid),
      findByUserCode: async (code) =>
        find((row) => row.model === model && row.payload.userCode === code),
      consume: async (id) => {
        const row = rows.get(key(id));
        if (row) row.payload = { ...row.payload, consumed: now() };
      },
      destroy: async (id) => void rows.delete(key(id)),
      revokeByGrantId: async (grantId) => {
        for (const [name, row] of rows) if (row.payload.grantId === grantId) rows.delete(name);
      },
    };
  };
}
