import type { ScreenPaint } from "./screen-state.ts";

/** Between the pty-host's main thread and its screen worker; both are of one build, so nothing is negotiated. */
export type ToScreenWorker =
	| { op: "open"; id: string; cols: number; rows: number; scrollback: number }
	| { op: "feed"; id: string; bytes: Uint8Array; answer: boolean }
	| { op: "resize"; id: string; cols: number; rows: number }
	| { op: "paint"; id: string; request: number; kind: ScreenPaint }
	| { op: "lines"; id: string; request: number }
	| { op: "close"; id: string };

export type FromScreenWorker =
	| { op: "fed"; id: string; bytes: number }
	| { op: "painted"; request: number; bytes: Uint8Array }
	| { op: "lines"; request: number; lines: string[]; cursor: { x: number; y: number } }
	| { op: "answer"; id: string; data: string }
	| { op: "title"; id: string; title: string };
