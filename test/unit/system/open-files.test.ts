import { expect, test } from "vitest";
import { hardLimitIn } from "../../../src/system/open-files.ts";

const table = (
  hard: string,
) => `Limit                     Soft Limit           Hard Limit           Units     
Max processes             63704                63704                processes 
Max open files            1024                 ${hard.padEnd(20)} files     
Max locked memory         8388608              8388608              bytes     
`;

test("the hard limit of open files is read from the table of the kernel", () => {
  expect(hardLimitIn(table("524288"))).toBe(524288);
  expect(hardLimitIn(table("unlimited"))).toBeUndefined();
  expect(hardLimitIn("")).toBeUndefined();
  expect(hardLimitIn("Max open files")).toBeUndefined();
});
