import { defineConfig } from '@playwright/test'
import tests from '../playwright.config.ts'

/** The benchmarks: same world as the tests, figures instead of verdicts. */
export default defineConfig({ ...tests, testDir: '.', testMatch: '*.bench.ts', outputDir: '../../target/bench' })
