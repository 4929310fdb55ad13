import type { CallContext } from "#daemon/gateway/handler.ts";

type AnyHandler = (params: object, context: CallContext) => unknown;

function threadOf(params: object): string | null {
	const id: unknown = "thread_id" in params ? params.thread_id : null;
	return typeof id === "string" ? id : null;
}

/** The same handlers, each of which finds the thread that it is about read in as far as another program wrote it. */
export function withThreads<Some extends object>(
	handlers: Some,
	ensureThread: (threadId: string) => Promise<void>,
): Some {
	const wrapped = Object.entries(handlers as Readonly<Record<string, AnyHandler>>).map(([name, handler]) => {
		const ensured: AnyHandler = async (params, context) => {
			const threadId = threadOf(params);
			if (threadId !== null) await ensureThread(threadId);
			return handler(params, context);
		};
		return [name, ensured] as const;
	});
	return Object.fromEntries(wrapped) as Some;
}
