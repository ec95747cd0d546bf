// The executable `scitokens-verify-token`.
import { systemIo } from './io.ts';
import { verifyTokenCommand } from './python-verify-token.ts';

const io = systemIo();
process.exitCode = await verifyTokenCommand(process.argv.slice(2), io);
await io.close();
