// The executable `scitokens-admin-create-token`.
import { lookUpByProgram } from '@credmon/core/base';
import { systemIo } from './io.ts';
import { createTokenCommand } from './python-tools.ts';

lookUpByProgram();
const io = systemIo();
void createTokenCommand(process.argv.slice(2), io).then(async (exitCode) => {
  await io.close();
  // A pending name lookup must not delay the exit.
  process.exit(exitCode);
});
