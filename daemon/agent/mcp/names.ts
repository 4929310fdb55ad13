import { createHash } from "node:crypto";

/** Names of functions that models take. */
const NAME_MAX = 64;

const plain = (name: string): string => name.replaceAll(/[^A-Za-z0-9_]/g, "_");

/** Group of a server's tools as the model is told of it. */
export function namespaceOf(server: string): string {
	return `mcp__${plain(server)}`;
}

/** The tool's names: within its namespace, and alone; one that is too long ends in a digest of what it was. */
export function toolNames(server: string, tool: string): { inner: string; flat: string } {
	const namespace = namespaceOf(server);
	const inner = plain(tool);
	const flat = `${namespace}__${inner}`;
	if (flat.length <= NAME_MAX) return { inner, flat };
	const digest = createHash("sha1").update(`${server}\0${tool}`).digest("hex").slice(0, 12);
	const room = Math.max(1, NAME_MAX - namespace.length - 2 - digest.length - 1);
	const short = `${inner.slice(0, room)}_${digest}`;
	return { inner: short, flat: `${namespace}__${short}`.slice(-NAME_MAX) };
}
