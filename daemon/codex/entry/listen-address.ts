import { isIP } from "node:net";
import { AppError } from "#base/app-error.ts";

/** Where the protocol is to be served. */
export type ListenAddress =
	| { readonly kind: "stdio" }
	/** `path` null: only codex.sock, where it is served anyway. */
	| { readonly kind: "unix"; readonly path: string | null }
	| { readonly kind: "tcp"; readonly host: string; readonly port: number }
	| { readonly kind: "off" };

function parseTcp(text: string): ListenAddress | undefined {
	const [, bracketed, plain, port] = /^ws:\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})\/?$/.exec(text) ?? [];
	const host = bracketed ?? plain;
	if (host === undefined || isIP(host) === 0 || Number(port) > 65_535) return undefined;
	return { kind: "tcp", host, port: Number(port) };
}

/** Understands what `codex app-server --listen` takes. @throws AppError USAGE. */
export function parseListenAddress(text: string): ListenAddress {
	if (text === "stdio://") return { kind: "stdio" };
	if (text === "off") return { kind: "off" };
	if (text.startsWith("unix://")) {
		const path = text.slice("unix://".length);
		return { kind: "unix", path: path === "" ? null : path };
	}
	const tcp = parseTcp(text);
	if (tcp) return tcp;
	throw new AppError(
		"USAGE",
		`unsupported --listen URL \`${text}\`; expected \`stdio://\`, \`unix://\`, \`unix://PATH\`, \`ws://IP:PORT\`, or \`off\``,
	);
}
