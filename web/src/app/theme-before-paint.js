// Runs before the first paint, so that a dark page never flashes white. Keep in step with `parts/theme.ts`.
;(function () {
  var chosen = null
  try {
    chosen = localStorage.getItem('salar.theme')
  } catch {
    // Storage may be forbidden; the system's choice then holds.
  }
  var dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.classList.toggle('pf-v6-theme-dark', dark)
  try {
    if (localStorage.getItem('salar.density') === 'comfortable')
      document.documentElement.dataset.density = 'comfortable'
  } catch {
    // As above.
  }
})()
