import { AppError } from "#base/app-error.ts";
import type { ServerHello } from "#protocol/envelope.ts";
import type { HubArrival } from "./subscription-store.ts";

/** What a daemon says, sorted. A shape this client does not know is `unknown` and left alone: newer daemons may say more. */
export type ServerArrival =
	| { kind: "hello"; hello: ServerHello }
	| { kind: "reject"; error: AppError }
	| { kind: "response"; id: unknown; result: unknown; error: AppError | undefined }
	| { kind: "hub"; message: HubArrival }
	| { kind: "error"; error: AppError }
	| { kind: "unknown" };

type Loose = Readonly<Record<string, unknown>>;

function asObject(value: unknown): Loose | undefined {
	return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Loose) : undefined;
}

function toError(value: unknown): AppError {
	const wire = asObject(value) ?? {};
	const name = typeof wire["name"] === "string" ? wire["name"] : "INTERNAL";
	const message =
		typeof wire["message"] === "string" ? wire["message"] : "The daemon sent an error without words.";
	return AppError.fromWire({ name, message, data: wire["data"] });
}

function readHub(type: "snapshot" | "event", message: Loose): ServerArrival {
	const { topic, epoch, seq, skipped, payload } = message;
	if (typeof topic !== "string" || typeof epoch !== "string" || typeof seq !== "number")
		return { kind: "unknown" };
	return {
		kind: "hub",
		message: { type, topic, epoch, seq, skipped: typeof skipped === "number" ? skipped : 0, payload },
	};
}

function readHello(message: Loose): ServerArrival {
	const server = asObject(message["server"]);
	const complete =
		server !== undefined && typeof message["protocol"] === "number" && typeof server["epoch"] === "string";
	return complete ? { kind: "hello", hello: message as unknown as ServerHello } : { kind: "unknown" };
}

/** Sorts one text frame by hand, without a schema: the client stays small to load, and the daemon is the trusted side. */
export function parseServerText(text: string): ServerArrival {
	let parsed: unknown;
	try {
		parsed = JSON.parse(text);
	} catch {
		return { kind: "unknown" };
	}
	const message = asObject(parsed);
	if (!message) return { kind: "unknown" };
	const type = message["type"];
	switch (type) {
		case "snapshot":
		case "event":
			return readHub(type, message);
		case "response": {
			const error = message["error"] === undefined ? undefined : toError(message["error"]);
			return { kind: "response", id: message["id"], result: message["result"], error };
		}
		case "hello":
			return readHello(message);
		case "reject":
			return { kind: "reject", error: toError({ name: message["code"], message: message["reason"] }) };
		case "error":
			return { kind: "error", error: toError(message["error"]) };
		default:
			return { kind: "unknown" };
	}
}
