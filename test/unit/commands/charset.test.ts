import { expect, it } from "vitest";
import { inCharset, isAscii } from "../../../src/commands/charset.ts";

it.each([
  [{}, false],
  [{ LANG: "C.UTF-8" }, false],
  [{ LANG: "de_DE.utf8@euro" }, false],
  [{ LANG: "de_DE" }, false],
  [{ LC_ALL: "C" }, true],
  [{ LC_ALL: "POSIX", LANG: "en_US.UTF-8" }, true],
  [{ LC_CTYPE: "de_DE.ISO-8859-15@euro" }, true],
  [{ LC_ALL: "", LANG: "C" }, true],
])("%j shows ASCII only: %s", (env, ascii) => {
  expect(isAscii(env)).toBe(ascii);
  expect(inCharset("NAME… é", env)).toBe(ascii ? "NAME... é" : "NAME… é");
});
