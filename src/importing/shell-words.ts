/** Lines that a tool splits itself, or hands to a shell. */

/** A line whose words mean the same without a shell: no quotes, no variables, nothing that a shell acts on. */
const PLAIN_LINE = /^(?![A-Za-z_]\w*=)[\w./:=@%+,-]+(?:[ \t]+[\w./:=@%+,-]+)*$/;
const BUILTINS = new Set([
  "cd",
  "export",
  "source",
  ".",
  "exec",
  "set",
  "ulimit",
  "unset",
  "eval",
  "trap",
  "exit",
]);

export interface Ran {
  readonly command: string;
  readonly args: readonly string[];
  /** It needs a shell to be read. */
  readonly isShell: boolean;
}

/** What a shell line runs, without the shell where that is the same. */
export function ranByShell(line: string, shell = "sh"): Ran {
  const words = line.trim().split(/[ \t]+/);
  const [command = "", ...args] = words;
  if (PLAIN_LINE.test(line.trim()) && !BUILTINS.has(command)) return { command, args, isShell: false };
  return { command: shell, args: ["-c", line], isShell: true };
}

/** Splits as Python's shlex does, with comments off: quotes and backslashes, no variables. Undefined: a quote is open. */
export function shlexWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < line.length; i++) {
    const char = line[i] as string;
    if (/[ \t\r\n]/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === "'") {
      const end = line.indexOf("'", i + 1);
      if (end === -1) return undefined;
      word = (word ?? "") + line.slice(i + 1, end);
      i = end;
    } else if (char === '"') {
      word ??= "";
      for (i++; line[i] !== '"'; i++) {
        if (i >= line.length) return undefined;
        if (line[i] === "\\" && /["\\]/.test(line[i + 1] ?? "")) i++;
        word += line[i];
      }
    } else if (char === "\\") {
      if (++i >= line.length) return undefined;
      word = (word ?? "") + line[i];
    } else word = (word ?? "") + char;
  }
  if (word !== undefined) words.push(word);
  return words;
}
