import { isObject } from "../model/object.ts";
import type { BodyReader, ResponseHead } from "./http-request.ts";
import { told } from "./untrusted.ts";

/** The server's own words in the body of a refusal. */

/** How much of a body to read for them, bytes. */
const LONGEST = 2048;

export interface OwnWords {
  readonly reader: BodyReader;
  /** One harmless line; empty if there is no text. */
  said(): string;
}

/** Undefined if the status says it all. */
export function ownWords(head: ResponseHead): OwnWords | undefined {
  if (head.status !== 400 && head.status !== 403) return undefined;
  const pieces: Buffer[] = [];
  let bytes = 0;
  return {
    reader: (piece) => {
      pieces.push(piece);
      bytes += piece.length;
      return bytes >= LONGEST;
    },
    said: () => wordsIn(Buffer.concat(pieces).toString("utf8", 0, LONGEST)),
  };
}

/** The message of an error in JSON, a page without its tags, or the text as it is. */
function wordsIn(body: string): string {
  // Nothing else may be changed in it: otherwise a secret in it might not be recognised.
  return told(messageIn(body) ?? (body.trimStart().startsWith("<") ? body.replace(/<[^<>]*>/g, "") : body));
}

function messageIn(body: string): string | undefined {
  try {
    const value: unknown = JSON.parse(body);
    if (!isObject(value)) return undefined;
    const { error } = value;
    const said = isObject(error) ? error.message : (value.message ?? error);
    return typeof said === "string" ? said : undefined;
  } catch {
    return undefined;
  }
}

/** The answer of a TLS server that recognises plain HTTP and answers in it, as nginx and Go do. */
export function saysTls({ status }: ResponseHead, said: string): boolean {
  return status === 400 && /\bHTTP request\b.*\bHTTPS (server|port)\b/i.test(said);
}
