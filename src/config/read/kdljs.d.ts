/** kdljs publishes types for its main module only; positions are to be had from its parser alone. */
declare module "kdljs/src/parser/kdl.js" {
  export interface Token {
    readonly image: string;
    readonly startOffset: number;
    readonly startLine?: number;
    readonly startColumn?: number;
    readonly tokenType: { readonly name: string };
    /** By which the parser tells types apart. */
    readonly tokenTypeIdx: number;
  }
  export interface LexError {
    readonly offset: number;
    readonly line?: number;
    readonly column?: number;
    readonly length: number;
    readonly message: string;
  }
  export interface ParseError {
    readonly name: string;
    readonly message: string;
    readonly token: Token;
    readonly previousToken?: Token;
  }
  export const lexer: {
    tokenize(text: string): { tokens: Token[]; errors: LexError[] };
    readonly config: { recoveryEnabled: boolean };
  };
  /** Made once, by the module. */
  export const parser: KdlParser;
  export interface KdlParser {
    input: Token[];
    readonly errors: ParseError[];
    /** The getter above makes a copy. */
    readonly _errors: readonly ParseError[];
    SAVE_ERROR(error: ParseError): ParseError;
    LA(howMuch: number): Token;
    document(): unknown;
    node: (...args: unknown[]) => unknown;
    property: (...args: unknown[]) => unknown;
    argument: (...args: unknown[]) => unknown;
    unicodeEscape: (...args: unknown[]) => unknown;
  }
}
