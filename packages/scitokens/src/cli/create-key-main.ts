// The executable `scitokens-admin-create-key`.
import { systemIo } from './io.ts';
import { createKeyCommand } from './python-create-key.ts';

const io = systemIo();
process.exitCode = await createKeyCommand(process.argv.slice(2), io);
await io.close();
