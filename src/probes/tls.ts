import { connect } from "node:tls";

/** Longest wait for a handshake, ms. */
const BOUND = 1000;

/**
 * Whether a server that does not answer plain HTTP accepts a TLS connection, with any certificate. Nothing is sent over
 * it.
 */
export function speaksTls(place: {
  readonly address: string;
  readonly port: number;
  /** `at`: by the clock of `performance.now()`. */
  readonly deadline: { readonly at: number };
}): Promise<boolean> {
  const left = Math.min(BOUND, place.deadline.at - performance.now());
  if (left <= 0) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect({ host: place.address, port: place.port, rejectUnauthorized: false });
    const settle = (isTls: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isTls);
    };
    const timer = setTimeout(() => settle(false), left);
    socket.once("secureConnect", () => settle(true));
    // An alert also proves TLS: the server wants a name, a certificate or another version.
    socket.on("error", (error: NodeJS.ErrnoException) => settle(ALERT.test(error.code ?? "")));
    socket.once("close", () => settle(false));
  });
}

const ALERT = /^ERR_SSL_.*ALERT/;
