import { expect, test } from "vitest";
import { createEarlyLink } from "#daemon/codex/entry/early-link.ts";
import type { CodexLink } from "#daemon/codex/link.ts";

const HELLO = JSON.stringify({
	id: 7,
	method: "initialize",
	params: { clientInfo: { name: "early", title: null, version: "1" } },
});

function createWire() {
	const sent: unknown[] = [];
	let deliver: (text: string) => void = () => undefined;
	let holds = 0;
	const nothing: Disposable = { [Symbol.dispose]: () => undefined };
	const link: CodexLink = {
		label: "stdio",
		kind: "stdio",
		send: (text) => void sent.push(JSON.parse(text)),
		onMessage(listener) {
			deliver = listener;
			return nothing;
		},
		onClose: () => nothing,
		close: () => undefined,
	};
	const place = { codexHome: "/codex", protocol: "0.169.0" };
	const early = createEarlyLink(link, {
		...place,
		hold() {
			holds += 1;
		},
	});
	return { sent, early, receive: (text: string) => deliver(text), holds: () => holds };
}

test("early link: initialize is answered before anybody listens, and once", () => {
	const { sent, early, receive, holds } = createWire();
	receive(HELLO);
	expect(holds()).toBe(1);
	expect(sent).toMatchObject([{ id: 7, result: { codexHome: "/codex", platformFamily: "unix" } }]);
	const heard: string[] = [];
	receive('{"method":"initialized"}');
	early.onMessage((text) => {
		heard.push(text);
		if (text === HELLO) early.send(JSON.stringify({ id: 7, result: "of the facade" }));
	});
	expect(heard).toEqual([HELLO, '{"method":"initialized"}']);
	receive('{"id":8,"method":"model/list"}');
	early.send('{"id":8,"result":{}}');
	expect(sent.slice(1)).toEqual([{ id: 8, result: {} }]);
});

test.each([
	'{"id":7,"method":"initialize","params":{}}',
	'{"id":7,"method":"thread/list","params":{}}',
	"no message",
])("early link: leaves the answer to the facade when the first words are %s", (text) => {
	const { sent, early, receive } = createWire();
	receive(text);
	expect(sent).toEqual([]);
	early.onMessage(() => early.send('{"error":{},"id":7}'));
	expect(sent).toEqual([{ error: {}, id: 7 }]);
});
