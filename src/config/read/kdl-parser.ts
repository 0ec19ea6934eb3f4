import type { KdlParser, ParseError, Token } from "kdljs/src/parser/kdl.js";
import type { Position } from "../place.ts";
import { lexProblem, parseProblem, rawTextProblem } from "./kdl-syntax.ts";
import { isTooDeep, TOO_DEEP } from "./nesting.ts";

/** An argument, with its type annotation if it has one. */
export interface KdlArgument {
  readonly value: unknown;
  readonly annotation?: string | undefined;
  readonly position: Position;
}

/** A node; a property `key=value` is one too, with one argument. */
export interface KdlNode {
  readonly name: string;
  readonly annotation?: string | undefined;
  readonly position: Position;
  readonly arguments: readonly KdlArgument[];
  /** Properties, then children. */
  readonly entries: readonly KdlNode[];
  /** How many of the entries are properties. */
  readonly properties: number;
}

export interface KdlProblem extends Position {
  readonly message: string;
}

export interface KdlText {
  readonly nodes: readonly KdlNode[];
  readonly problems: readonly KdlProblem[];
}

/** Parses KDL 2 into nodes that know where they stand. With problems the nodes are not to be used. */
export async function parseKdl(text: string): Promise<KdlText> {
  library ??= loadLibrary();
  const { lexer, parser } = await library;
  const { tokens, problems } = tokensOf(lexer, text);
  if (problems.length > 0) return { nodes: [], problems };
  if (isTooDeep(tokens.map(({ tokenType }) => LEVELS[tokenType.name] ?? 0))) {
    return { nodes: [], problems: [{ line: 1, column: 1, message: TOO_DEEP }] };
  }
  const { sound, wrong } = withoutWrongTexts(withSpaces(tokens, lexer));
  // Making a parser takes a tenth of a second, so the library's only one is borrowed and given back as it was.
  const { node, argument, property, unicodeEscape, SAVE_ERROR } = parser;
  const { stackTraceLimit } = Error;
  try {
    // The parser throws whenever it backtracks, which is often, and nobody reads those stacks.
    Error.stackTraceLimit = 0;
    const { nodes, problems: others } = parseWith(withFirstError(withPositions(parser)), sound);
    return { nodes, problems: [...wrong, ...others] };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    Object.assign(parser, { node, argument, property, unicodeEscape, SAVE_ERROR });
  }
}

/**
 * The library's tokens and grammar are proved free of contradictions whenever its lexer and parser are made, for those who
 * change them. This takes as long as all else that is done to make them; the option to leave it out is not passed on by
 * kdljs.
 */
async function loadLibrary(): Promise<Library> {
  const { EmbeddedActionsParser, Lexer } = await import("chevrotain");
  Object.defineProperty(Lexer.prototype, "config", {
    configurable: true,
    set(this: object, config: object) {
      const value = { ...config, skipValidations: true };
      Object.defineProperty(this, "config", { value, enumerable: true, writable: true });
    },
  });
  const parsers = EmbeddedActionsParser.prototype as unknown as Analyses;
  const analyse = parsers.performSelfAnalysis;
  parsers.performSelfAnalysis = function (this: Analyses) {
    this.skipValidations = true;
    analyse.call(this);
  };
  try {
    return await import("kdljs/src/parser/kdl.js");
  } finally {
    parsers.performSelfAnalysis = analyse;
    Reflect.deleteProperty(Lexer.prototype, "config");
  }
}

type Library = typeof import("kdljs/src/parser/kdl.js");
/** Once: two that were loaded at the same time would put back what the other had changed. */
let library: Promise<Library> | undefined;

interface Analyses {
  performSelfAnalysis(): void;
  skipValidations: boolean;
}

const LEVELS: Readonly<Record<string, number>> = {
  LeftBrace: 1,
  RightBrace: -1,
  OpenMultiLineComment: 1,
  CloseMultiLineComment: -1,
};

/** Most errors after which a text is read on; and after how much that was read so far, in all. */
const MOST_ERRORS = 20;
const MOST_CHARACTERS = 1024 * 1024;
const MOST_TOKENS = 100_000;

/**
 * The lexer's own way to go on after an error tries every kind of token at every character, and some of them read to
 * the end of the text: so it is told to stop, and what it cannot read is taken
 * out.
 */
function tokensOf(lexer: Library["lexer"], text: string): { tokens: Token[]; problems: KdlProblem[] } {
  const problems: KdlProblem[] = [];
  const { recoveryEnabled } = lexer.config;
  lexer.config.recoveryEnabled = false;
  try {
    for (let rest = text, read = 0; ; ) {
      const { tokens, errors } = lexer.tokenize(rest);
      const [error] = errors;
      if (!error) return { tokens, problems };
      const { inText, ...problem } = lexProblem(error, tokens);
      problems.push(problem);
      read += error.offset;
      // Inside a text that does not end, everything after the first error means something else.
      if (inText || problems.length > MOST_ERRORS || read > MOST_CHARACTERS) return { tokens: [], problems };
      rest = withoutRun(rest, error.offset);
    }
  } finally {
    lexer.config.recoveryEnabled = recoveryEnabled;
  }
}

/** The text with spaces in place of the character there, and of what follows it of the same. */
function withoutRun(text: string, from: number): string {
  let end = from + 1;
  while (end < text.length && text[end] === text[from]) end++;
  return text.slice(0, from) + " ".repeat(end - from) + text.slice(end);
}

/**
 * The library wants white space before a block and before `/-`, where KDL 2 needs none: `node{ … }`, `"a"/-"b"`. So some
 * of no width is put there.
 */
function withSpaces(tokens: readonly Token[], lexer: Library["lexer"]): readonly Token[] {
  const [space] = lexer.tokenize(" ").tokens;
  return tokens.flatMap((token) =>
    space && MAY_TOUCH.has(token.tokenType.name)
      ? [{ ...token, tokenType: space.tokenType, tokenTypeIdx: space.tokenTypeIdx, image: "" }, token]
      : [token],
  );
}

const MAY_TOUCH = new Set(["LeftBrace", "BlockComment"]);

/** Texts that are indented wrongly are left empty: the library needs the square of their lines to say so. */
function withoutWrongTexts(tokens: readonly Token[]): { sound: readonly Token[]; wrong: KdlProblem[] } {
  const wrong: KdlProblem[] = [];
  const sound = tokens.map((token) => {
    const problem = rawTextProblem(token);
    if (problem === undefined) return token;
    if (wrong.length < MOST_ERRORS) wrong.push(problem);
    return { ...token, image: '#"""\n"""#' };
  });
  return { sound, wrong };
}

/** One line is given up at each error, so that the next one is found too. */
function parseWith(parser: KdlParser, tokens: readonly Token[]): KdlText {
  const problems: KdlProblem[] = [];
  for (let rest = tokens, read = rest.length; ; read += rest.length) {
    parser.input = [...rest];
    const nodes = parser.document() as RawNode[] | undefined;
    const error = located(parser.errors[0], rest);
    if (!error) return { nodes: (nodes ?? []).map(fromRaw), problems };
    const problem = parseProblem(error, rest);
    // What is left of a line after its problem makes no sense of its own.
    if (problems.at(-1)?.line !== problem.line) problems.push(problem);
    const shorter = withoutLine(rest, error);
    const isEnough = problems.length >= MOST_ERRORS || read > MOST_TOKENS;
    if (!shorter || shorter.length === rest.length || isEnough) return { nodes: [], problems };
    rest = shorter;
  }
}

/** Of what is wrong with a text of several lines the library does not always say where: then it is the last token. */
function located(error: ParseError | undefined, tokens: readonly Token[]): ParseError | undefined {
  const last = tokens.at(-1);
  return error && { ...error, message: error.message, token: error.token ?? error.previousToken ?? last };
}

/** The tokens without the line of the error, its braces kept; undefined when nothing can be given up. */
function withoutLine(tokens: readonly Token[], error: ParseError): readonly Token[] | undefined {
  const line = error.token.startLine;
  const isBrace = (token: Token) => /Brace$/.test(token.tokenType.name);
  if (line === undefined || Number.isNaN(line) || isBrace(error.token)) return undefined;
  const ends = (token: Token) => isBrace(token) || token.tokenType.name === "NewLine";
  return tokens.filter((token) => token.startLine !== line || ends(token));
}

interface RawExtra {
  readonly annotation: string | undefined;
  readonly position: Position;
  readonly key?: string;
  readonly keyPosition?: Position;
}
/** What kdljs builds once {@link withPositions} has put places where it keeps type annotations. */
interface RawNode {
  readonly name: string;
  readonly position: Position;
  readonly values: readonly unknown[];
  readonly properties: Readonly<Record<string, unknown>>;
  readonly children: readonly RawNode[];
  readonly tags: {
    readonly name: string | undefined;
    readonly values: readonly RawExtra[];
    readonly properties: Readonly<Record<string, RawExtra>>;
  };
}

/**
 * kdljs drops positions, and of two properties with one name the first. Its rules look each other up on the parser
 * when they run, so each can be wrapped: a place travels where the type annotation does, and a property goes by
 * its offset instead of its name.
 */
function withPositions(parser: KdlParser): KdlParser {
  wrap(parser, "node", (node, token) => Object.assign(node as object, { position: positionOf(token) }));
  wrap(parser, "argument", (result, token) => {
    const [value, annotation] = result as [unknown, string | undefined];
    return [value, { annotation, position: positionOf(token) } satisfies RawExtra];
  });
  wrap(parser, "property", (result, token) => {
    const [key, value, extra] = result as [string, unknown, RawExtra];
    return [
      `@${token.startOffset}`,
      value,
      { ...extra, key, keyPosition: positionOf(token) } satisfies RawExtra,
    ];
  });
  // kdljs takes only the lower 16 bits of an escaped character.
  wrap(parser, "unicodeEscape", (_, token) =>
    String.fromCodePoint(Number.parseInt(token.image.slice(3, -1), 16)),
  );
  return parser;
}

/** The parser copies all errors each time that it looks ahead; only the first one is looked at. */
function withFirstError(parser: KdlParser): KdlParser {
  const save = parser.SAVE_ERROR;
  parser.SAVE_ERROR = (error) => (parser._errors.length > 0 ? error : save.call(parser, error));
  return parser;
}

type RuleName = "node" | "argument" | "property" | "unicodeEscape";
interface Rule {
  (...args: unknown[]): unknown;
  /** Newer versions of chevrotain call this one inside another rule. */
  readonly coreRule?: (...args: unknown[]) => unknown;
}

function wrap(parser: KdlParser, name: RuleName, change: (result: unknown, first: Token) => unknown): void {
  const rule: Rule = parser[name];
  const inner = rule.coreRule ?? rule;
  const wrapped = (...args: unknown[]) => {
    const first = parser.LA(1);
    return change(inner.apply(parser, args), first);
  };
  parser[name] = Object.assign(wrapped, { ruleName: name, coreRule: wrapped });
}

function positionOf(token: Token): Position {
  return { line: token.startLine ?? 1, column: token.startColumn ?? 1 };
}

function fromRaw(raw: RawNode): KdlNode {
  const properties = Object.entries(raw.tags.properties).map(([offset, extra]): KdlNode => {
    const argument = {
      value: raw.properties[offset],
      annotation: extra.annotation,
      position: extra.position,
    };
    return {
      name: extra.key ?? "",
      position: extra.keyPosition ?? extra.position,
      arguments: [argument],
      entries: [],
      properties: 0,
    };
  });
  return {
    name: raw.name,
    annotation: raw.tags.name,
    position: raw.position,
    arguments: raw.values.map((value, i) => ({ value, ...(raw.tags.values[i] as RawExtra) })),
    entries: [...properties, ...raw.children.map(fromRaw)],
    properties: properties.length,
  };
}
