import { expect, it } from "vitest";
import { plainData } from "../../../../src/config/read/plain.ts";

const TOO_LARGE = [{ path: [], message: expect.stringContaining("larger than 1 MiB") }];

it("a list with holes that is longer than may be is refused before any part of it is looked at", () => {
  let looked = 0;
  const list = new Proxy(new Array(2 ** 32 - 1), {
    get: (target, name) => {
      if (name !== "length") looked++;
      return Reflect.get(target, name);
    },
  });
  expect(plainData({ args: list })).toEqual({ value: undefined, problems: TOO_LARGE });
  expect(looked).toBe(0);
});

it("a list with holes that is short has nothing there", () => {
  const list: unknown[] = ["a"];
  list[2] = "b";
  expect(plainData({ args: list })).toEqual({ value: { args: ["a", undefined, "b"] }, problems: [] });
});
