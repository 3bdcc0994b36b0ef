// Figures of a series, and how they are printed.

/** The value that `share` of the series does not exceed. */
export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
}

export const median = (values: number[]) => quantile(values, 0.5)

/** One line of the report: what, the figure and, where there is a limit, whether it holds. */
export function report(what: string, value: number, unit: string, limit?: number): void {
  const verdict = limit === undefined ? '' : `  (limit ${limit} ${unit}: ${value <= limit ? 'holds' : 'DOES NOT HOLD'})`
  console.log(`${what.padEnd(58)} ${value.toFixed(1).padStart(8)} ${unit}${verdict}`)
}
