/** A bar that shows how much of something is used. The figure stands beside it; the bar only shows it. */

interface MeterProps {
  label: string
  used: number
  all: number
  /** Being nearly full is good news, or none. */
  isProgress?: boolean
}

/** From here on it is worth a look. */
export const highUse = 0.85

export function Meter({ label, used, all, isProgress = false }: MeterProps) {
  const share = all <= 0 ? 0 : Math.min(1, used / all)
  return (
    <span
      className="meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
      data-high={!isProgress && share > highUse ? 'yes' : undefined}
    >
      <span className="meter-bar" style={{ transform: `scaleX(${share})` }} />
    </span>
  )
}
