/** What an audit looks at, in its order: what is sent, what is right, and why. The table in the docs is made from this. */

export interface CheckFacts {
  /** What is sent. */
  readonly asked: string;
  readonly right: string;
  /** A sentence. */
  readonly why: string;
}

const PAGES =
  "Any page that you visit can have your browser send requests to this machine; the browser says whose they are.";
const REBINDING =
  "A page can make a name of its own point to this machine, and is then the server's own origin to the browser.";
const FALLING_BACK =
  "A client that speaks several versions tries the newest first, and gives up at a status that it does not expect.";

export const CHECKS = {
  "origin-foreign": {
    asked: "a page of a stranger (Origin: https://evil.example)",
    right: "403",
    why: PAGES,
  },
  "origin-null": {
    asked: "a page without an origin (Origin: null)",
    right: "403",
    why: "Sandboxed frames and local files have this origin, and every page can open one.",
  },
  "origin-port": {
    asked: "a page of another port of this machine (Origin: http://localhost:OTHER)",
    right: "403",
    why: "Whatever else is served on this machine, such as a page under development, is another origin.",
  },
  "host-foreign": {
    asked: "a name that was made to point here (Host: evil.example)",
    right: "403",
    why: REBINDING,
  },
  "host-rebinding": {
    asked: "a page under such a name (Host and Origin: evil.example)",
    right: "403",
    why: REBINDING,
  },
  preflight: {
    asked: "a browser's question whether a page of a stranger may ask (OPTIONS)",
    right: "no Access-Control-Allow-Origin for it",
    why: "With that header, the page can also read the answers.",
  },
  "content-type": {
    asked: "a message that is sent as text/plain",
    right: "415",
    why: "Pages may send text to any server without asking the browser first, but not JSON.",
  },
  "token-missing": {
    asked: "a request without a token",
    right: "401",
    why: "Without a token, every account and every program of this machine can use the server.",
  },
  "token-wrong": {
    asked: "a request with a wrong token",
    right: "401",
    why: "A token that is not compared is none.",
  },
  "session-unknown": {
    asked: "a session that nobody has",
    right: "404",
    why: "By 404 a client knows that it has to begin anew; by any other answer it does not.",
  },
  "session-missing": {
    asked: "a request without its session",
    right: "400",
    why: "What is not refused is answered in a session that nobody opened.",
  },
  "session-id": {
    asked: "the ids of two sessions",
    right: "long, different, visible ASCII",
    why: "Whoever guesses an id reads and writes in somebody's session.",
  },
  "session-end": {
    asked: "the end of a session (DELETE), and a request in it",
    right: "2xx, then 404; or 405",
    why: "A session that cannot be ended keeps its memory, and often its process.",
  },
  "version-unknown": {
    asked: "a version that does not exist (MCP-Protocol-Version: 1999-01-01)",
    right: "400",
    why: "A server that ignores the version answers in a way that the client may misread.",
  },
  "version-offered": {
    asked: "an introduction with a version that does not exist",
    right: "a version that the server speaks",
    why: "That is how clients and servers of different ages find what both speak.",
  },
  discover: {
    asked: "server/discover, of the versions without sessions",
    right: "an answer, or 400, 404, 405 or an error of JSON-RPC",
    why: FALLING_BACK,
  },
  initialize: {
    asked: "initialize, of the versions with sessions",
    right: "an answer, or 400, 404, 405 or an error of JSON-RPC",
    why: FALLING_BACK,
  },
  "header-mismatch": {
    asked: "a header that contradicts the message (Mcp-Method)",
    right: "400",
    why: "What is in between decides by the header, and the server by the message.",
  },
  "second-stream": {
    asked: "a second stream (GET) while the first is open",
    right: "200, and the server goes on",
    why: "A client whose connection broke unnoticed comes back before the server knows.",
  },
  "bad-json": {
    asked: "a message that is not JSON",
    right: "400, with an error of JSON-RPC",
    why: "A server that answers 500, or not at all, can be made to fail by anyone who can send to it.",
  },
} as const satisfies Readonly<Record<string, CheckFacts>>;

export type CheckId = keyof typeof CHECKS;
