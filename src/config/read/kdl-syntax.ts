import type { LexError, ParseError, Token } from "kdljs/src/parser/kdl.js";
import type { Position } from "../place.ts";

/** The parser's own messages list dozens of token names; these say what a person can do about it. */

const KEYWORDS = new Set(["true", "false", "null", "inf", "-inf", "nan"]);
const IN_TEXT = new Set(["OpenQuote", "Unicode", "Escape", "UnicodeEscape", "WhiteSpaceEscape"]);

/** A character that begins no token. `inText`: it is inside quotes. */
export function lexProblem(
  error: LexError,
  tokens: readonly Token[],
): Position & { message: string; inText: boolean } {
  const i = tokens.findLastIndex((token) => token.startOffset < error.offset);
  const before = tokens[i];
  const inText = IN_TEXT.has(before?.tokenType.name ?? "");
  const character = /->([\s\S]*?)<-/.exec(error.message)?.[1]?.[0] ?? "";
  const position = { line: error.line ?? 1, column: error.column ?? 1 };
  const opened = inText ? tokens.findLastIndex(({ tokenType }) => tokenType.name === "OpenQuote", i) : 0;
  const old = oldRawText(tokens[opened - 1], tokens[opened]);
  if (old) return { ...old, inText };
  return { ...position, inText, message: inText ? textProblem(character) : characterProblem(character) };
}

function textProblem(character: string): string {
  if (/[\n\r]/.test(character)) {
    return 'cannot continue a text on the next line: close the quotes before, or write the text between """ lines';
  }
  if (character === "\\")
    return 'cannot read this escape: write "\\\\" for a backslash, or one of \\n \\r \\t \\" \\u{…}';
  return `cannot use the character ${codePoint(character)} as it is: write it as an escape, \\u{…}`;
}

function characterProblem(character: string): string {
  if (character === "[" || character === "]") {
    return `cannot use "${character}" here: in KDL list values are separated by spaces, as in args "--port" "8080"`;
  }
  if (character === "#")
    return 'cannot read what follows "#": write #true, #false or #null, or put the text in quotes';
  if (character === "\\") return 'cannot use "\\" here: it may only stand at the end of a line that goes on';
  return `cannot use ${JSON.stringify(character)} here: put the text in quotes`;
}

const codePoint = (character: string) =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

/** A token that cannot stand where it does. */
export function parseProblem(error: ParseError, tokens: readonly Token[]): Position & { message: string } {
  const unclosed = unclosedPart(tokens);
  if (unclosed && (error.token.tokenType.name === "EOF" || error.token === unclosed.token)) {
    return { ...positionOf(unclosed.token), message: unclosed.message };
  }
  const token = error.token.tokenType.name === "EOF" ? (tokens.at(-1) ?? error.token) : error.token;
  const i = tokens.indexOf(token);
  const before = tokens[i - 1];
  const old = oldRawText(before, token);
  if (old) return old;
  const next = tokens.slice(i + 1, i + 3).find(({ image }) => image.trim() !== "");
  // About a property with a bare word as its value, the library only says that it is not a value.
  if (token.image === "=" && next && KEYWORDS.has(next.image))
    return { ...positionOf(next), message: tokenProblem(next, undefined, "") };
  return { ...positionOf(token), message: tokenProblem(token, before, error.message) };
}

/** `r"…"` and `r#"…"#`, as KDL 1 writes a raw text. */
function oldRawText(
  before: Token | undefined,
  token: Token | undefined,
): (Position & { message: string }) | undefined {
  const name = token?.tokenType.name ?? "";
  if (before?.image !== "r" || !/^(?:OpenQuote|RawString|MultiLine)/.test(name)) return undefined;
  if (before.startOffset + 1 !== token?.startOffset) return undefined;
  const message = 'cannot read r"…", as KDL 1 writes raw texts: in KDL 2 write #"…"#';
  return { ...positionOf(before), message };
}

const BADLY_INDENTED =
  'cannot read this text: begin a new line after """, and indent each line at least as far as the closing """';

/** The first line of a raw text of several lines that is not indented as its end is; undefined for another token. */
export function rawTextProblem(token: Token): (Position & { message: string }) | undefined {
  if (token.tokenType.name !== "MultiLineRawString") return undefined;
  const quotes = token.image.indexOf('"') + 3;
  const lines = token.image.slice(quotes, -quotes).split(LINE_BREAK);
  const prefix = lines.at(-1) ?? "";
  const isWrong = (line: string, i: number) => {
    if (i === 0) return line !== "";
    if (i === lines.length - 1) return /\S/.test(line);
    return /\S/.test(line) && !line.startsWith(prefix);
  };
  const wrong = lines.findIndex(isWrong);
  const { line, column } = positionOf(token);
  return wrong < 0
    ? undefined
    : { line: line + wrong, column: wrong === 0 ? column : 1, message: BADLY_INDENTED };
}

const LINE_BREAK = /\r\n|[\n-\r\u0085\u2028\u2029]/;

function tokenProblem(token: Token, before: Token | undefined, message: string): string {
  const image = token.image;
  const touches = before !== undefined && before.startOffset + before.image.length === token.startOffset;
  if (KEYWORDS.has(image))
    return `cannot use the bare word ${image}: write #${image}, or "${image}" for a string`;
  if (image === "}") return 'cannot use "}" here: no block is open; remove it';
  if (image === "{") return 'cannot use "{" here: a block follows the values of its node and ends it';
  if (image === "=")
    return 'cannot use "=" here: write name=value for a property, or name value for a node of its own';
  if (image === "(")
    return 'cannot use a type annotation on its own: put a value after it, as in (env)"NAME"';
  if (image === ";") return 'cannot use ";" here: one ends a node; remove it';
  if (/dedented/.test(message)) return BADLY_INDENTED;
  if (touches && !/^\s*$/.test(before.image)) {
    return `cannot read ${JSON.stringify(image)} directly after the previous value: put a space between them, or quote the whole`;
  }
  return `cannot use ${JSON.stringify(image)} here: write one node per line, a name followed by its values`;
}

/** The last brace, quote or comment that was opened and never closed. */
function unclosedPart(tokens: readonly Token[]): { token: Token; message: string } | undefined {
  const open: { token: Token; message: string }[] = [];
  for (const token of tokens) {
    const opened = OPENED[token.tokenType.name];
    if (opened) open.push({ token, message: opened });
    else if (CLOSING.has(token.tokenType.name)) open.pop();
  }
  return open.at(-1);
}

const OPENED: Readonly<Record<string, string>> = {
  LeftBrace: 'cannot find the end of the block that begins here: add "}"',
  OpenQuote: "cannot find the end of the string that begins here: add the closing quote",
  MultiLineOpenQuote: 'cannot find the end of the string that begins here: add a line with """',
  OpenMultiLineComment: "cannot find the end of the comment that begins here: add */",
};
const CLOSING = new Set(["RightBrace", "CloseQuote", "MultiLineCloseQuote", "CloseMultiLineComment"]);

function positionOf(token: Token): Position {
  return { line: token.startLine || 1, column: token.startColumn || 1 };
}
