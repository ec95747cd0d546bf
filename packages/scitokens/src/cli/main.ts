// The executable `scitokens`.
import { lookUpByProgram } from '@credmon/core/base';
import { systemIo } from './io.ts';
import { scitokens } from './command-line.ts';

lookUpByProgram();
const io = systemIo();
void scitokens(process.argv.slice(2), io).then(async (exitCode) => {
  await io.close();
  // A pending name lookup must not delay the exit.
  process.exit(exitCode);
});
