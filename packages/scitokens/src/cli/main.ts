// The executable `scitokens`.
import { lookUpByProgram } from '@credmon/core/base';
import { systemIo } from './io.ts';
import { scitokens } from './scitokens.ts';

lookUpByProgram();
const io = systemIo();
const exitCode = await scitokens(process.argv.slice(2), io);
await io.close();
// A name look-up without an answer must not delay the end.
process.exit(exitCode);
