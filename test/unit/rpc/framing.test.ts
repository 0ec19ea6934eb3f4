import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeFrame, FrameDecoder, LONGEST_FRAME } from "../../../src/rpc/framing.ts";
import { ANY_CHARACTER } from "../../rig/any-character.ts";

test("property: documents come out as they went in, wherever the stream is cut", () => {
  const documents = fc.array(fc.record({ a: fc.string({ unit: ANY_CHARACTER }), b: fc.integer() }), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(documents, fc.array(fc.nat(400), { maxLength: 30 }), (sent, cuts) => {
      const bytes = Buffer.from(sent.map(encodeFrame).join(""));
      const decoder = new FrameDecoder();
      const marks = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort(
        (a, b) => a - b,
      );
      const frames = marks.slice(1).flatMap((end, i) => decoder.take(bytes.subarray(marks[i], end)));
      expect(frames.map((frame) => JSON.parse(frame))).toEqual(JSON.parse(JSON.stringify(sent)));
    }),
  );
});

test("a frame that is too long is refused before it is whole", () => {
  const decoder = new FrameDecoder();
  const half = Buffer.alloc(LONGEST_FRAME / 2 + 1, "x");
  expect(decoder.take(half)).toEqual([]);
  expect(() => decoder.take(half)).toThrow(RangeError);
});
