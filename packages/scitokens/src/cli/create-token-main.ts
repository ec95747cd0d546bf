// The executable `scitokens-admin-create-token`.
import { lookUpByProgram } from '@credmon/core/base';
import { systemIo } from './io.ts';
import { createTokenCommand } from './python-tools.ts';

lookUpByProgram();
const io = systemIo();
const exitCode = await createTokenCommand(process.argv.slice(2), io);
await io.close();
// A pending name lookup must not delay the exit.
process.exit(exitCode);
