"""Pictures of a terminal: xterm.js draws what a command wrote, in the browser of the tests."""

import base64

from environment.processes import TOOLS

XTERM = TOOLS / "oidc_provider" / "node_modules" / "@xterm" / "xterm"
DRAW = """
const [style, written, cols, rows, done] = arguments;
document.head.append(Object.assign(document.createElement('style'), { textContent: style + 'body { background: #000; margin: 8px; overflow: hidden }' }));
const terminal = new Terminal({ cols, rows, fontSize: 14, lineHeight: 1.2 });
terminal.open(document.body);
terminal.write(Uint8Array.from(atob(written), (c) => c.charCodeAt(0)), () => {
  const buffer = terminal.buffer.active;
  const lines = Array.from({ length: buffer.length }, (_, row) => buffer.getLine(row).translateToString(true));
  while (lines.length > 1 && !lines.at(-1)) lines.pop();
  // The picture shows all of it, and no empty lines below.
  terminal.resize(cols, Math.max(lines.length, buffer.baseY + buffer.cursorY + 1));
  requestAnimationFrame(() => requestAnimationFrame(() => done(lines)));
});
"""


def draw(browser, terminal, path):
    """Draws the terminal into a file, and returns its lines as a person sees them."""
    browser.open("about:blank")
    driver = browser.driver
    driver.set_window_size(1000, 800)
    driver.execute_script(f"{(XTERM / 'lib' / 'xterm.js').read_text()}\nwindow.Terminal ??= globalThis.Terminal;")
    style = (XTERM / "css" / "xterm.css").read_text()
    written = base64.b64encode(terminal.raw).decode()
    lines = driver.execute_async_script(DRAW, style, written, terminal.columns, terminal.rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    browser.find(".xterm-screen").screenshot(str(path))
    return lines
