/** What a message asks of the offline agent; decided by plain rules, so that it can be foretold. */
export type Intent =
	| { kind: "run"; command: string }
	/** "run the tests": no program is named. */
	| { kind: "unclear_run" }
	| { kind: "search"; query: string; literal: boolean }
	| { kind: "note"; text: string }
	| { kind: "notes" }
	| { kind: "help" }
	/** Another agent's answer, to something that was asked of it. */
	| { kind: "reply" }
	| { kind: "other"; query: string };

/** Words that say that what follows is a description and no program. */
const NO_PROGRAM: ReadonlySet<string> = new Set(
	"a again all an and any every everything it its my our some that the them these this those your".split(" "),
);

const RUN = /^(?:please\s+|can you\s+|could you\s+)*(?:run|execute|exec)\s*:?\s+([\s\S]+)$/i;
const SEARCH = /^(?:please\s+)?(?:search|find|look|grep)(?:\s+(?:for|up|in files for))?\s*:?\s+([\s\S]+)$/i;
const WHERE = /^(?:please\s+)?where(?:'s|\s+(?:is|are|do|does|did|can|was))\s+([\s\S]+?)\??$/i;
const NOTE = /^(?:please\s+)?(?:note|remember)(?:\s+that)?\s*[:\s]\s*([\s\S]*[^?\s])\s*$/i;
/** How the runner introduces what other agents write. */
const FROM_AGENT = /^Message from #[^\n]*:\n\n/;
const REPLY = /^Reply from #[^\n]*:\n\n/;
const QUESTION =
	/^(?:what|where|how|which|who|whose|why|when|does|do|is|are|can|could|did|was|were|should)\b/i;

function commandOf(rest: string): Intent {
	const fenced = /```[^\n`]*\n([\s\S]+?)```/.exec(rest)?.[1] ?? /`([^`]+)`/.exec(rest)?.[1];
	if (fenced !== undefined) return { kind: "run", command: fenced.trim() };
	const quoted = /^(["'])([\s\S]+)\1$/.exec(rest.trim())?.[2];
	const command = (quoted ?? rest).trim();
	const first = command.split(/\s+/)[0]?.toLowerCase() ?? "";
	return NO_PROGRAM.has(first) ? { kind: "unclear_run" } : { kind: "run", command };
}

function searchOf(text: string): Intent | null {
	const where = WHERE.exec(text)?.[1];
	if (where !== undefined) return { kind: "search", query: where, literal: false };
	const query = SEARCH.exec(text)?.[1];
	if (query === undefined) return null;
	const literal = /^(?:please\s+)?grep\b/i.test(text);
	return { kind: "search", query: literal ? query.replace(/^(?:-[\w-]+\s+)+/, "") : query, literal };
}

/** Reads a message; the first rule that fits wins. */
export function parseIntent(message: string): Intent {
	if (REPLY.test(message)) return { kind: "reply" };
	const text = message.replace(FROM_AGENT, "").trim();
	if (/^!\s*\S/.test(text)) return { kind: "run", command: text.slice(1).trim() };
	if (/^\/?help[.!?]*$/i.test(text) || /^what can you do\b/i.test(text)) return { kind: "help" };
	if (/^(?:(?:list|show)\s+)?(?:my\s+|the\s+)?notes[.!?]*$/i.test(text)) return { kind: "notes" };
	const run = RUN.exec(text)?.[1];
	if (run !== undefined) return commandOf(run);
	const note = NOTE.exec(text)?.[1];
	if (note !== undefined) return { kind: "note", text: note };
	const search = searchOf(text);
	if (search !== null) return search;
	if (text.endsWith("?") || QUESTION.test(text)) return { kind: "search", query: text, literal: false };
	return { kind: "other", query: text };
}
