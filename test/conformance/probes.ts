/** What a probe may speak of. */
export interface ProbePlace {
	readonly cwd: string;
	/** A thread that the probing client made. */
	readonly threadId: string;
}

const PAGE = { limit: 5 };
const file = (cwd: string, name: string): string => `${cwd}/${name}`;

/** Words that a client would use for a method; methods without a row are asked with an empty object. */
export const PROBES: Readonly<Record<string, (place: ProbePlace) => unknown>> = {
	"thread/read": ({ threadId }) => ({ threadId, includeTurns: false }),
	"thread/resume": ({ threadId }) => ({ threadId }),
	"thread/name/set": ({ threadId }) => ({ threadId, name: "probe" }),
	"thread/goal/get": ({ threadId }) => ({ threadId }),
	"thread/goal/clear": ({ threadId }) => ({ threadId }),
	"thread/list": () => PAGE,
	"thread/loaded/list": () => PAGE,
	"thread/turns/list": ({ threadId }) => ({ threadId, ...PAGE }),
	"thread/items/list": ({ threadId }) => ({ threadId, ...PAGE }),
	"thread/search": () => ({ searchTerm: "probe", ...PAGE }),
	"thread/queue/list": ({ threadId }) => ({ threadId }),
	"thread/backgroundTerminals/list": ({ threadId }) => ({ threadId }),
	"thread/backgroundTerminals/clean": ({ threadId }) => ({ threadId }),
	"thread/memoryMode/set": ({ threadId }) => ({ threadId, mode: "disabled" }),
	"thread/inject_items": ({ threadId }) => ({ threadId, items: [] }),
	"skills/list": ({ cwd }) => ({ cwds: [cwd] }),
	"skills/extraRoots/set": () => ({ extraRoots: [] }),
	"experimentalFeature/enablement/set": () => ({ enablement: {} }),
	"hooks/list": ({ cwd }) => ({ cwds: [cwd] }),
	"model/list": () => ({ includeHidden: true }),
	"modelProvider/capabilities/read": () => ({}),
	"config/read": ({ cwd }) => ({ includeLayers: true, cwd }),
	"config/value/write": () => ({ keyPath: "model", value: "gpt-5.5", mergeStrategy: "replace" }),
	"config/batchWrite": () => ({
		edits: [{ keyPath: "model", value: "gpt-5.5", mergeStrategy: "replace" }],
	}),
	"command/exec": ({ cwd }) => ({ command: ["true"], cwd, sandboxPolicy: { type: "dangerFullAccess" } }),
	"fs/writeFile": ({ cwd }) => ({ path: file(cwd, "probe.txt"), dataBase64: "cHJvYmU=" }),
	"fs/readFile": ({ cwd }) => ({ path: file(cwd, "README.md") }),
	"fs/getMetadata": ({ cwd }) => ({ path: file(cwd, "README.md") }),
	"fs/readDirectory": ({ cwd }) => ({ path: cwd }),
	"fs/createDirectory": ({ cwd }) => ({ path: file(cwd, "made") }),
	"fs/copy": ({ cwd }) => ({ sourcePath: file(cwd, "README.md"), destinationPath: file(cwd, "copy.md") }),
	"fs/remove": ({ cwd }) => ({ path: file(cwd, "copy.md") }),
	fuzzyFileSearch: ({ cwd }) => ({ query: "readme", roots: [cwd] }),
	gitDiffToRemote: ({ cwd }) => ({ cwd }),
	getAuthStatus: () => ({ includeToken: false, refreshToken: false }),
	"account/read": () => ({ refreshToken: false }),
	"review/start": () => ({ threadId: "not-a-thread", target: { type: "uncommittedChanges" } }),
	"turn/interrupt": ({ threadId }) => ({ threadId, turnId: "not-a-turn" }),
	"turn/steer": ({ threadId }) => ({ threadId, expectedTurnId: "not-a-turn", input: [] }),
	"thread/unsubscribe": () => ({ threadId: "not-a-thread" }),
	"thread/archive": () => ({ threadId: "not-a-thread" }),
	"thread/delete": () => ({ threadId: "not-a-thread" }),
	"thread/fork": () => ({ threadId: "not-a-thread" }),
};
