// The executable `scitokens-admin-create-key`.
import { systemIo } from './io.ts';
import { createKeyCommand } from './python-tools.ts';

const io = systemIo();
void createKeyCommand(process.argv.slice(2), io).then(async (exitCode) => {
  await io.close();
  // A pending name lookup must not delay the exit.
  process.exit(exitCode);
});
