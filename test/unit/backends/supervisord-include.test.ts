import { describe, expect, it } from "vitest";
import { includedIn, suffixFor } from "../../../src/backends/units/supervisord/include.ts";

describe("what a supervisord includes", () => {
  it.each<[what: string, text: string, patterns: string[]]>([
    ["one pattern", "[include]\nfiles = /x/*.conf\n", ["/x/*.conf"]],
    [
      "several, beside its file",
      "[include]\nfiles=conf.d/*.ini  /y/*.conf\n",
      ["/etc/s/conf.d/*.ini", "/y/*.conf"],
    ],
    [
      "on lines of their own",
      "[include]\r\nfiles =\r\n  a/*.ini\r\n\tb/*.conf ; mine\r\n",
      ["/etc/s/a/*.ini", "/etc/s/b/*.conf"],
    ],
    ["by its folder", "[include]\nfiles: %(here)s/d/*.ini %(ENV_X)s/*.conf\n", ["/etc/s/d/*.ini"]],
    [
      "in its section alone",
      "[program:x]\nfiles=/no/*.ini\n[include]\n;files=/no/*.ini\n# files=/no\nfiles=/x/*.ini\n[y]\nfiles=/no\n",
      ["/x/*.ini"],
    ],
    ["nothing", "[supervisord]\n", []],
  ])("%s", (_, text, patterns) => {
    expect(includedIn(text, "/etc/s")).toEqual(patterns);
  });

  it.each<[patterns: string[], suffix: string | undefined]>([
    [["/x/*.conf"], ".conf"],
    [["/x/*.ini"], ".ini"],
    [["/x/*.ini", "/x/*.conf"], ".conf"],
    [["/y/*.conf", "/x/../x/*.ini"], ".ini"],
    [["/x/*"], ".conf"],
    [["/x/*.supervisor.conf"], ".supervisor.conf"],
    [["/x/one.conf", "/x/*.[ci]*"], undefined],
    [["/x/*/*.ini", "/*.ini"], undefined],
    [[], undefined],
  ])("of %j is %s in /x", (patterns, suffix) => {
    expect(suffixFor(patterns, "/x")).toBe(suffix);
  });
});
