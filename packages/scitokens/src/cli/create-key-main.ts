// The executable `scitokens-admin-create-key`.
import { systemIo } from './io.ts';
import { createKeyCommand } from './python-tools.ts';

const io = systemIo();
const exitCode = await createKeyCommand(process.argv.slice(2), io);
await io.close();
// A pending name lookup must not delay the exit.
process.exit(exitCode);
