// The executable `scitokens-verify-token`.
import { lookUpByProgram } from '@credmon/core/base';
import { systemIo } from './io.ts';
import { verifyTokenCommand } from './python-tools.ts';

lookUpByProgram();
const io = systemIo();
void verifyTokenCommand(process.argv.slice(2), io).then(async (exitCode) => {
  await io.close();
  // A pending name lookup must not delay the exit.
  process.exit(exitCode);
});
