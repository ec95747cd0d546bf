// The executable `scitokens`.
import { systemIo } from './io.ts';
import { scitokens } from './scitokens.ts';

const io = systemIo();
process.exitCode = await scitokens(process.argv.slice(2), io);
await io.close();
