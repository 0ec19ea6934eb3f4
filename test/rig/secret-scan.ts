import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/**
 * Every secret of every test holds this word. What xy writes or prints is searched for it at the end of each home,
 * and the process list while the tests run.
 */
export const SECRET_WORD = "s3cr3t";

/** A value that begins like this has been replaced before its home is removed: no file of xy may hold it then. */
const FORMER_WORD = "s3cr3t-old";

/** How a word can also be written: in base64, wherever it begins there, in hexadecimal digits, and for a URL. */
export function writingsOf(word: string): string[] {
  const bytes = Buffer.from(word);
  const base64 = [0, 1, 2].map((lead) => {
    const text = Buffer.concat([Buffer.alloc(lead), bytes]).toString("base64");
    // Without the digits that neighbours have a part in.
    return text.slice(Math.ceil((lead * 8) / 6), Math.floor(((lead + bytes.length) * 8) / 6));
  });
  const hex = bytes.toString("hex");
  return [
    word,
    ...base64,
    hex,
    hex.toUpperCase(),
    ...[hex, hex.toUpperCase()].map((digits) => digits.replace(/../g, "%$&")),
  ];
}

const WRITINGS = writingsOf(SECRET_WORD);
const FORMER_WRITINGS = writingsOf(FORMER_WORD);

/** Whether a text holds the word, in whatever writing. */
export const holdsWord = (text: string | Buffer): boolean =>
  WRITINGS.some((writing) => text.includes(writing));

/** The places in the state folder that are meant for values of secrets. */
const MEANT =
  /\/(projects\/[^/]+\/(servers\/[^/]+\/spec\.json|units\/[^/]+\/[^/]+\.(json|env)|backends\.json|actions\.json)|clients\/[0-9a-f]+\/(original|backup))$/;

/**
 * A temporary folder of a test. It is searched for secrets when it is removed: they may stand only in what the test
 * wrote or allows, and in xy's files that are meant for them, which nobody else can read and which hold no former value.
 */
export class SweptFolder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "h-")));
  /** Files, and folders with all that is in them, in which a secret is the test's own affair. */
  readonly #own = new Set<string>();
  /** What has printed a secret. */
  readonly #said: string[] = [];

  /** Writes a file; relative paths start at the folder. Answers with its path. */
  write(file: string, text: string): string {
    const path = file.startsWith("/") ? file : join(this.path, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    if (holdsWord(text)) this.allow(realpathSync(path));
    return path;
  }

  /** A file or folder that may hold secrets: the test, or a server of the test, writes them there itself. */
  allow(path: string): void {
    this.#own.add(path);
  }

  /** Looks at what `who` has printed. */
  printed(who: string, text: string): void {
    if (holdsWord(text)) this.#said.push(who);
  }

  /** Paths below the folder that hold a secret, in their name or content, and should not, or may be read by others. */
  exposed(): string[] {
    return exposedIn(this.path, this.path, this.#own);
  }

  /** Nothing is to be found now that should not be there. What a running agent hides from that, {@link remove} finds. */
  isClean(): boolean {
    try {
      return this.#said.length === 0 && this.exposed().length === 0;
    } catch {
      // A folder was gone before it was looked at.
      return false;
    }
  }

  /** The folder was emptied, and is used anew. */
  begin(): void {
    this.#own.clear();
  }

  /** Searches the folder, which is used no more, and removes it. */
  remove(): void {
    const exposed = this.exposed();
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 });
    this.#complain(exposed);
  }

  /** Searches the folder, which is emptied then, and used anew. */
  search(): void {
    this.#complain(this.exposed());
    this.begin();
  }

  #complain(exposed: readonly string[]): void {
    if (this.#said.length > 0) throw new Error(`a secret was printed by: ${this.#said.join(", ")}`);
    if (exposed.length > 0) throw new Error(`files that hold a secret and should not: ${exposed.join(", ")}`);
  }
}

/** As {@link SweptFolder.exposed}, below any folder. */
export function exposedIn(root: string, folder = root, own: ReadonlySet<string> = new Set()): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (own.has(path)) return [];
    const named = holdsWord(entry.name) ? [path] : [];
    if (entry.isDirectory()) return [...named, ...exposedIn(root, path, own)];
    if (entry.isSymbolicLink()) return holdsWord(readlinkSync(path)) ? [path] : named;
    return entry.isFile() && isExposed(path) ? [path] : named;
  });
}

function isExposed(path: string): boolean {
  const content = readFileSync(path);
  if (!holdsWord(content)) return false;
  const former = FORMER_WRITINGS.some((writing) => content.includes(writing));
  return former || !MEANT.test(path) || (statSync(path).mode & 0o077) !== 0;
}

/** Ms between two looks at the process list. */
const LOOK_GAP = 200;
const ENOUGH_LOOKS = 10;

/**
 * Looks at the command lines of all processes whose environment names the folder, again and again. `stop` answers with
 * those that held a secret.
 */
export function watchProcessList(folder: string): { stop(): string[] } {
  const seen = new Set<string>();
  /** How often each process was looked at. A program's arguments are those of its start, or of what it becomes soon. */
  let looks = new Map<string, number>();
  const timer = setInterval(() => {
    const before = looks;
    looks = new Map();
    for (const entry of readdirSync("/proc")) {
      if (!/^\d+$/.test(entry)) continue;
      const count = before.get(entry) ?? 0;
      looks.set(entry, count + 1);
      if (count >= ENOUGH_LOOKS) continue;
      const command = read(entry, "cmdline");
      if (holdsWord(command) && read(entry, "environ").includes(folder)) seen.add(command);
    }
  }, LOOK_GAP);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      return [...seen];
    },
  };
}

function read(pid: string, file: "cmdline" | "environ"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
