/** Whether the locale says that a terminal shows ASCII only. One that says nothing of it is taken for UTF-8. */
export function isAscii(env: NodeJS.ProcessEnv): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  const [, charset] = /\.([^@]+)/.exec(locale) ?? [];
  return charset === undefined ? /^(?:C|POSIX)$/.test(locale) : !/^utf-?8$/i.test(charset);
}

/** Text of xy's own as such a terminal can show it. Words of others stay as they are. */
export function inCharset(text: string, env: NodeJS.ProcessEnv): string {
  return text.includes("…") && isAscii(env) ? text.replaceAll("…", "...") : text;
}
