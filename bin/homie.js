#!/usr/bin/env node
import { fileURLToPath } from "node:url";
import { launch } from "./launch.mjs";

await launch("homie", fileURLToPath(import.meta.url));
