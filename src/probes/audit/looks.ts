import { randomUUID } from "node:crypto";
import type { AuditVerdict } from "../../model/audit.ts";
import { isVersion } from "../mcp-answer.ts";
import { told } from "../untrusted.ts";
import type { CheckId } from "./checks.ts";
import type { Knock, Knocker, Reply } from "./knocker.ts";
import { discover, initializeWith, type Manner, NO_VERSION, resultOf, seenOf } from "./manner.ts";

/** How each check is made. */

interface Found {
  readonly verdict: AuditVerdict;
  readonly seen: string;
}

interface Audited {
  readonly knocker: Knocker;
  readonly manner: Manner;
  /** Others than this machine can connect to it. */
  readonly isExposed: boolean;
}

type Look = (audited: Audited) => Promise<Found>;

const EVIL = "https://evil.example";

const found = (verdict: AuditVerdict, seen: string): Found => ({ verdict, seen });
const inapplicable = (why: string) => found("unknown", why);
const isTaken = ({ status }: Reply) => status >= 200 && status < 300;

/** A request that has to be refused with one status. */
function refusal(reply: Reply, right: number): Found {
  const seen = seenOf(reply);
  if (reply.status === right) return found("ok", seen);
  if (isTaken(reply)) return found("wrong", seen);
  // It may be refused for the lack of a token alone.
  if (reply.status === 401) return found("unknown", `${seen}: ${CLOSED}`);
  return found("weak", `${seen}: refused, but not with ${right}`);
}

const plus = (knock: Knock, more: Readonly<Record<string, string>>, host?: string): Knock => ({
  ...knock,
  headers: { ...knock.headers, ...more },
  ...(host === undefined ? {} : { host }),
});

const fromOrigin =
  (origin: (port: number) => string): Look =>
  async ({ knocker, manner }) =>
    refusal(await knocker.ask(plus(manner.harmless, { Origin: origin(knocker.place.port) })), 403);

const forHost =
  (host: string, origin: Readonly<Record<string, string>>): Look =>
  async ({ knocker, manner }) => {
    const name = `${host}:${knocker.place.port}`;
    const headers = Object.fromEntries(Object.keys(origin).map((key) => [key, `http://${name}`]));
    return refusal(await knocker.ask(plus(manner.harmless, headers, name)), 403);
  };

/** The opening of an era: answered, or refused so that a client tries another. */
function opening(reply: Reply): Found {
  const seen = seenOf(reply);
  if (resultOf(reply) !== undefined) return found("ok", seen);
  if (reply.status === 401) return found("unknown", seen);
  const isExpected =
    [400, 404, 405].includes(reply.status) || (isTaken(reply) && reply.answer?.kind === "error");
  return isExpected ? found("ok", `${seen}: clients fall back`) : found("wrong", `${seen}: clients give up`);
}

const withoutSession = ({ headers = {}, ...rest }: Knock): Knock => {
  const { "Mcp-Session-Id": _, ...others } = headers;
  return { ...rest, headers: others };
};

export const LOOKS: Readonly<Record<CheckId, Look>> = {
  "origin-foreign": fromOrigin(() => EVIL),
  "origin-null": fromOrigin(() => "null"),
  "origin-port": fromOrigin((port) => `http://localhost:${port === 65535 ? port - 1 : port + 1}`),
  "host-foreign": forHost("evil.example", {}),
  "host-rebinding": forHost("evil.example", { Origin: "" }),
  preflight: async ({ knocker }) => {
    const reply = await knocker.ask({
      method: "OPTIONS",
      token: null,
      headers: {
        Origin: EVIL,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,mcp-session-id",
      },
    });
    const allowed = reply.headers["access-control-allow-origin"];
    if (reply.status === 0) return found("weak", seenOf(reply));
    return allowed === "*" || allowed === EVIL
      ? found("wrong", `${seenOf(reply)}, allows ${allowed}`)
      : found("ok", `${seenOf(reply)}, allows nobody`);
  },
  "content-type": async ({ knocker, manner }) =>
    refusal(await knocker.ask(plus(manner.harmless, { "Content-Type": "text/plain" })), 415),
  "token-missing": async ({ knocker, manner, isExposed }) => {
    const reply = await knocker.ask({ ...manner.harmless, token: null });
    const seen = seenOf(reply);
    if (reply.status === 401)
      return reply.headers["www-authenticate"] === undefined
        ? found("weak", `${seen}, without WWW-Authenticate`)
        : found("ok", seen);
    if (!isTaken(reply)) return found("weak", `${seen}: refused, but not with 401`);
    if (knocker.place.token !== undefined) return found("wrong", `${seen}, although it has a token`);
    return isExposed
      ? found("wrong", `${seen}, to whoever reaches this machine`)
      : found("weak", `${seen}, to everybody on this machine`);
  },
  "token-wrong": async ({ knocker, manner }) => {
    if (knocker.place.token === undefined && manner.kind !== "closed")
      return inapplicable("it asks for no token");
    return refusal(await knocker.ask({ ...manner.harmless, token: "wrong" }), 401);
  },
  "session-unknown": async ({ knocker, manner }) => {
    if (manner.session === undefined) return inapplicable(noSessions(manner));
    const reply = await knocker.ask(plus(manner.harmless, { "Mcp-Session-Id": randomUUID() }));
    const seen = seenOf(reply);
    return reply.status === 404 ? found("ok", seen) : found("wrong", seen);
  },
  "session-missing": async ({ knocker, manner }) => {
    if (manner.session === undefined) return inapplicable(noSessions(manner));
    const reply = await knocker.ask(withoutSession(manner.harmless));
    const judged = refusal(reply, 400);
    return judged.verdict === "wrong" ? found("weak", judged.seen) : judged;
  },
  "session-id": async ({ knocker, manner }) => {
    const { session } = manner;
    if (session === undefined) return inapplicable(noSessions(manner));
    const { session: other } = await knocker.ask(initializeWith("2025-06-18"));
    const shown = `of ${session.length} characters, such as ${told(session, 8)}`;
    if (session === other) return found("wrong", `the same for two clients, ${shown}`);
    if (!/^[\x21-\x7e]+$/.test(session)) return found("wrong", `not visible ASCII, ${shown}`);
    const isShort = session.length < 16 || /^\d+$/.test(session);
    return isShort ? found("wrong", `easily guessed, ${shown}`) : found("ok", `different, ${shown}`);
  },
  "session-end": async ({ knocker, manner }) => {
    if (manner.session === undefined) return inapplicable(noSessions(manner));
    const { session } = await knocker.ask(initializeWith("2025-06-18"));
    if (session === undefined) return inapplicable("it opened no second session");
    const headers = { "Mcp-Session-Id": session };
    const ended = await knocker.ask({ method: "DELETE", headers });
    if (ended.status === 405) return found("ok", "answered 405: it ends its sessions itself");
    if (!isTaken(ended)) return found("wrong", `DELETE: ${seenOf(ended)}`);
    knocker.forget(session);
    const after = await knocker.ask(plus(manner.harmless, headers));
    const seen = `answered ${ended.status}, then ${seenOf(after)}`;
    return after.status === 404 ? found("ok", seen) : found(isTaken(after) ? "wrong" : "weak", seen);
  },
  "version-unknown": async ({ knocker, manner }) => {
    if (manner.kind !== "legacy") return inapplicable(noSessions(manner));
    return refusal(await knocker.ask(plus(manner.harmless, { "MCP-Protocol-Version": NO_VERSION })), 400);
  },
  "version-offered": async ({ knocker, manner }) => {
    if (manner.kind !== "legacy") return inapplicable(noSessions(manner));
    const reply = await knocker.ask(initializeWith(NO_VERSION));
    const version = resultOf(reply)?.protocolVersion;
    if (!isVersion(version)) return found("weak", seenOf(reply));
    return version === NO_VERSION
      ? found("wrong", `took ${NO_VERSION} for a version`)
      : found("ok", `offered ${version}`);
  },
  discover: async ({ manner }) => opening(manner.discover),
  initialize: async ({ manner }) => opening(manner.initialize),
  "header-mismatch": async ({ knocker, manner }) =>
    manner.kind === "modern"
      ? refusal(await knocker.ask(discover("tools/call")), 400)
      : inapplicable(manner.kind === "closed" ? CLOSED : "it speaks no version without sessions"),
  "second-stream": secondStream,
  "bad-json": async ({ knocker, manner }) => {
    const { rpc: _, ...rest } = manner.harmless;
    const reply = await knocker.ask({ ...rest, body: "{torn" });
    if (reply.status === 401) return inapplicable(`answered 401: ${CLOSED}`);
    return refusal(reply, 400);
  },
};

const CLOSED = "without a token, it cannot be told";
const noSessions = ({ kind }: Manner) => (kind === "closed" ? CLOSED : "it has no sessions");

async function secondStream({ knocker, manner }: Audited): Promise<Found> {
  if (manner.kind !== "legacy") return inapplicable(noSessions(manner));
  const headers = manner.harmless.headers ?? {};
  const first = await knocker.hold(headers);
  const second = await knocker.hold(headers);
  try {
    if (first.status === 405) return found("ok", "answered 405: it offers no such stream");
    if (first.status !== 200) return found("weak", `the first was answered with ${first.status}`);
    const after = await knocker.ask(manner.harmless);
    if (!isTaken(after)) return found("wrong", `the server no longer answers: ${seenOf(after)}`);
    const seen = `answered ${second.status}`;
    return found(second.status === 200 ? "ok" : "weak", seen);
  } finally {
    first.close();
    second.close();
  }
}
