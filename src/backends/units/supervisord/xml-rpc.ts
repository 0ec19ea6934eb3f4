import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { socketIn, targetOf } from "../../../model/target.ts";
import { withoutUndefined } from "../../../model/without-undefined.ts";
import { ServiceError } from "../../ask.ts";

/** XML-RPC as supervisord speaks it: over HTTP, or over HTTP through a Unix socket. */

/** A param or result of a call: a boolean, a whole number, a text, a list, or a structure. */
export type XmlValue =
  | boolean
  | number
  | string
  | null
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue };

/** The server answered with a refusal. */
export class XmlRpcFault extends ServiceError {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Nobody answers, or the answer is not XML-RPC. */
export class XmlRpcUnreachable extends Error {}

export interface Endpoint {
  /** `http://host:port/RPC2`, `https://…`, or `unix:///path` of a socket. */
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** Longest answer that is read, bytes: the states of a thousand programs are a quarter of it, and take time to parse. */
const LONGEST_ANSWER = 4 << 20;

/** Calls a method, and waits up to `bound` ms for its answer. */
export async function callXmlRpc(
  endpoint: Endpoint,
  method: string,
  params: readonly XmlValue[],
  bound: number,
): Promise<XmlValue> {
  const { XMLBuilder } = await import("fast-xml-parser");
  const call = { methodCall: { methodName: method, params: { param: params.map(encoded) } } };
  const body = `<?xml version="1.0"?>${new XMLBuilder({}).build(call)}`;
  const text = await post(endpoint, body, bound);
  try {
    return await readAnswer(text);
  } catch (error) {
    if (error instanceof XmlRpcFault) throw error;
    throw new XmlRpcUnreachable(`what answers at ${targetOf(endpoint.url)} does not speak XML-RPC`);
  }
}

/** The value in an answer. Throws an {@link XmlRpcFault} for a refusal, another error for anything that is not an answer. */
export async function readAnswer(text: string): Promise<XmlValue> {
  const { XMLParser } = await import("fast-xml-parser");
  // The tags tell numbers and booleans apart, and every space in a text counts.
  const parser = new XMLParser({
    ignoreAttributes: true,
    parseTagValue: false,
    trimValues: false,
    isArray: (name, path) => name === "member" || name === "param" || String(path).endsWith("data.value"),
  });
  return answerIn(parser.parse(text) as Parsed);
}

function encoded(value: XmlValue): { value: object } {
  if (typeof value === "boolean") return { value: { boolean: value ? 1 : 0 } };
  if (typeof value === "number") return { value: { int: value } };
  if (typeof value === "string") return { value: { string: value } };
  throw new Error(`cannot send ${JSON.stringify(value)} by XML-RPC`);
}

interface Parsed {
  readonly methodResponse?: {
    readonly params?: { readonly param: readonly { readonly value: unknown }[] };
    readonly fault?: { readonly value: unknown };
  };
}

function answerIn({ methodResponse }: Parsed): XmlValue {
  if (methodResponse?.fault) {
    const { faultCode, faultString } = decoded(methodResponse.fault.value) as Record<string, XmlValue>;
    throw new XmlRpcFault(Number(faultCode), String(faultString));
  }
  const value = methodResponse?.params?.param[0]?.value;
  if (value === undefined) throw new Error("no answer in it");
  return decoded(value);
}

/** A text may have no tag of its own. */
function decoded(value: unknown): XmlValue {
  if (typeof value === "string") return value;
  const fields = value as Readonly<Record<string, unknown>>;
  const [type = "nil"] = Object.keys(fields).filter((name) => name !== "#text");
  const inner = fields[type];
  switch (type) {
    case "int":
    case "i4":
    case "i8":
    case "double":
      return Number(inner);
    case "boolean":
      return String(inner).trim() === "1";
    case "array": {
      const { data } = inner as { data: { value?: readonly unknown[] } | string };
      return typeof data === "string" ? [] : (data.value ?? []).map(decoded);
    }
    case "struct": {
      const { member = [] } = (typeof inner === "string" ? {} : inner) as { member?: readonly Member[] };
      return Object.fromEntries(member.map((each) => [each.name, decoded(each.value)]));
    }
    case "nil":
      return null;
    default:
      return String(inner);
  }
}

interface Member {
  readonly name: string;
  readonly value: unknown;
}

/** Does not follow redirects: a redirect is an invalid answer, and no credentials are sent to its target. */
function post({ url, user, password }: Endpoint, body: string, bound: number): Promise<string> {
  const socket = socketIn(url);
  const target = socket === undefined ? withPath(new URL(url)) : new URL("http://localhost/RPC2");
  const credentials = user === undefined ? {} : { auth: `${user}:${password ?? ""}` };
  const options = {
    method: "POST",
    ...withoutUndefined({ socketPath: socket }),
    ...credentials,
    headers: { "Content-Type": "text/xml", "Content-Length": Buffer.byteLength(body) },
    agent: false as const,
  };
  return new Promise((resolve, reject) => {
    const fail = (message: string) => {
      clearTimeout(timer);
      call.destroy();
      reject(new XmlRpcUnreachable(message));
    };
    const call = (target.protocol === "https:" ? httpsRequest : httpRequest)(target, options, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("error", (error) => fail(error.message));
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > LONGEST_ANSWER) fail("its answer is too long");
      });
      response.on("end", () => {
        clearTimeout(timer);
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString("utf8"));
        else fail(statusText(response.statusCode ?? 0));
      });
      response.on("close", () => fail("it cut off its answer"));
    });
    const timer = setTimeout(() => fail(`it did not answer within ${bound / 1000} s`), bound);
    call.on("error", (error: NodeJS.ErrnoException) => fail(reasonOf(error)));
    call.end(body);
  });
}

/** A URL without a path means the usual one. */
function withPath(url: URL): URL {
  if (url.pathname === "/") url.pathname = "/RPC2";
  return url;
}

function statusText(status: number): string {
  if (status === 401) return "it rejects the user or password";
  if (status === 404) return "it has nothing at that path (supervisord answers at /RPC2)";
  return `it answered with HTTP ${status}`;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOENT: "there is no such socket",
  EACCES: "its socket belongs to another user",
  ENOTFOUND: "its host is unknown",
};

function reasonOf({ code = "", message }: NodeJS.ErrnoException): string {
  return REASONS[code] ?? message;
}
