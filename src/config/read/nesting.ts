/**
 * Parsers call themselves for each level of nesting. When the stack ends inside a regular expression, V8 ends the
 * whole process instead of throwing, so depth is looked at first, without recursion.
 */
export const MAX_DEPTH = 32;

export const TOO_DEEP = `cannot read more than ${MAX_DEPTH} levels of nesting: make it flatter`;

/** Whether brackets are nested too deeply: `steps` are +1 for an opening one and -1 for a closing one. */
export function isTooDeep(steps: Iterable<number>): boolean {
  let depth = 0;
  for (const step of steps) {
    depth += step;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/** The same of a value that was parsed without recursion. */
export function isDeepValue(root: unknown): boolean {
  let level: unknown[] = [root];
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    level = level.flatMap((value) =>
      typeof value === "object" && value !== null ? Object.values(value) : [],
    );
    if (level.length === 0) return false;
  }
  return true;
}

const BRACKETS: Readonly<Record<string, number>> = { "[": 1, "{": 1, "]": -1, "}": -1 };

/** YAML as its lexer gives it: brackets, columns further right, and `- - -` on one line are levels. */
export function isDeepYaml(lexemes: Iterable<string>): boolean {
  const columns: number[] = [];
  let brackets = 0;
  let column = 0;
  let last = "\n";
  for (const lexeme of lexemes) {
    brackets += BRACKETS[lexeme] ?? 0;
    if (brackets === 0 && beginsNode(lexeme, last)) {
      while ((columns.at(-1) ?? -1) >= column) columns.pop();
      columns.push(column);
    }
    if (brackets + columns.length > MAX_DEPTH) return true;
    if (isMark(lexeme)) {
      last = lexeme;
      continue;
    }
    const newline = lexeme.lastIndexOf("\n");
    column = newline < 0 ? column + lexeme.length : lexeme.length - newline - 1;
    if (newline >= 0 || !/^[ \t]*$/.test(lexeme)) last = lexeme;
  }
  return false;
}

/** The lexer announces scalars, documents and the like with a control character that is not in the text. */
const isMark = (lexeme: string) => lexeme === "\u001f" || lexeme === "\u0002" || lexeme === "\u0018";

function beginsNode(lexeme: string, last: string): boolean {
  // Lines of a block scalar are text.
  if (lexeme === "\u001f") return !/^[|>]/.test(last);
  return lexeme === "-" || lexeme === "?" || (lexeme === ":" && /\n$|^[-?:]$/.test(last));
}
