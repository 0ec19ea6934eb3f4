import * as fs from "node:fs";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import { isCode, leadsTo, makeWayForFile } from "../../system/files.ts";
import { LONGEST_SOCKET_PATH, socketPaths } from "../../system/paths.ts";
import { whyNotRuntime } from "../../system/private-folder.ts";

/**
 * Binds the first socket path that is usable: one where another agent answers is left alone. Returns the path. Throws when
 * there is none, or when others could put a socket of theirs into the runtime folder.
 */
export async function bindSocket(
  server: Server,
  state: string,
  runtime: string | undefined,
): Promise<string> {
  // Asked again each time: the agent has run for long when its socket vanishes.
  const problem = whyNotRuntime(runtime);
  if (problem !== undefined) throw new Error(problem);
  const problems: string[] = [];
  for (const path of socketPaths(state, runtime)) {
    const problem = await tryBind(server, path).catch((error: Error) => error.message);
    if (problem === undefined) return path;
    problems.push(`${path}: ${problem}`);
  }
  throw new Error(`cannot bind a socket: ${problems.join("; ")}`);
}

async function tryBind(server: Server, path: string): Promise<string | undefined> {
  const length = Buffer.byteLength(path);
  if (length > LONGEST_SOCKET_PATH)
    return `its path has ${length} bytes, ${LONGEST_SOCKET_PATH} at most: set XDG_RUNTIME_DIR to a shorter folder`;
  if (!isPrivateDir(dirname(path))) return "its folder is not private to this account";
  if (leadsTo(path)?.isSocket() && (await answers(path))) return "another agent answers there";
  // A folder, say. A socket that a crash left, or a link, is removed.
  if (leadsTo(path)?.isSocket() === false) makeWayForFile(path);
  fs.rmSync(path, { force: true });
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, () => {
        server.removeListener("error", reject);
        resolve();
      });
    });
  } finally {
    process.umask(umask);
  }
  return undefined;
}

function isPrivateDir(dir: string): boolean {
  const stat = fs.statSync(dir, { throwIfNoEntry: false });
  return stat !== undefined && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0;
}

/** True when somebody accepts connections there; a socket file that a crash left refuses them. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => {
      if (isCode(error, "ENOENT", "ECONNREFUSED", "ENOTSOCK")) resolve(false);
      else reject(error);
    });
  });
}
