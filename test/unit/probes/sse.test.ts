import fc from "fast-check";
import { expect, it } from "vitest";
import { ServerEvents } from "../../../src/probes/sse.ts";

function read(...pieces: (string | Buffer)[]): string[] {
  const events = new ServerEvents();
  return pieces.flatMap((piece) => events.take(Buffer.from(piece)).map(({ data }) => data));
}

it.each([
  ["data: a\n\n", ["a"]],
  ["data:a\n\n", ["a"]],
  ["data:  a\n\n", [" a"]],
  ["data: a\ndata: b\n\n", ["a\nb"]],
  ["data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]],
  ["data: a\r\rdata: b\r\r", ["a", "b"]],
  ["id: 1\ndata: \n\nevent: message\nid: 2\ndata: {}\n\n", ["{}"]],
  ["data\n\ndata\ndata\n\n", ["\n"]],
  [": a comment\n\nretry: 10\n\ndatabase: x\n\n", []],
  ["\ufeffdata: a\n\n", ["a"]],
  ["data: a\u2028b\n\n", ["a\u2028b"]],
  ["\n\n\ndata: not over", []],
])("reads %j", (text, data) => {
  expect(read(text)).toEqual(data);
});

it("reads the same from pieces of any size", () => {
  const word = fc.constantFrom("data: a", "data:é", "data: 😀", "id: 1", "data", ":", "", "");
  const end = fc.constantFrom("\n", "\r\n", "\r");
  const lines = fc.array(
    fc.tuple(word, end).map(([text, mark]) => text + mark),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(lines, fc.array(fc.nat(40), { maxLength: 10 }), (all, cuts) => {
      const whole = Buffer.from(all.join(""));
      const at = [0, ...cuts, whole.length].sort((a, b) => a - b);
      const pieces = at.slice(1).map((to, n) => whole.subarray(at[n], to));
      expect(read(...pieces)).toEqual(read(whole));
      expect(read(...[...whole].map((byte) => Buffer.of(byte)))).toEqual(read(whole));
    }),
  );
});
