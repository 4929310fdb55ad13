import { defineConfig } from "vitest/config";

const shared = {
	testTimeout: 60_000,
	hookTimeout: 60_000,
	pool: "forks" as const,
};

export default defineConfig({
	test: {
		maxWorkers: 2,
		projects: [
			{
				test: {
					...shared,
					name: "parts",
					include: ["test/{unit,integration,architecture,golden}/**/*.test.{ts,tsx}"],
				},
			},
			{
				test: {
					...shared,
					name: "product",
					include: ["test/{acceptance,e2e}/**/*.test.{ts,tsx}"],
					globalSetup: ["test/support/global-setup.ts"],
				},
			},
		],
	},
});
