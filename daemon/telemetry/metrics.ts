import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Clock } from "#base/clock.ts";
import type { Telemetry } from "./port.ts";

/** Enough to see what led to a question asked now; at about 100 bytes a line. */
const TRACE_LINES_MAX = 2000;
/** A label that takes many values would grow without end; further series are dropped and counted. */
const SERIES_MAX = 2000;
/** Histograms count whole numbers: milliseconds are kept as microseconds. */
const MS_SCALE = 1000;
/** One hour in microseconds, or 3.6 GB in bytes; two digits keep a histogram at some 25 KB. */
const HISTOGRAM_SETTINGS = { lowest: 1, highest: 3_600_000_000, figures: 2 };
const QUANTILES = [0.5, 0.9, 0.99] as const;

type Labels = Readonly<Record<string, string>>;

interface Series {
	name: string;
	labels: string;
}
interface Summary extends Series {
	histogram: RecordableHistogram;
	sum: number;
	scale: number;
}

export interface TelemetryStore extends Telemetry {
	/** Prometheus text format 0.0.4; durations and sizes as summaries. */
	renderMetrics(): string;
	/** The newest trace lines, oldest first. */
	traceLines(): readonly string[];
}

function escapeLabel(value: string): string {
	return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function labelText(labels: Labels | undefined): string {
	if (!labels) return "";
	return Object.entries(labels)
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([key, value]) => `${key}="${escapeLabel(value)}"`)
		.join(",");
}

function metricName(name: string): string {
	return `weave_${name.replaceAll(/[^a-zA-Z0-9_]/g, "_")}`;
}

function sample(name: string, labels: string, value: number): string {
	return `${name}${labels === "" ? "" : `{${labels}}`} ${value}`;
}

/** Groups series of one metric under one TYPE line, as the format asks. */
function renderGroup<T extends Series>(
	all: Iterable<T>,
	type: string,
	render: (series: T, name: string) => string[],
): string[] {
	const byName = Map.groupBy(all, (series) => metricName(series.name));
	return [...byName].flatMap(([name, members]) => [
		`# TYPE ${name} ${type}`,
		...members.flatMap((one) => render(one, name)),
	]);
}

function renderSummary({ histogram, labels, scale, sum }: Summary, name: string): string[] {
	const quantiles = QUANTILES.map((quantile) => {
		const all = [labels, `quantile="${quantile}"`].filter((part) => part !== "").join(",");
		return sample(name, all, histogram.percentile(quantile * 100) / scale);
	});
	return [...quantiles, sample(`${name}_sum`, labels, sum), sample(`${name}_count`, labels, histogram.count)];
}

interface TelemetryOptions {
	clock: Clock;
	/** Flag `trace_spans`; off keeps no lines. */
	traceSpans: boolean;
}

/** Counters, histograms, gauges and the span ring of one process, in memory. */
export function createTelemetry({ clock, traceSpans }: TelemetryOptions): TelemetryStore {
	const counters = new Map<string, Series & { value: number }>();
	const summaries = new Map<string, Summary>();
	const gauges = new Set<{ name: string; read: () => number }>();
	const ring: string[] = [];
	let oldest = 0;
	let dropped = 0;

	function seriesOf<T>(
		map: Map<string, T>,
		name: string,
		labels: Labels | undefined,
		make: (text: string) => T,
	): T | undefined {
		const text = labelText(labels);
		const key = `${name}{${text}`;
		const present = map.get(key);
		if (present) return present;
		if (map.size >= SERIES_MAX) {
			dropped += 1;
			return undefined;
		}
		const made = make(text);
		map.set(key, made);
		return made;
	}

	return {
		count(name, by = 1, labels) {
			const counter = seriesOf(counters, name, labels, (text) => ({ name, labels: text, value: 0 }));
			if (counter) counter.value += by;
		},
		observe(name, value, labels) {
			const make = (text: string): Summary => ({
				name,
				labels: text,
				histogram: createHistogram(HISTOGRAM_SETTINGS),
				sum: 0,
				scale: name.endsWith("_ms") ? MS_SCALE : 1,
			});
			const summary = seriesOf(summaries, name, labels, make);
			if (!summary || !Number.isFinite(value)) return;
			const whole = Math.round(value * summary.scale);
			summary.histogram.record(
				Math.min(HISTOGRAM_SETTINGS.highest, Math.max(HISTOGRAM_SETTINGS.lowest, whole)),
			);
			summary.sum += value;
		},
		gauge(name, read) {
			const entry = { name, read };
			gauges.add(entry);
			return { [Symbol.dispose]: () => void gauges.delete(entry) };
		},
		trace(phase, event, fields) {
			if (!traceSpans) return;
			const line = `${clock.nowMs()}|${phase}|${event}|${fields ? JSON.stringify(fields) : ""}`;
			if (ring.length < TRACE_LINES_MAX) ring.push(line);
			else {
				ring[oldest] = line;
				oldest = (oldest + 1) % TRACE_LINES_MAX;
			}
		},
		traceLines: () => [...ring.slice(oldest), ...ring.slice(0, oldest)],
		renderMetrics() {
			const read = [...gauges].map((gauge) => ({ name: gauge.name, labels: "", value: gauge.read() }));
			const lost =
				dropped === 0 ? [] : [{ name: "telemetry_series_dropped_total", labels: "", value: dropped }];
			const lines = [
				...renderGroup([...counters.values(), ...lost], "counter", (one, name) => [
					sample(name, one.labels, one.value),
				]),
				...renderGroup(read, "gauge", (one, name) => [sample(name, one.labels, one.value)]),
				...renderGroup(summaries.values(), "summary", renderSummary),
			];
			return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
		},
	};
}
