import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { AppError } from "#base/app-error.ts";
import { createFaultPoint } from "#daemon/telemetry/fault-point.ts";
import { WRITE_COMMANDS } from "./repository/index.ts";
import { type Connection, openConnection } from "./sqlite.ts";
import type { WriteCommand } from "./store.ts";
import { createWriter, type GroupOutcome, type Writer } from "./writer.ts";
import type { FromWriter, ToWriter, Unit, UnitResult, WriterStart } from "./writer-protocol.ts";

/** Entry of the writer thread: gathers what is queued, commits it as one group, then answers. */
async function main(port: MessagePort, start: WriterStart): Promise<void> {
	const faultPoint = createFaultPoint(process.env);
	const commands =
		start.commandsUrl === null
			? WRITE_COMMANDS
			: ((await import(start.commandsUrl)) as { WRITE_COMMANDS: readonly WriteCommand[] }).WRITE_COMMANDS;
	let connection: Connection | undefined;
	let writer: Writer | undefined;

	function send(message: FromWriter): void {
		port.postMessage(message);
	}

	function open(): void {
		connection = openConnection(start.path);
		connection.database.exec(
			"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 4000",
		);
		writer = createWriter({ connection, commands, faultPoint });
		send({ kind: "opened" });
	}

	function commit(units: readonly Unit[]): void {
		if (units.length === 0 || !writer) return;
		const outcome = writer.runGroup(units);
		faultPoint("store.after-commit");
		try {
			send({ kind: "done", ...outcome });
		} catch {
			send({ kind: "done", ...cloneable(outcome) });
		}
	}

	function close(): void {
		try {
			connection?.run("PRAGMA wal_checkpoint(TRUNCATE)");
		} finally {
			connection?.close();
		}
		send({ kind: "closed" });
		port.close();
	}

	port.on("message", (first: ToWriter) => {
		const units: Unit[] = [];
		let closing = false;
		for (let message: ToWriter | undefined = first; message; message = next(port)) {
			if (message.kind === "open") open();
			else if (message.kind === "units") units.push(...message.units);
			else closing = true;
		}
		commit(units);
		if (closing) close();
	});
}

function next(port: MessagePort): ToWriter | undefined {
	return (receiveMessageOnPort(port) as { message: ToWriter } | undefined)?.message;
}

/** A result that cannot cross threads is its command's mistake and must not take its neighbours' answers with it. */
function cloneable(outcome: GroupOutcome): GroupOutcome {
	const results = outcome.results.map((result): UnitResult => {
		try {
			return structuredClone(result);
		} catch (error) {
			return {
				id: result.id,
				ok: false,
				error: new AppError("STORAGE_FAILED").toWire(),
				cause: String(error),
			};
		}
	});
	return { ...outcome, results, events: JSON.parse(JSON.stringify(outcome.events)) };
}

if (parentPort) await main(parentPort, workerData as WriterStart);
