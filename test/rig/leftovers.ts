import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statfsSync,
} from "node:fs";
import { exposedIn, watchProcessList } from "./secret-scan.ts";

/** Names the environment variable that holds the folder of this run: TMPDIR of the tests and of all they start. */
const RUN_FOLDER = "XY_TEST_RUN";

const isLinux = process.platform === "linux";
let processList: ReturnType<typeof watchProcessList> | undefined;

interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/**
 * Called by vitest before the first test, once for each of its projects: one folder for all that this run's tests
 * write. Its path is short, because that of a socket may have about 100 bytes.
 */
export function setup(): void {
  process.env[RUN_FOLDER] ??= mkdtempSync(isRoomy("/dev/shm") ? "/dev/shm/xyt-" : "/tmp/xyt-");
  process.env.TMPDIR = process.env[RUN_FOLDER];
  // Node 20 reads all that it knows of certificates before it begins, which takes more time than all else of its start.
  // No test speaks to a server that has one.
  delete process.env.NODE_EXTRA_CA_CERTS;
  processList ??= isLinux ? watchProcessList(process.env[RUN_FOLDER]) : undefined;
}

/** Bytes that have to be free in memory: more than all tests of a run write. */
const ROOM = 8 * 1024 ** 3;

/** Whether it is a folder in memory with much room: to make a file there takes a tenth of the work that it takes on a disk. */
function isRoomy(folder: string): boolean {
  try {
    const [, , type, options = ""] =
      read("/proc/mounts")
        .split("\n")
        .map((line) => line.split(" "))
        .find(([, at]) => at === folder) ?? [];
    const { bavail, bsize } = statfsSync(folder);
    // What is promised there may be more than this process may have.
    const room = Math.min(bavail * bsize, process.availableMemory());
    return type === "tmpfs" && !options.split(",").includes("noexec") && room > ROOM;
  } catch {
    return false;
  }
}

/** Called by vitest when all tests are over. A process that still lives somewhere in the run's folder is a failure. */
export async function teardown(): Promise<void> {
  const folder = process.env[RUN_FOLDER];
  if (folder === undefined) return;
  const listed = processList?.stop() ?? [];
  processList = undefined;
  const found = await lastingLeftovers(folder);
  for (const { pid } of found) process.kill(pid, "SIGKILL");
  const exposed = existsSync(folder) ? exposedIn(folder) : [];
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  const places = [
    ...listed.map((command) => `the process list: ${command}`),
    ...exposed.map((path) => `a file that outlived its test: ${path}`),
  ];
  if (places.length > 0) {
    process.exitCode = 1;
    throw new Error(`cannot end the test run: a secret stood in\n  ${places.join("\n  ")}`);
  }
  if (found.length === 0) return;
  process.exitCode = 1;
  const list = found.map(({ pid, command }) => `  ${pid} ${command}`).join("\n");
  throw new Error(`cannot end the test run: ${found.length} processes of its tests still ran:\n${list}`);
}

/** What is still there after two seconds: some that were told to end need a moment. */
async function lastingLeftovers(folder: string): Promise<Leftover[]> {
  const deadline = Date.now() + 2_000;
  let found = leftovers(folder);
  while (found.length > 0 && Date.now() < deadline) {
    await new Promise((wake) => setTimeout(wake, 50));
    found = leftovers(folder);
  }
  return found;
}

/** Living processes whose arguments, environment or working folder name the run's folder. Linux only. */
function leftovers(folder: string): Leftover[] {
  return processIds().flatMap((pid) => {
    const command = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
    // An empty command line: a zombie, or gone.
    if (pid === process.pid || command === "" || isRunner(pid)) return [];
    const traces = [command, read(`/proc/${pid}/environ`), workingFolder(pid)];
    return traces.some((trace) => trace.includes(folder)) ? [{ pid, command }] : [];
  });
}

/** vitest's own workers and the bundler's helpers: children of this process. */
function isRunner(pid: number): boolean {
  const status = read(`/proc/${pid}/status`);
  return /^PPid:\s+(\d+)/m.exec(status)?.[1] === String(process.pid);
}

function processIds(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function workingFolder(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
