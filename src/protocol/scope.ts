/** What a client may do; every method and topic names exactly one. */
export const SCOPES = [
	"daemon.read",
	"daemon.admin",
	"chat.read",
	"chat.write",
	"approval.answer",
	"terminal.read",
	"terminal.write",
	"weave.read",
	"weave.write",
	"events.read",
] as const;
export type Scope = (typeof SCOPES)[number];

export const ROLES = ["owner", "operator", "viewer", "node", "device"] as const;
export type Role = (typeof ROLES)[number];

const READING: readonly Scope[] = ["daemon.read", "chat.read", "terminal.read", "weave.read", "events.read"];

/** Role → scopes; a device and a node start with nothing and live by their grants (contracts.md 5). */
export const ROLE_SCOPES: Readonly<Record<Role, readonly Scope[]>> = {
	owner: SCOPES,
	operator: SCOPES.filter((scope) => scope !== "daemon.admin"),
	viewer: READING,
	node: [],
	device: [],
};
