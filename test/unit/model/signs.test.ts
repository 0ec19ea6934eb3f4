import { describe, expect, test } from "vitest";
import { LOOK_EVERY, type Look, noSigns, SILENCE, silentFrom, withLook } from "../../../src/model/signs.ts";

const seen = (printed: number, processes: Readonly<Record<string, number>>): Look => ({
  printed,
  processes: new Map(Object.entries(processes)),
});
const unseen = (printed: number): Look => ({ printed, processes: undefined });

/** The second, of a clock that begins at 0, at which somebody who looks every 5 s gives up; undefined: not in ten minutes. */
function givenUpAt(lookAt: (second: number) => Look): number | undefined {
  let signs = noSigns(0, 0);
  for (let now = 0; now <= 600_000; now += LOOK_EVERY) {
    signs = withLook(signs, lookAt(now / 1000), now);
    if (now >= silentFrom(signs)) return now / 1000;
  }
  return undefined;
}

describe("a start is given up after a minute without a sign of life", () => {
  const cases: readonly [what: string, look: (second: number) => Look, givenUp: number | undefined][] = [
    ["hangs from the beginning", () => seen(0, { "7@1": 3 }), 60],
    ["uses a tick of a processor every 55 s", (s) => seen(0, { "7@1": Math.floor(s / 55) }), undefined],
    ["uses a tick every 70 s", (s) => seen(0, { "7@1": Math.floor(s / 70) }), 60],
    ["uses one tick after 30 s, and no more", (s) => seen(0, { "7@1": s < 30 ? 0 : 1 }), 90],
    ["prints every 55 s", (s) => seen(Math.floor(s / 55), { "7@1": 0 }), undefined],
    ["prints once, after 20 s", (s) => seen(s < 20 ? 0 : 9, { "7@1": 0 }), 80],
    ["has a new process every 50 s", (s) => seen(0, { [`${Math.floor(s / 50)}@1`]: 0 }), undefined],
    [
      "has a second process, which works, beside one that sleeps",
      (s) => seen(0, { "7@1": 0, "8@1": s }),
      undefined,
    ],
    ["is started again under the same pid", (s) => seen(0, { [`7@${Math.floor(s / 50)}`]: 0 }), undefined],
    ["has lost a process after 30 s", (s) => seen(0, s < 30 ? { "7@1": 0, "8@1": 0 } : { "7@1": 0 }), 60],
    ["is down between two starts from 10 s on", (s) => seen(0, s < 10 ? { "7@1": 0 } : {}), 60],
    ["cannot be seen, and prints", (s) => unseen(s), 60],
    ["has no process at all, and prints", (s) => seen(s, {}), 60],
    ["is seen at every other look", (s) => (s % 10 === 0 ? seen(0, { "7@1": 0 }) : unseen(0)), 60],
    ["is seen from 30 s on", (s) => (s < 30 ? unseen(0) : seen(0, { "7@1": 0 })), 90],
    ["prints, and is seen at first only", (s) => (s < 10 ? seen(0, { "7@1": 0 }) : unseen(s)), undefined],
  ];
  test.each(cases)("one that %s", (_, lookAt, givenUp) => {
    expect(givenUpAt(lookAt)).toBe(givenUp);
  });

  test("what was printed before the start is no sign of it", () => {
    const signs = withLook(noSigns(500, 0), seen(500, { "7@1": 0 }), 0);
    expect(silentFrom(withLook(signs, seen(500, { "7@1": 0 }), 30_000))).toBe(SILENCE);
  });
});
