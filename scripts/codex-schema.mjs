// What `codex app-server generate-ts` says, as data: types, methods, notifications, and their digests.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The pinned real Codex; `npm run oracle` installs it. */
export const ORACLE = join(import.meta.dirname, "../test/oracle/node_modules/.bin/codex");

export function findOracle() {
	return existsSync(ORACLE) ? ORACLE : null;
}

/** Runs the generator of a codex binary; the folder's content as name -> text. @throws Error when it fails. */
export function generateTypes(codex, { experimental = false } = {}) {
	const out = mkdtempSync(join(tmpdir(), "codex-types-"));
	const home = mkdtempSync(join(tmpdir(), "codex-home-"));
	try {
		const args = ["app-server", "generate-ts", "--out", out, ...(experimental ? ["--experimental"] : [])];
		const env = { ...process.env, CODEX_HOME: home, HOME: home };
		const { status, stderr, error } = spawnSync(codex, args, { encoding: "utf8", env });
		if (error || status !== 0) throw new Error(`${codex} generate-ts failed: ${error?.message ?? stderr}`);
		return readFolder(out);
	} finally {
		for (const folder of [out, home]) rmSync(folder, { recursive: true, force: true });
	}
}

function readFolder(folder) {
	const files = {};
	for (const name of readdirSync(folder, { recursive: true }).map(String).sort()) {
		const path = join(folder, name);
		if (name.endsWith(".ts") && statSync(path).isFile())
			files[name.replaceAll("\\", "/")] = readFileSync(path, "utf8");
	}
	return files;
}

function withoutComments(text) {
	return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

/** Name -> the text right of `=`, on one line, comments left out. */
function readTypes(files) {
	const types = new Map();
	for (const [file, text] of Object.entries(files)) {
		if (file.endsWith("index.ts")) continue;
		const body = withoutComments(text);
		for (const [, name, generics, right] of body.matchAll(
			/export type (\w+)(<[^=]*>)?\s*=\s*([\s\S]*?);\s*(?=export|$)/g,
		))
			types.set(name, `${generics ?? ""}${generics ? " = " : ""}${right.replace(/\s+/g, " ").trim()}`);
	}
	return types;
}

/** `"method": "x", ... params: T` rows of one of the unions. */
function readUnion(types, name) {
	const rows = [];
	for (const [, method, params] of (types.get(name) ?? "").matchAll(
		/"method": "([^"]+)"(?:, id: RequestId)?(?:, "?params"?\??: ([\w<>| ]+))?/g,
	))
		rows.push({ method, params: params?.trim() ?? null });
	return rows;
}

function pascal(method) {
	return method
		.split(/[/_]/)
		.map((word) => word.charAt(0).toUpperCase() + word.slice(1))
		.join("");
}

/** Result types where the name does not follow from that of the params. */
const RESULTS = {
	"account/logout": "LogoutAccountResponse",
	"account/rateLimits/read": "GetAccountRateLimitsResponse",
	"account/usage/read": "GetAccountTokenUsageResponse",
	"externalAgentConfig/import/readHistories": "ExternalAgentConfigImportHistoriesReadResponse",
	"account/workspaceMessages/read": "GetWorkspaceMessagesResponse",
	"account/gatewayOAuth/read": "GatewayOAuthReadResponse",
	"account/gatewayOAuth/login": "GatewayOAuthLoginResponse",
	"account/gatewayOAuth/cancel": "GatewayOAuthCancelResponse",
	"account/securitySetup/read": "GetAccountSecuritySetupResponse",
	"config/mcpServer/reload": "McpServerRefreshResponse",
	"config/value/write": "ConfigWriteResponse",
	"config/batchWrite": "ConfigWriteResponse",
};

function resultOf({ method, params }, types) {
	const guesses = [RESULTS[method], params?.replace(/Params$/, "Response"), `${pascal(method)}Response`];
	return guesses.find((name) => name !== undefined && name !== params && types.has(name)) ?? null;
}

/** What the generated folder declares. */
export function parseSchema(files) {
	const types = readTypes(files);
	const withResult = (row) => ({ ...row, result: resultOf(row, types) });
	return {
		types,
		requests: readUnion(types, "ClientRequest").map(withResult),
		notifications: readUnion(types, "ServerNotification").map((row) => ({ ...row, result: null })),
		serverRequests: readUnion(types, "ServerRequest").map(withResult),
	};
}

/** Names of types that a type's text speaks of. */
function namesIn(text, types) {
	return [...new Set(text.match(/\b[A-Z]\w*\b/g) ?? [])].filter((name) => types.has(name)).sort();
}

/** All types that the named ones need, themselves included. */
export function closureOf(names, types) {
	const found = new Set();
	const waiting = [...names];
	for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
		if (found.has(name) || !types.has(name)) continue;
		found.add(name);
		waiting.push(...namesIn(types.get(name), types));
	}
	return [...found].sort();
}

function digestOf(name, types) {
	if (name === null) return null;
	const text = closureOf(namesIn(name, types), types)
		.map((one) => `${one}=${types.get(one)}`)
		.join("\n");
	return createHash("sha256").update(`${name}\n${text}`).digest("hex").slice(0, 16);
}

/** Members of an object type, one level: `cwd`, `model?`. */
function membersOf(name, types) {
	const text = types.get(name) ?? "";
	if (!text.startsWith("{")) return [];
	let depth = 0;
	const flat = [...text].filter((char) => {
		if ("{[(<".includes(char)) depth += 1;
		const isTop = depth === 1;
		if ("}])>".includes(char)) depth -= 1;
		return isTop;
	});
	return [...flat.join("").matchAll(/(?:^\{|,)\s*"?([\w/]+)"?(\?)?:/g)]
		.map(([, member, mark]) => `${member}${mark ?? ""}`)
		.sort();
}

const KINDS = ["requests", "notifications", "serverRequests"];

/** The schema as small data for comparing: per kind and method the members and digests of params and result. */
export function surfaceOf(schema) {
	const surface = {};
	for (const kind of KINDS) {
		surface[kind] = {};
		for (const { method, params, result } of schema[kind])
			surface[kind][method] = {
				params: { digest: digestOf(params, schema.types), members: membersOf(params, schema.types) },
				result: { digest: digestOf(result, schema.types), members: membersOf(result, schema.types) },
			};
	}
	return surface;
}

function changedParts(before, after) {
	return ["params", "result"].flatMap((part) => {
		if (before[part].digest === after[part].digest) return [];
		const added = after[part].members.filter((one) => !before[part].members.includes(one));
		const removed = before[part].members.filter((one) => !after[part].members.includes(one));
		const words = [...added.map((one) => `+${one}`), ...removed.map((one) => `-${one}`)];
		return [`${part}: ${words.length > 0 ? words.join(" ") : "a type below it"}`];
	});
}

function compareKind(kind, old, fresh) {
	const names = Object.keys(old).filter((method) => method in fresh);
	const changed = names.map((method) => ({ kind, method, parts: changedParts(old[method], fresh[method]) }));
	return {
		added: Object.keys(fresh)
			.filter((method) => !(method in old))
			.map((method) => ({ kind, method })),
		removed: Object.keys(old)
			.filter((method) => !(method in fresh))
			.map((method) => ({ kind, method })),
		changed: changed.filter((row) => row.parts.length > 0),
	};
}

/** What `after` has that `before` has not, and the other way round; empty arrays where nothing differs. */
export function compareSurfaces(before, after) {
	const drifts = KINDS.map((kind) => compareKind(kind, before[kind] ?? {}, after[kind] ?? {}));
	return {
		added: drifts.flatMap((drift) => drift.added),
		removed: drifts.flatMap((drift) => drift.removed),
		changed: drifts.flatMap((drift) => drift.changed),
	};
}
