import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { STATUS_PATH } from "../model/bridge-place.ts";
import { sendJson } from "./answer.ts";
import { BOUNDS, Bodies, Unread } from "./bodies.ts";
import { type Bridge, SESSION_HEADER } from "./bridge.ts";
import { isModern } from "./eras/envelope.ts";
import { type Guard, type Refusal, refusalOf } from "./guard.ts";
import { errorText, type Id, RPC, readMessage } from "./message.ts";
import { VERSIONS } from "./versions.ts";

/** Connections at once. */
const MOST_CONNECTIONS = 2000;
/** After an answer to a request that was too long, until its connection is cut, ms. */
const LINGER = 500;
/** A connection that nothing is asked on is kept so long, ms. */
const KEEP_ALIVE = 60_000;
/** Between two looks at which requests do not come, ms. */
const CHECK_GAP = 5000;

/** What a server answers from, and within what. */
interface Serving {
  readonly bridge: Bridge;
  readonly path: string;
  readonly guard: Guard;
  readonly bodies: Bodies;
}

/** Streamable HTTP at one path, in front of a bridge. */
export function httpServer(bridge: Bridge, path: string, guard: Guard, bounds = BOUNDS): Server {
  const serving: Serving = { bridge, path, guard, bodies: new Bodies(bounds) };
  const unread = new Unread(bounds);
  const options = {
    ...{ requestTimeout: bounds.request, headersTimeout: bounds.request, keepAliveTimeout: KEEP_ALIVE },
    connectionsCheckingInterval: Math.min(CHECK_GAP, bounds.request),
  };
  const server = createServer(options, (request, response) => {
    unread.watch(response);
    serve(serving, request, response).catch((error: Error) => {
      sendJson(response, 500, errorText(null, RPC.internalError, `cannot answer: ${error.message}`));
    });
  });
  server.maxConnections = MOST_CONNECTIONS;
  return server;
}

async function serve(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { bridge, path, guard } = serving;
  // A client that is gone is seen by the stream that it had.
  response.on("error", () => {});
  const refusal = refusalOf(request.headers, guard);
  if (refusal) {
    const challenge = refusal.status === 401 ? { "WWW-Authenticate": "Bearer" } : {};
    return refused(response, refusal.status, refusal.why, challenge);
  }
  const { method, url = "" } = request;
  if (method === "OPTIONS") return refused(response, 403, "cannot answer to a page of another origin");
  if (url === STATUS_PATH && method === "GET" && isOfThisMachine(request))
    return sendJson(response, 200, JSON.stringify(bridge.status), { "Cache-Control": "no-store" });
  if (url.replace(/\?.*$/s, "") !== path)
    return refused(response, 404, `cannot find ${url.slice(0, 200)}: the server is at ${path}`);
  switch (method) {
    case "POST":
      return posted(serving, request, response);
    case "GET":
      return opened(bridge, request, response);
    case "DELETE":
      return ended(bridge, request, response);
    default:
      return refused(response, 405, `cannot take ${method}`, ALLOW);
  }
}

/** What is told of clients is for xy, and for no page. */
function isOfThisMachine({
  headers,
  socket: { remoteAddress = "", localAddress },
}: IncomingMessage): boolean {
  const isNear = /^(::ffff:)?127\.|^::1$/.test(remoteAddress) || remoteAddress === localAddress;
  return isNear && headers.origin === undefined;
}

const ALLOW = { Allow: "GET, POST, DELETE" };

async function posted(
  { bridge, bodies }: Serving,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? ""))
    return refused(response, 415, "cannot read the message: send it as application/json");
  const body = await bodies.read(request);
  if (body.kind === "gone") return;
  if (body.kind === "refused") return cutOff(request, response, body);
  try {
    await passed(bridge, request, response, body.text);
  } finally {
    body.done();
  }
}

async function passed(
  bridge: Bridge,
  request: IncomingMessage,
  response: ServerResponse,
  text: string,
): Promise<void> {
  const message = readMessage(text);
  if (message.kind === "none")
    return sendJson(response, 400, errorText(message.id, message.code, message.why));
  const accept = request.headers.accept ?? "*/*";
  const id = message.kind === "notification" ? null : message.id;
  if (isModern(request.headers, message))
    return bridge.sessionless.posted(message, text, request.headers, response);
  const version = unknownVersion(request);
  if (version !== undefined) {
    const data = { supported: VERSIONS, requested: version };
    return sendJson(
      response,
      400,
      errorText(id, RPC.unsupportedVersion, `cannot speak the version ${version} of MCP`, data),
    );
  }
  const given = sessionIn(request);
  if (message.kind === "request" && message.method === "initialize") {
    if (given !== undefined) return refused(response, 400, "cannot initialize a session twice", {}, id);
    return bridge.initialize(message, response, accept);
  }
  if (given === undefined)
    return refused(response, 400, `cannot tell whose message it is: no ${SESSION_HEADER} header`, {}, id);
  const session = bridge.find(given);
  if (session === undefined) return refused(response, 404, UNKNOWN, {}, id);
  switch (message.kind) {
    case "request":
      return bridge.call(session, message, text, response, accept);
    case "notification":
      bridge.notify(session, message, text);
      break;
    case "response":
      bridge.answer(session, message, text);
  }
  response.writeHead(202).end();
}

/** Node joins a header that is there twice. */
function sessionIn({ headers }: IncomingMessage): string | undefined {
  return headers[SESSION_HEADER.toLowerCase()]?.toString();
}

const UNKNOWN = "cannot find the session: initialize again";

/** The version that a message is of, where it is none that can be passed on. A client that knows several tries another then. */
function unknownVersion({ headers }: IncomingMessage): string | undefined {
  const given = headers["mcp-protocol-version"];
  return typeof given === "string" && !VERSIONS.includes(given) ? given.slice(0, 100) : undefined;
}

function opened(bridge: Bridge, request: IncomingMessage, response: ServerResponse): void {
  const given = sessionIn(request);
  const session = given === undefined ? undefined : bridge.find(given);
  // Some clients look first whether there is such a stream at all.
  if (given === undefined) refused(response, 405, `cannot open a stream without ${SESSION_HEADER}`, ALLOW);
  else if (!/text\/event-stream|\*\/\*/.test(request.headers.accept ?? ""))
    refused(response, 406, "cannot open a stream: accept text/event-stream");
  else if (session === undefined) refused(response, 404, UNKNOWN);
  else bridge.listen(session, response);
}

async function ended(bridge: Bridge, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const session = bridge.find(sessionIn(request) ?? "");
  if (session === undefined) return refused(response, 404, UNKNOWN);
  // Its child may take seconds to end: the client need not wait.
  void bridge.end(session);
  response.writeHead(204).end();
}

/** A client that is still sending sees an answer only when it stops, or is stopped. */
function cutOff(request: IncomingMessage, response: ServerResponse, { status, why }: Refusal): void {
  refused(response, status, why, { Connection: "close" });
  // The rest of it is read until the client has seen that, and no longer.
  response.once("finish", () => setTimeout(() => request.destroy(), LINGER).unref());
  request.resume();
}

function refused(
  response: ServerResponse,
  status: number,
  why: string,
  headers: Readonly<Record<string, string>> = {},
  id: Id | null = null,
): void {
  sendJson(
    response,
    status,
    errorText(id, status === 413 || status === 415 ? RPC.invalidRequest : RPC.refused, why),
    headers,
  );
}
