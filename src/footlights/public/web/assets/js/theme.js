// Theme. The colours of a chart are those of the page: read from CSS, so that light and dark have one home.

export function theme() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    line: colour("glow"),
    band: colour("band"),
    typical: colour("typical"),
    text: colour("ink-2"),
    grid: colour("line"),
    font: getComputedStyle(document.body).fontFamily,
  };
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)");
export const dark = matchMedia("(prefers-color-scheme: dark)");
