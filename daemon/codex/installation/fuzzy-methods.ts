import { type CodexConnection, CodexError, type CodexMethods } from "../method.ts";
import { type JsonObject, list, optional, string, struct } from "../wire/decode.ts";
import { type WalkedFile, walkFiles } from "./file-walk.ts";
import { matchPath } from "./fuzzy-score.ts";

/** As many as the real server answers. */
const MATCHES_MAX = 50;

const searchParams = struct("FuzzyFileSearchParams", {
	query: string,
	roots: list(string),
	cancellationToken: optional(string),
});
const startParams = struct("FuzzyFileSearchSessionStartParams", { sessionId: string, roots: list(string) });
const updateParams = struct("FuzzyFileSearchSessionUpdateParams", { sessionId: string, query: string });
const stopParams = struct("FuzzyFileSearchSessionStopParams", { sessionId: string });

function rank(files: readonly WalkedFile[], query: string): JsonObject[] {
	const asked = query.replaceAll(" ", "").toLowerCase();
	if (asked === "") return [];
	const matches = files.flatMap((file) => {
		const match = matchPath(file.path, asked);
		return match ? [{ file, match }] : [];
	});
	matches.sort(
		(one, other) => other.match.score - one.match.score || (one.file.path < other.file.path ? -1 : 1),
	);
	return matches.slice(0, MATCHES_MAX).map(({ file, match }) => ({
		...{ root: file.root, path: file.path, match_type: file.isDirectory ? "directory" : "file" },
		...{ file_name: file.path.slice(file.path.lastIndexOf("/") + 1) },
		...{ score: match.score, indices: match.indices },
	}));
}

interface Session extends Disposable {
	readonly files: Promise<WalkedFile[]>;
	/** Counts the queries: an answer to an older one is not told. */
	asked: number;
}

/** `fuzzyFileSearch`, once or as a session that is told of matches while a person types. */
export function createFuzzyMethods(): CodexMethods {
	const running = new Map<string, AbortController>();
	const sessions = new Map<string, Session>();

	function find(sessionId: string): Session {
		const session = sessions.get(sessionId);
		if (!session) throw new CodexError(`fuzzy file search session not found: ${sessionId}`);
		return session;
	}

	function end(sessionId: string): void {
		sessions.get(sessionId)?.[Symbol.dispose]();
		sessions.delete(sessionId);
	}

	async function update(sessionId: string, query: string, connection: CodexConnection): Promise<void> {
		const session = sessions.get(sessionId);
		if (!session) return;
		session.asked += 1;
		const { asked } = session;
		const files = rank(await session.files, query);
		if (session.asked !== asked || sessions.get(sessionId) !== session) return;
		connection.notify("fuzzyFileSearch/sessionUpdated", { sessionId, query, files });
		connection.notify("fuzzyFileSearch/sessionCompleted", { sessionId });
	}

	return {
		async fuzzyFileSearch(params) {
			const { query, roots, cancellationToken } = searchParams.decode(params);
			const abort = new AbortController();
			if (cancellationToken !== null) {
				running.get(cancellationToken)?.abort();
				running.set(cancellationToken, abort);
			}
			const files = query === "" ? [] : rank(await walkFiles(roots, abort.signal), query);
			if (cancellationToken !== null && running.get(cancellationToken) === abort)
				running.delete(cancellationToken);
			return { files: abort.signal.aborted ? [] : files };
		},
		"fuzzyFileSearch/sessionStart"(params, connection) {
			const { sessionId, roots } = startParams.decode(params);
			if (sessionId === "") throw new CodexError("sessionId must not be empty");
			end(sessionId);
			const abort = new AbortController();
			const files = walkFiles(roots, abort.signal);
			sessions.set(sessionId, { files, asked: 0, [Symbol.dispose]: () => abort.abort() });
			connection.onClose(() => end(sessionId));
			connection.afterResponse(() => void update(sessionId, "", connection));
			return {};
		},
		"fuzzyFileSearch/sessionUpdate"(params, connection) {
			const { sessionId, query } = updateParams.decode(params);
			find(sessionId);
			connection.afterResponse(() => void update(sessionId, query, connection));
			return {};
		},
		"fuzzyFileSearch/sessionStop"(params) {
			end(stopParams.decode(params).sessionId);
			return {};
		},
	};
}
