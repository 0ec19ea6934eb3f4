import { once } from "node:events";
import * as fs from "node:fs";
import { connect, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRpcServer, type Handlers } from "../../../src/agent/api/rpc-server.ts";
import { discoverer } from "../../../src/rpc/discover.ts";

const FLOOD = 1000;
/** Calls of one connection that may begin before another one has its turn: two slices, and one that is under way. */
const MOST_BEFORE = 96;
const ANSWER = "x".repeat(50_000);

let dir: string;
let server: Server;
const sockets: Socket[] = [];
/** Calls of the flood that have begun. */
let begun: number;
let onFirst: () => void;
/** How many of them had begun when the other connection was heard. */
let before: number[];

beforeEach(async () => {
  dir = fs.mkdtempSync(join(tmpdir(), "rpc-"));
  begun = 0;
  before = [];
  onFirst = () => {};
  const handlers = {
    "rpc.discover": async () => {
      if (++begun === 1) onFirst();
      return ANSWER;
    },
    list: async () => {
      before.push(begun);
      return [];
    },
  };
  server = createRpcServer(handlers as unknown as Handlers);
  server.listen(join(dir, "s"));
  await once(server, "listening");
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
  fs.rmSync(dir, { recursive: true });
});

async function open(): Promise<Socket> {
  const socket = connect(join(dir, "s"));
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}

const call = (method: string, id = 1) => `${JSON.stringify({ jsonrpc: "2.0", id, method })}\n`;
const flood = () => Array.from({ length: FLOOD }, (_, id) => call("rpc.discover", id)).join("");

/** Settles with the ids of that many answers. */
async function answers(socket: Socket, count: number): Promise<number[]> {
  const ids: number[] = [];
  let rest = "";
  for await (const chunk of socket) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    ids.push(...lines.map((line) => Number(/"id":(\d+)/.exec(line.slice(0, 60))?.[1])));
    if (ids.length >= count) break;
  }
  return ids;
}

describe("many calls that one connection sends at once", () => {
  test("leave another one its turn after a few of them, and are all answered, in their order", async () => {
    const [loud, quiet] = [await open(), await open()];
    onFirst = () => quiet.write(call("list"));
    loud.write(flood());
    const [ids] = await Promise.all([answers(loud, FLOOD), answers(quiet, 1)]);
    expect(before[0], "calls before that of the other connection").toBeLessThanOrEqual(MOST_BEFORE);
    expect(ids).toEqual(Array.from({ length: FLOOD }, (_, i) => i));
    expect(begun).toBe(FLOOD);
  });

  test("wait when their answers are not read, and go on once they are", async () => {
    const [loud, quiet] = [await open(), await open()];
    loud.write(flood());
    const asks = async () => {
      const answer = once(quiet, "data");
      quiet.write(call("list"));
      await answer;
    };
    // The other one is answered again and again: until nothing more of the flood begins between two answers.
    do await asks();
    while (before.at(-1) !== before.at(-2));
    expect(before.at(-1)).toBeLessThan(FLOOD / 2);
    expect(await answers(loud, FLOOD)).toHaveLength(FLOOD);
  });

  test("are dropped when it is gone", async () => {
    const [loud, quiet] = [await open(), await open()];
    onFirst = () => loud.destroy();
    loud.write(flood());
    await once(loud, "close");
    for (let i = 0; i < 50; i++) {
      const answer = once(quiet, "data");
      quiet.write(call("list"));
      await answer;
    }
    expect(begun).toBeLessThanOrEqual(MOST_BEFORE);
  });
});

test("the document of the protocol is made once for all calls, and anew when the socket moves", () => {
  const discovered = discoverer("1.2.3");
  const first = discovered("/run/a.sock");
  expect(discovered("/run/a.sock")).toBe(first);
  expect(discovered("/run/b.sock")).toMatchObject({ servers: [{ url: "unix:///run/b.sock" }] });
});
