import { isObject } from "../model/object.ts";
import { meaning, saidWith, statusText } from "./http.ts";
import { type BodyReader, type HttpExchange, type ResponseHead, TLS } from "./http-request.ts";
import { type JsonRpcError, type RpcAnswer, type RpcResult, readAnswer } from "./json-rpc.ts";
import { ServerEvents } from "./sse.ts";
import { told } from "./untrusted.ts";
import { ownWords, saysTls } from "./words.ts";

/** The result of one MCP request; `detail` is one line, to follow the name of the request. */
export type Answer =
  | { readonly kind: "result"; readonly result: RpcResult }
  | { readonly kind: "unauthorized"; readonly detail: string }
  /** It answers, but not to this: as a server of the other era does. `status`: the HTTP status, if not a success. */
  | {
      readonly kind: "refused";
      readonly detail: string;
      readonly error?: JsonRpcError | undefined;
      readonly status?: number;
    }
  /** It is down, forbids the request, or fails: no other request would do better. */
  | { readonly kind: "failed"; readonly detail: string };

/** Looks for the answer to one request in a response body: JSON, or an event stream. */
export interface AnswerSearch {
  /** Undefined if the body is neither, and is not read. */
  readonly reader: BodyReader | undefined;
  /** What was found by the end of the body. */
  found(): RpcAnswer | undefined;
  /** The text of a refusal that is neither, as one harmless line. */
  said?(): string;
}

/** `id`: the request's. */
export function searchBody(head: ResponseHead, id: number): AnswerSearch {
  const type = contentType(head);
  if (type === "text/event-stream") return searchEvents(id);
  if (type === "application/json") return searchJson(id);
  const words = ownWords(head);
  return { reader: words?.reader, found: () => undefined, ...(words && { said: words.said }) };
}

function searchJson(id: number): AnswerSearch {
  const pieces: Buffer[] = [];
  return {
    reader: (piece) => {
      pieces.push(piece);
      return false;
    },
    found: () => (pieces.length === 0 ? undefined : readAnswer(Buffer.concat(pieces).toString(), id)),
  };
}

/** Stops at the answer: the server may keep the stream open for ever. */
function searchEvents(id: number): AnswerSearch {
  const events = new ServerEvents();
  let found: RpcAnswer | undefined;
  return {
    reader: (piece) => {
      for (const { data } of events.take(piece)) {
        const read = readAnswer(data, id);
        // The answer to another request is reported if ours does not come.
        if (read.kind !== "other" || found === undefined) found = read;
        if (isOurs(read)) return true;
      }
      return false;
    },
    found: () => found,
  };
}

function isOurs({ kind }: RpcAnswer): boolean {
  return kind === "result" || kind === "error";
}

/** Judges one exchange by what was found in its body. `host`: the header that was sent. */
export function judge(
  { head, refusal }: HttpExchange,
  search: AnswerSearch | undefined,
  host: string,
): Answer {
  if (head === undefined) return { kind: "failed", detail: refusal ?? "gave no answer" };
  const found = search?.found();
  const said = search?.said?.() ?? "";
  const error = found?.kind === "error" ? found.error : undefined;
  const { status } = head;
  if (status === 401) return { kind: "unauthorized", detail: statusText(head) };
  if (saysTls(head, said)) return { kind: "failed", detail: TLS };
  const own = error && errorText(error);
  // The server's own words come before a guess.
  const detail =
    status === 403 && own !== undefined
      ? `${statusText(head)}: ${own}${meaning(head, host)}`
      : `${saidWith(head, said)}${meaning(head, host)}${own === undefined ? "" : `: ${own}`}`;
  if (status === 403 || status >= 500) return { kind: "failed", detail };
  if (refusal !== undefined) return { kind: "failed", detail: refusal };
  if (status >= 400) return { kind: "refused", detail, error, status };
  if (status >= 300) return { kind: "failed", detail };
  if (found?.kind === "result") return { kind: "result", result: found.result };
  if (error !== undefined) return refusedWith(error);
  return { kind: "refused", detail: `${statusText(head)} ${whatInstead(head, found)}` };
}

export function refusedWith(error: JsonRpcError): Answer {
  return { kind: "refused", detail: errorText(error), error };
}

/** What a success contained instead of an answer. */
function whatInstead(head: ResponseHead, found: RpcAnswer | undefined): string {
  const type = contentType(head);
  if (found?.kind === "stranger") return "with the answer to another request: its id does not match";
  if (found?.kind === "other" && !found.json) return "with a body that is not JSON";
  if (found?.kind === "other") return "without an answer: what it sent is not a JSON-RPC response";
  if (type === "text/event-stream") return "with a stream that ended before the answer";
  if (type === "application/json") return "with an empty body";
  return type === "" ? "without an answer" : `with ${type}: this path is not MCP's`;
}

export function contentType({ headers }: ResponseHead): string {
  return told((headers["content-type"] ?? "").split(";")[0] ?? "", 60).toLowerCase();
}

/** `error -32603: its message` */
function errorText({ code, message, data }: JsonRpcError): string {
  const said = told(message);
  const versions = supportedVersions({ code, message, data });
  const speaks = versions.length === 0 ? "" : ` (it speaks ${told(versions.join(", "), 100)})`;
  return `error ${code}${said === "" ? "" : `: ${said}`}${speaks}`;
}

/** The protocol versions that a server names when it refuses one. */
export function supportedVersions(error: JsonRpcError | undefined): readonly string[] {
  return isObject(error?.data) ? versionsIn(error.data.supported) : [];
}

/** The usable protocol versions in a list from outside: they go into a header. */
export function versionsIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.slice(0, 20).filter(isVersion) : [];
}

export function isVersion(value: unknown): value is string {
  return typeof value === "string" && /^[\w.-]{1,40}$/.test(value);
}
