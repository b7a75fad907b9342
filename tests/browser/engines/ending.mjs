/** Programs that end with this one, however it ends. */
import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * @param program a path; it may go into a process group of its own, where nobody else would find it.
 * @returns the path of a script that becomes that program, and is killed when whoever started it is.
 */
export async function ending(program) {
  if (process.platform !== "linux") return program;
  const script = join(await mkdtemp(join(tmpdir(), "ending-")), "program");
  await writeFile(script, `#!/bin/sh\nexec setpriv --pdeathsig KILL -- '${program}' "$@"\n`);
  await chmod(script, 0o700);
  return script;
}
