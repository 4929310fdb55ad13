import type { Json, Row } from "./codex-drive.ts";

/** News that say nothing of the turn, or race with everything. */
const VOLATILE = new Set([
	"account/rateLimits/updated",
	"remoteControl/status/changed",
	"thread/readState/changed",
	"thread/settings/updated",
	"deprecationNotice",
	"thread/goal/cleared",
	"mcpServer/startupStatus/updated",
	"skills/changed",
	"configWarning",
	"project/changed",
	"thread/queue/changed",
	// Of a short command it comes or does not, also from the real server; all of it is in the item that ended.
	"item/commandExecution/outputDelta",
]);
/** Members that describe an installation, or that the reference sends although nobody asked for them. */
const FREE_MEMBERS = new Set([
	"environments",
	"extra",
	"attachedToThreadId",
	"canAcceptDirectInput",
	"runtimeWorkspaceRoots",
	"multiAgentMode",
	"workspaceRouting",
	"activePermissionProfile",
	"emittedAtMs",
	"environmentId",
	"gitInfo",
	"cliVersion",
	"readStates",
	"features",
	"config",
	"origins",
	"layers",
	"rateLimits",
	"misalignment",
	"path",
]);
/** Answers about an installation: only that there is one. */
const OWN_ANSWERS =
	/^(initialize|config|model\/|skills\/|hooks\/|mcpServer|plugin|app\/|experimentalFeature|permissionProfile|modelProvider|collaborationMode|account\/rateLimits|fuzzyFileSearch|gitDiff)/u;
const SHAPED =
	/^(turn\/|item\/|thread\/(started|status|tokenUsage|name|archived|unarchived|deleted|compacted|closed)|error$|serverRequest\/)/u;
/** Values that follow from the scenario alone. */
const DETERMINED = new Set(
	"type status exitCode text delta command decision willRetry codexErrorInfo kind aggregatedOutput phase explanation step threadName authMethod planType email success diff httpStatusCode source tool namespace turnStatus requiresOpenaiAuth stdin review".split(
		" ",
	),
);

interface Told {
	readonly key: string;
	readonly msg: Json;
	/** Of a run of deltas, joined. */
	text?: string;
}

const typeOf = (value: unknown): string =>
	value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
const isPlaceholder = (value: unknown): boolean => typeof value === "string" && /^<[\w-]+>$/u.test(value);
const record = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});

function keyOf(msg: Json): string {
	const method = String(msg["method"]);
	const params = record(msg["params"]);
	const parts = [method];
	if (params["item"]) {
		const item = record(params["item"]);
		parts.push(String(item["type"]), String(item["status"] ?? ""));
	}
	if (method === "turn/completed") parts.push(String(record(params["turn"])["status"]));
	if (method === "thread/status/changed") {
		const status = record(params["status"]);
		parts.push(String(status["type"]), ((status["activeFlags"] ?? []) as string[]).join("+"));
	}
	if (method === "error") {
		parts.push(
			String(params["willRetry"]),
			JSON.stringify(record(params["error"])["codexErrorInfo"] ?? null),
		);
	}
	return parts.join(":");
}

/** What the server said unasked, runs of deltas folded. */
function eventsOf(rows: readonly Row[]): Told[] {
	const out: Told[] = [];
	for (const { dir, msg } of rows) {
		if (dir === "--") out.push({ key: "restart", msg });
		const method = msg["method"];
		if (dir !== "<-" || typeof method !== "string" || VOLATILE.has(method)) continue;
		const key = keyOf(msg);
		if (!/[dD]elta$/u.test(method)) {
			out.push({ key, msg });
			continue;
		}
		const delta = String(record(msg["params"])["delta"] ?? "");
		const last = out.at(-1);
		if (last?.key === key) last.text = (last.text ?? "") + delta;
		else out.push({ key, msg, text: delta });
	}
	return out;
}

/** Members of the golden value that the actual one lacks or has otherwise. */
function differences(golden: unknown, actual: unknown, place: string): string[] {
	if (golden === null || isPlaceholder(golden)) return [];
	if (typeOf(golden) !== typeOf(actual))
		return [`${place}: ${typeOf(golden)} expected, ${typeOf(actual)} found`];
	if (Array.isArray(golden)) {
		const found = actual as unknown[];
		if (golden.length > 0 && found.length === 0) return [`${place} is empty`];
		return golden
			.slice(0, found.length)
			.flatMap((entry, index) => differences(entry, found[index], `${place}[${index}]`));
	}
	if (typeof golden !== "object") return [];
	const found = record(actual);
	return Object.entries(golden).flatMap(([name, value]) => memberDifferences(name, value, { found, place }));
}

function memberDifferences(name: string, golden: unknown, at: { found: Json; place: string }): string[] {
	const { found, place } = at;
	if (FREE_MEMBERS.has(name)) return [];
	if (!(name in found)) return [`${place}.${name} is missing`];
	const isFixed = DETERMINED.has(name) && typeof golden !== "object" && !/<[\w-]+>/u.test(String(golden));
	if (!isFixed) return differences(golden, found[name], `${place}.${name}`);
	if (golden === found[name]) return [];
	return [`${place}.${name}: expected ${JSON.stringify(golden)}, found ${JSON.stringify(found[name])}`];
}

function compareEvents(golden: readonly Told[], actual: readonly Told[]): string[] {
	const problems: string[] = [];
	for (let i = 0; i < Math.max(golden.length, actual.length); i += 1) {
		const wants = golden[i];
		const has = actual[i];
		if (wants === undefined || has === undefined || wants.key !== has.key) {
			const after = actual[i - 1]?.key ?? "the start";
			const [expected, found] = [wants?.key ?? "nothing", has?.key ?? "nothing"];
			return [...problems, `event ${i}: expected ${expected}, found ${found} (after ${after})`];
		}
		if (wants.text !== undefined && wants.text !== has.text)
			problems.push(`event ${i} ${wants.key}: its text differs`);
		const method = String(wants.msg["method"]);
		if (SHAPED.test(method)) {
			problems.push(...differences(record(wants.msg["params"]), record(has.msg["params"]), method));
		}
	}
	return problems;
}

/** Answers with the methods that they answer, in order. */
function answersOf(rows: readonly Row[]): { method: string; msg: Json }[] {
	const asked = new Map<unknown, string>();
	return rows.flatMap(({ dir, msg }) => {
		const { id, method } = msg;
		if (dir === "->" && typeof method === "string" && id !== undefined) asked.set(id, method);
		const answered = dir === "<-" && method === undefined ? asked.get(id) : undefined;
		return answered === undefined ? [] : [{ method: answered, msg }];
	});
}

function compareAnswers(golden: readonly Row[], actual: readonly Row[]): string[] {
	const has = answersOf(actual);
	return answersOf(golden).flatMap(({ method, msg }, i) => {
		const own = has[i];
		const isError = "error" in msg;
		if (own?.method !== method || "error" in own.msg !== isError) {
			const said = own === undefined ? "none" : `${JSON.stringify(own.msg).slice(0, 200)} to ${own.method}`;
			return [`answer ${i} to ${method}: expected ${isError ? "an error" : "a result"}, found ${said}`];
		}
		if (isError) {
			const [wanted, code] = [record(msg["error"])["code"], record(own.msg["error"])["code"]];
			return wanted === code ? [] : [`answer ${i} to ${method}: error ${wanted} expected, ${code} found`];
		}
		return OWN_ANSWERS.test(method)
			? []
			: differences(msg["result"], own.msg["result"], `answer to ${method}`);
	});
}

/** By kind, with all deltas of a kind as one. */
function sortedByKey(events: readonly Told[]): Told[] {
	const out: Told[] = [];
	for (const event of events.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))) {
		const last = out.at(-1);
		if (event.text !== undefined && last?.key === event.key) last.text = (last.text ?? "") + event.text;
		else out.push(event);
	}
	return out;
}

/**
 * What a client could tell apart: the order of what is told (runs of deltas as one), every member that the golden one has
 * with its type, and the values that follow from the scenario. Empty when nothing. `anyOrder`: of events that race.
 */
export function compareTranscripts(
	golden: readonly Row[],
	actual: readonly Row[],
	{ anyOrder = false }: { anyOrder?: boolean } = {},
): string[] {
	const [wants, has] = [golden, actual].map((rows) => {
		const events = eventsOf(rows);
		return anyOrder ? sortedByKey(events) : events;
	});
	const problems = [...compareEvents(wants ?? [], has ?? []), ...compareAnswers(golden, actual)];
	return [...new Set(problems)];
}
