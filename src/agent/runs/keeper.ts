import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ServerSpec } from "../../model/spec.ts";
import { KEEPER_LABEL } from "../../system/family.ts";

/**
 * The keeper: a tiny shell that stays between the agent and one server, so that the server's output and exit code
 * outlive any agent. It leads the server's session and process group, and keeps everything in the run folder:
 *
 *   out, err    fifos: what the server prints. Opened read-write, so that without a reader the pipe fills and the
 *               writer waits, where a pipe without reader would end it with SIGPIPE.
 *   alive       fifo: `pid N`, then `exit N`; its end says that the keeper is gone.
 *   release     fifo: an empty line here lets the keeper go. Until then it holds the other fifos, because a pipe that
 *               nobody holds is gone with what is still in it. Any other line makes it report the end again.
 *   keeper, pid, status   the same facts as files, for an agent that comes later.
 *
 * A file may be impossible to write, and may be torn later. So the end stays in the keeper, and in a pipe that it holds:
 * neither takes room on a disk. Before it stands a newline: the server may have written something there that is no line.
 *
 * The traps note signals that the whole group gets, and change nothing else: a handled signal, unlike an ignored one,
 * is back to its default in the program. The program runs in the foreground, since a shell's background job would
 * have SIGINT and SIGQUIT ignored for good. It is the inner shell that turns to the fifos: what the outer one says of
 * a child that a signal ended is no output of the server.
 *
 * The status is opened for reading, too: a fifo that the server put in its place would keep the keeper waiting.
 *
 * Shell variables begin with `_xy_`: a name that the server's environment has too would be handed on changed. What
 * the shells add to the environment is taken away again.
 *
 * Arguments: run folder, umask (octal), soft limit of open files, program, its arguments.
 */
const SCRIPT = `
_xy_dir=$1 _xy_mask=$2 _xy_files=$3 _xy_got=; shift 3
umask 077
for _xy_s in HUP INT QUIT TERM USR1 USR2; do trap _xy_got=1 $_xy_s; done
exec 3<>"$_xy_dir/out" 4<>"$_xy_dir/err" 5<>"$_xy_dir/alive" 6<>"$_xy_dir/release" || exit 70
echo $$ >"$_xy_dir/keeper" || exit 70
_xy_code=143
if [ -z "$_xy_got" ]; then
  /bin/sh -c 'exec >&3 2>&4 3>&- 4>&-; ulimit -S -n "$3" || exit 126
    echo $$ >"$1/pid"; echo "pid $$" >&5; umask "$2"; shift 3
    unset PWD OLDPWD SHLVL; exec "$@" 5>&- 6>&-
  ' sh "$_xy_dir" "$_xy_mask" "$_xy_files" "$@"
  _xy_code=$?
fi
_xy_s=exit
while [ -n "$_xy_s" ]; do
  echo $_xy_code 1<>"$_xy_dir/status"
  echo "
exit $_xy_code" >&5
  until read -r _xy_s <&6; do :; done
done
`;

/** What a keeper is asked with, and what its script has that it is understood by: an earlier one takes it for its release. */
export const QUESTION = "exit\n";
export const ANSWERS = "_xy_s=exit\n";

const FIFOS = ["out", "err", "alive", "release"] as const;

/** Makes the fifos of all the run folders with one call of mkfifo. */
export async function makeFifos(dirs: readonly string[]): Promise<void> {
  await makeFifosAt(dirs.flatMap((dir) => FIFOS.map((name) => join(dir, name))));
}

/** The same for fifos by themselves. */
export async function makeFifosAt(paths: readonly string[]): Promise<void> {
  for (let i = 0; i < paths.length; i += 400) {
    const batch = paths.slice(i, i + 400);
    // The cause decides what follows, and is reported in words.
    const env = { ...process.env, LC_ALL: "C" };
    await promisify(execFile)("mkfifo", ["-m", "600", ...batch], { timeout: 10_000, env });
  }
}

/** What a program is started from. */
export type Launched = Pick<
  ServerSpec,
  | "project"
  | "name"
  | "program"
  | "args"
  | "env"
  | "workingDir"
  | "umask"
  | "limits"
  | "port"
  | "host"
  | "mcp"
  | "restart"
>;

export interface KeeperStart {
  readonly dir: string;
  readonly spec: Launched;
  /** The whole environment, secrets in it. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starts a keeper, and with it the program. It outlives this process. */
export async function startKeeper(
  start: KeeperStart,
): Promise<{ pid: number; gone: Promise<number | null> }> {
  const { dir, spec, env } = start;
  const { project, name, umask, limits, program, args } = spec;
  // The label is for people who look at the process list.
  const label = `${KEEPER_LABEL}${project}/${name}`;
  const argv = ["-c", SCRIPT, label, dir, umask.toString(8), String(limits.openFiles), program, ...args];
  const child = spawn("/bin/sh", argv, {
    cwd: spec.workingDir,
    env,
    detached: true,
    stdio: "ignore",
  });
  child.unref();
  const gone = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => resolve({ pid: child.pid as number, gone }));
  });
}
