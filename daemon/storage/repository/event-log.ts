import type { LogEvent, Reader } from "../store.ts";

type EventRow = Omit<LogEvent, "payload"> & { payload: string };

function toEvent(row: EventRow): LogEvent {
	return { ...row, payload: JSON.parse(row.payload) as unknown };
}

/** Events of all streams after `afterLogId`, oldest first. */
export function readEventsAfter(reader: Reader, afterLogId: number, limit: number): LogEvent[] {
	return reader
		.all<EventRow>("SELECT * FROM event_log WHERE log_id > ? ORDER BY log_id LIMIT ?", afterLogId, limit)
		.map(toEvent);
}

/** Events of one stream after `afterSeq`, oldest first. */
export function readStreamAfter(reader: Reader, stream: string, afterSeq: number, limit: number): LogEvent[] {
	const sql = "SELECT * FROM event_log WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ?";
	return reader.all<EventRow>(sql, stream, afterSeq, limit).map(toEvent);
}

/** Number of the newest event; 0 in an empty log. */
export function readLastLogId(reader: Reader): number {
	return reader.get<{ last: number | null }>("SELECT max(log_id) AS last FROM event_log")?.last ?? 0;
}
