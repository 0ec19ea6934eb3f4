import { expect, it } from "vitest";
import { readAnswer } from "../../../src/probes/json-rpc.ts";

const rpc = (more: object) => ({ jsonrpc: "2.0", ...more });
const ok = rpc({ id: 7, result: { a: 1 } });
const note = rpc({ method: "notifications/message" });
const broken = rpc({ id: 7, error: { code: -32603, message: "no" } });

it.each([
  ["a result", ok, { kind: "result", result: { a: 1 } }],
  ["an error", broken, { kind: "error", error: { code: -32603, message: "no" } }],
  ["an error without an id", rpc({ id: null, error: { code: 1, message: "no" } }), { kind: "error" }],
  ["an error that leaves its id out", rpc({ error: {} }), { kind: "error", error: { code: 0, message: "" } }],
  ["another's result", rpc({ id: 8, result: {} }), { kind: "stranger" }],
  ["another's error", rpc({ id: 8, error: {} }), { kind: "stranger" }],
  ["our id as text", rpc({ id: "7", result: {} }), { kind: "stranger" }],
  ["a result without an id", rpc({ result: {} }), { kind: "stranger" }],
  ["a notification", note, { kind: "other", json: true }],
  ["a request of its own with our id", rpc({ id: 7, method: "ping" }), { kind: "other", json: true }],
  ["a result that is no object", rpc({ id: 7, result: "ok" }), { kind: "other", json: true }],
  ["another version of JSON-RPC", { id: 7, result: {} }, { kind: "other", json: true }],
  ["a batch", [note, rpc({ id: 8, result: {} }), ok], { kind: "result" }],
  ["a batch of others", [note, rpc({ id: 8, result: {} })], { kind: "stranger" }],
  ["an empty batch", [], { kind: "other", json: true }],
  ["null", null, { kind: "other", json: true }],
])("reads %s", (_, message, answer) => {
  expect(readAnswer(JSON.stringify(message), 7)).toMatchObject(answer);
});

it("reads what is not JSON", () => {
  expect(readAnswer("<html>", 7)).toEqual({ kind: "other", json: false });
});
