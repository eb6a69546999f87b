// Loads the behaviours: the small ones at once, the large ones on the pages that have their element.
import "./copy.js";
import "./dialog.js";
import "./live.js";
import "./menu.js";
import "./nav.js";
import "./relative-time.js";
import "./tabs.js";
import "./theme.js";
import "./toast.js";
import { each } from "./each.js";

each("textarea[data-editor]", async (textarea) => {
  const { mountEditor } = await import("./editor.js");
  mountEditor(textarea);
});
each("container-figures", () => import("./container-figures.js"));
each("log-viewer", () => import("./log-viewer.js"));
each("operation-output", () => import("./operation-output.js"));
