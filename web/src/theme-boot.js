// Runs before the first paint: puts the chosen theme on the root element. Without a choice the system decides.
try {
  const theme = localStorage.getItem('barograph.theme')
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme
} catch {
  // Storage is switched off in this browser: the system's theme is used.
}
